/**
 * The compressor: files in compressed form, by the hash of what they are, each made once and kept for as long
 * as there is room.
 *
 * It works a little at a time: zlib holds up the event loop while it works, and a server that is held up
 * is taken for dead.
 */
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { constants, createBrotliCompress, createGzip } from "node:zlib";
import { logger } from "../log.ts";
import type { BodyReader } from "../storage/store.ts";
import { nextTurn } from "../storage/turn.ts";
import { ByteCache } from "./byte_cache.ts";
import type { Coding } from "./coding.ts";

/** How much of what was compressed is kept, in bytes. */
const compressedBytesMax = 8 * 1024 * 1024;

/** How many files are compressed at the same time. */
const underWayMax = 4;

/** How much is compressed in one turn of the event loop, in bytes. */
const sliceBytesMax = 32 * 1024;

const brotliQuality = 5;
const gzipLevel = 6;

const log = logger("web");

/** What is to be compressed. */
export interface Task {
  readonly sha256: string;
  readonly size: number;
  readonly coding: Coding;
  /** Opens the file; `undefined` if it is not there (any more). */
  readonly open: () => BodyReader | undefined;
}

/** A compressed file; `undefined` if that would not be smaller than the file. */
export type Compressed = Uint8Array | undefined;

/** Compresses files for one server. */
export class Compressor {
  readonly #done = new ByteCache<{ readonly bytes: Compressed }>(compressedBytesMax);
  readonly #underWay = new Map<string, Promise<Compressed>>();

  /** What is there already. */
  get(sha256: string, coding: Coding): Compressed {
    return this.#done.get(`${sha256}-${coding}`)?.bytes;
  }

  /**
   * Compresses a file, unless that was done before. Resolves to nothing if it would be no smaller, if it is not
   * there, or if too many others are being compressed. Never rejects.
   */
  compress(task: Task): Promise<Compressed> {
    const key = `${task.sha256}-${task.coding}`;
    const done = this.#done.get(key);
    if (done !== undefined) return Promise.resolve(done.bytes);
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return underWay;
    if (this.#underWay.size >= underWayMax) return Promise.resolve(undefined);
    const compressed = this.#compress(task, key).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, compressed);
    return compressed;
  }

  async #compress({ size, coding, open }: Task, key: string): Promise<Compressed> {
    let body: BodyReader | undefined;
    try {
      body = open();
      if (body === undefined || body.size !== size) return undefined;
      const compressed = await compressBody(body, coding);
      const bytes = compressed.length < size ? compressed : undefined;
      this.#done.set(key, { bytes }, bytes?.length ?? 0);
      return bytes;
    } catch (error) {
      // A store that is being closed, or too many open files: it is served as it is.
      log.debug(() => `cannot compress ${key}: ${String(error)}`);
      return undefined;
    } finally {
      body?.close();
    }
  }
}

async function compressBody(body: BodyReader, coding: Coding): Promise<Uint8Array> {
  const stream = coding === "br"
    ? createBrotliCompress({
      params: {
        [constants.BROTLI_PARAM_QUALITY]: brotliQuality,
        [constants.BROTLI_PARAM_SIZE_HINT]: body.size,
      },
    })
    : createGzip({ level: gzipLevel });
  const chunks: Uint8Array[] = [];
  const source = Readable.from(slices(body));
  source.on("error", (error) => stream.destroy(error));
  for await (const chunk of source.pipe(stream)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A body in pieces, with a turn of the event loop after each. */
async function* slices(body: BodyReader): AsyncGenerator<Uint8Array> {
  for await (const chunk of body.chunks()) {
    for (let start = 0; start < chunk.length; start += sliceBytesMax) {
      yield chunk.subarray(start, start + sliceBytesMax);
      await nextTurn();
    }
  }
}
