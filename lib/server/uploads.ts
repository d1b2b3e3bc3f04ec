/**
 * Uploads: large bodies that arrive, from a client or from the server before this one on the circle.
 *
 * Each server stores a body and passes it on while it arrives, so that a large file takes the time of
 * one transfer and not of one for each server. Its record follows when the hash is known.
 */
import type { Member, MemberId } from "../ring/member.ts";
import type { Store } from "../storage/store.ts";
import type { Dialler } from "./dialler.ts";
import { receiveBody } from "./receive_body.ts";
import { Relay } from "./relay.ts";

/** A body that arrives. */
export interface Upload {
  /** Names it, in the whole ring. */
  readonly name: string;
  readonly size: number;
  /** The servers that have it or are receiving it. */
  readonly visited: readonly MemberId[];
}

/** What {@linkcode Uploads} is made of. */
export interface UploadsOptions {
  readonly self: MemberId;
  readonly boot: string;
  readonly store: Store;
  readonly dialler: Dialler;
  /** The live members other than this server, from its successor on. */
  readonly others: () => readonly Member[];
}

/** The bodies that one server receives. */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #arrivals = new Map<string, Promise<unknown>>();
  #count = 0;

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  /** Names an upload of this server. */
  name(): string {
    const { self, boot } = this.#options;
    return `${self}-${boot}-${++this.#count}`;
  }

  /** Resolves when an upload is not on its way (any more), whether or not it is here. */
  async arrival(name: string): Promise<void> {
    await this.#arrivals.get(name)?.catch(() => {});
  }

  /** Stores a body, and passes it on; throws when the source or the store fails. */
  receive(
    chunks: AsyncIterable<Uint8Array>,
    upload: Upload,
  ): Promise<{ sha256: string; size: number }> {
    const received = this.#receive(chunks, upload);
    this.#arrivals.set(upload.name, received);
    const forget = () => {
      if (this.#arrivals.get(upload.name) === received) this.#arrivals.delete(upload.name);
    };
    received.then(forget, forget);
    return received;
  }

  async #receive(
    chunks: AsyncIterable<Uint8Array>,
    { name, size, visited }: Upload,
  ): Promise<{ sha256: string; size: number }> {
    const { self, store, dialler, others } = this.#options;
    const next = others().filter((member) => !visited.includes(member.id));
    const relay = new Relay(dialler, next, {
      type: "BODY",
      from: self,
      upload: name,
      visited: [...visited, self],
      size,
    });
    try {
      const received = await receiveBody(store, chunks, (chunk) => relay.push(chunk));
      await relay.end();
      return received;
    } catch (error) {
      await relay.abort();
      throw error;
    }
  }
}
