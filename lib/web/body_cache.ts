/**
 * The body cache: bodies that are too large to be kept with their records and small enough to be kept for a
 * while. To read one, and to prove it by its hash, takes several times as long as to send it.
 *
 * What is being sent stays in memory until the client has taken it, whether or not it is kept. So that slow
 * clients of many files do not add up, there is a bound on that as well; beyond it a body is read as it is sent.
 */
import type { FileRecord } from "../ring/file_record.ts";
import { BodyDamagedError, type BodyReader } from "../storage/store.ts";
import { ByteCache } from "./byte_cache.ts";

/** The largest body that is kept, in bytes. */
export const keptBodyBytesMax = 2 * 1024 * 1024;

/** How much is kept, in bytes. */
const keptBytesMax = 24 * 1024 * 1024;

/** How much may be under way to clients, each counted for itself, in bytes. */
export const lentBytesMax = 96 * 1024 * 1024;

type Body = Pick<FileRecord, "sha256" | "size">;

/** Keeps bodies of one server's disk. */
export class BodyCache {
  readonly #kept = new ByteCache<Uint8Array>(keptBytesMax);
  /** Bodies that are being read, so that each is read once, whoever asks meanwhile. */
  readonly #reading = new Map<string, Promise<Uint8Array | undefined>>();
  #lent = 0;

  /** How much is under way to clients, in bytes. */
  get lent(): number {
    return this.#lent;
  }

  /**
   * The whole of a body, proven; to be given back when it has been sent. `undefined` if it is too large, too
   * much is lent, or it is not to be had from `open`.
   */
  async lend(
    { sha256, size }: Body,
    open: () => BodyReader | undefined,
  ): Promise<Uint8Array | undefined> {
    if (size > keptBodyBytesMax || this.#lent + size > lentBytesMax) return undefined;
    this.#lent += size;
    let bytes: Uint8Array | undefined;
    try {
      bytes = this.#kept.get(sha256) ?? await this.#read({ sha256, size }, open);
    } finally {
      if (bytes === undefined) this.giveBack(size);
    }
    return bytes;
  }

  /** So many bytes that were lent have been sent, or never will be. */
  giveBack(bytes: number): void {
    this.#lent -= bytes;
  }

  #read(body: Body, open: () => BodyReader | undefined): Promise<Uint8Array | undefined> {
    const { sha256 } = body;
    let reading = this.#reading.get(sha256);
    if (reading === undefined) {
      reading = readWhole(body, open).finally(() => this.#reading.delete(sha256));
      this.#reading.set(sha256, reading);
      reading.then((bytes) => bytes && this.#kept.set(sha256, bytes, bytes.length), () => {});
    }
    return reading;
  }
}

/** A body that is not what it was is not there; whoever looks for it next finds that out as well. */
async function readWhole(
  { size }: Body,
  open: () => BodyReader | undefined,
): Promise<Uint8Array | undefined> {
  const reader = open();
  if (reader === undefined) return undefined;
  try {
    const bytes = new Uint8Array(size);
    let filled = 0;
    for await (const chunk of reader.chunks()) {
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
    return filled === size ? bytes : undefined;
  } catch (error) {
    if (error instanceof BodyDamagedError) return undefined;
    throw error;
  } finally {
    reader.close();
  }
}
