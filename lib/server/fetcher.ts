/**
 * The fetcher: brings the body of a record here, from another server.
 *
 * A large body is often on its way already, ahead of its record (`uploads.ts`): then it is waited for.
 * Else it takes a connection for itself, as it may take long. Small bodies share one to each source
 * (`fetch_pipe.ts`). Whatever comes from another server is believed only when it has the hash that it
 * was asked by.
 */
import type { FrameConnection } from "../protocol/connection.ts";
import { decodeReply } from "../protocol/decode.ts";
import { encodeRequest } from "../protocol/encode.ts";
import { logger } from "../log.ts";
import type { Address } from "../ring/address.ts";
import { type FileRecord, hasLargeBody } from "../ring/file_record.ts";
import { type Store, StoreFailedError, StoreFullError } from "../storage/store.ts";
import type { Dialled, Dialler } from "./dialler.ts";
import { FetchPipe } from "./fetch_pipe.ts";
import { peerIdleMs } from "./peers.ts";
import { receiveBody } from "./receive_body.ts";
import type { Uploads } from "./uploads.ts";
import { stallMs, type Watchdog } from "./watchdog.ts";

/** How many connections to one server are kept open for the next large body. */
const idleMax = 4;

const log = logger("fetch");

/** What is to be fetched. */
export interface FetchTask {
  readonly record: FileRecord;
  readonly sources: readonly Address[];
  readonly upload?: string;
}

/** How a fetch ended; `body` is there if it is small, a large one is in the store. */
export interface Fetched {
  readonly ok: boolean;
  readonly body?: Uint8Array;
}

/** What {@linkcode Fetcher} is made of. */
export interface FetcherOptions {
  readonly store: Store;
  readonly dialler: Dialler;
  readonly uploads: Uploads;
  readonly watchdog: Watchdog;
}

/** Fetches bodies for one server. */
export class Fetcher {
  readonly #options: FetcherOptions;
  /** The connections for small bodies. */
  readonly #pipes = new Map<Address, FetchPipe>();
  /** The connections that large bodies came on, open for the next one. */
  readonly #idle = new Map<Address, Dialled[]>();
  readonly #inUse = new Set<Dialled>();
  #closed = false;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** Fetches a body; tries the sources in turn. A failure of the store is thrown. */
  async fetch({ record, sources, upload }: FetchTask): Promise<Fetched> {
    const { store, uploads } = this.#options;
    if (upload !== undefined) await uploads.arrival(upload);
    const isLarge = hasLargeBody(record);
    if (isLarge && store.hasBody(record.sha256)) return { ok: true };
    for (const address of sources) {
      const fetched =
        await (isLarge ? this.#fetchLarge(address, record) : this.#fetchSmall(address, record));
      if (fetched.ok) return fetched;
    }
    return { ok: false };
  }

  /** Closes the connections that have not been used for long. */
  sweep(): void {
    for (const [address, pipe] of this.#pipes) {
      if (pipe.idleForMs > peerIdleMs) pipe.close();
      if (pipe.isClosed) this.#pipes.delete(address);
    }
    for (const [address, idle] of this.#idle) {
      const kept = idle.filter(({ connection, stream }) => {
        if (stream.stillForMs > peerIdleMs) connection.close();
        return !connection.closed;
      });
      if (kept.length > 0) this.#idle.set(address, kept);
      else this.#idle.delete(address);
    }
  }

  /** Ends what is under way. */
  close(): void {
    this.#closed = true;
    for (const pipe of this.#pipes.values()) pipe.close();
    for (const { connection } of [...this.#inUse, ...[...this.#idle.values()].flat()]) {
      connection.close();
    }
  }

  async #fetchSmall(address: Address, record: FileRecord): Promise<Fetched> {
    const first = await this.#pipe(address)?.fetch(record);
    const body = first === "closed" ? await this.#pipe(address)?.fetch(record) : first;
    return body instanceof Uint8Array ? { ok: true, body } : { ok: false };
  }

  /** The connection for small bodies from a server, a new one if need be; none any more at the end. */
  #pipe(address: Address): FetchPipe | undefined {
    const known = this.#pipes.get(address);
    if (known?.isClosed === false || this.#closed) return known;
    const pipe = new FetchPipe(address, this.#options.dialler);
    this.#pipes.set(address, pipe);
    return pipe;
  }

  async #fetchLarge(address: Address, record: FileRecord): Promise<Fetched> {
    const idle = this.#idle.get(address)?.pop();
    if (idle !== undefined) {
      // The other side may have closed it: what fails here is tried again on a new one.
      const fetched = await this.#attempt(address, { record, dialled: Promise.resolve(idle) });
      if (fetched.ok) return fetched;
    }
    if (this.#closed) return { ok: false };
    return await this.#attempt(address, { record, dialled: this.#options.dialler.dial(address) });
  }

  async #attempt(
    address: Address,
    { record, dialled }: { record: FileRecord; dialled: Promise<Dialled> },
  ): Promise<Fetched> {
    try {
      const open = await dialled;
      const unwatch = this.#options.watchdog.watch({
        isStuck: () => open.stream.stillForMs > stallMs,
        close: () => open.connection.close(),
      });
      this.#inUse.add(open);
      try {
        const fetched = await this.#receive(open.connection, record);
        if (fetched.ok) this.#keep(address, open);
        return fetched;
      } finally {
        unwatch();
        if (this.#inUse.delete(open)) open.connection.close();
      }
    } catch (error) {
      // Whatever goes wrong at the other side is no news to ours: another source is tried.
      if (error instanceof StoreFailedError) throw error;
      if (error instanceof StoreFullError) log.warn(error.message);
      log.debug(() =>
        `cannot get ${JSON.stringify(record.name)} from ${address}: ${String(error)}`
      );
      return { ok: false };
    }
  }

  #keep(address: Address, open: Dialled): void {
    const idle = this.#idle.get(address) ?? [];
    if (this.#closed || idle.length >= idleMax) return;
    this.#inUse.delete(open);
    this.#idle.set(address, [...idle, open]);
  }

  async #receive(connection: FrameConnection, record: FileRecord): Promise<Fetched> {
    const { sha256, size } = record;
    await connection.send(encodeRequest({ type: "FETCH", sha256 }));
    const received = await connection.receive();
    if (received === undefined) return { ok: false };
    const answer = decodeReply(received.value, received.size);
    if (answer.type !== "FETCH" || answer.status !== 200 || received.size !== size) {
      return { ok: false };
    }
    const body = await receiveBody(this.#options.store, connection.body());
    return { ok: body.sha256 === sha256 };
  }
}
