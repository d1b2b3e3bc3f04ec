/**
 * Bodies that are streamed: files named by their SHA-256, in `bodies/<its first 2 digits>/`.
 *
 * A body is written under a random name in `bodies/tmp/`, and comes by its own in this order: fsync of
 * the file, rename, fsync of the directory. So a file under a hash is whole and durable. What a crash
 * leaves in `bodies/tmp/`, or without a record, is swept when the store is opened.
 * Source: Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014.
 */
import { emptySha256 } from "../ring/file_record.ts";
import { createHash } from "node:crypto";
import { chunkBytesMax, isSha256, rangeWithin } from "./body.ts";
import { makeDirectory, syncDirectory } from "./data_directory.ts";
import { attempt, diskError, fullError, isUnreadable } from "./disk_error.ts";
import { randomId } from "./random_id.ts";
import { BodyDamagedError, type BodyRange, type BodyReader, type BodyWriter } from "./store.ts";

/** What a body that is written tells, and is told. */
export interface CreateOptions {
  /** Is told the hash of the body as soon as it is here to stay. */
  readonly arrived: (sha256: string) => void;
  /** Whether what room there is must be left to others. */
  readonly isFull: () => boolean;
}

/** The files under `bodies/`. */
export class LargeBodies {
  readonly #directory: string;
  readonly #temporary: string;
  /** Readers and writers that are open. */
  readonly #open = new Set<{ close(): void }>();

  /** Uses, or makes, the directory, and removes what was never finished. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#temporary = `${directory}/tmp`;
    makeDirectory(this.#temporary);
    for (const { name } of Deno.readDirSync(this.#temporary)) {
      Deno.removeSync(`${this.#temporary}/${name}`, { recursive: true });
    }
    // A process that was killed may have made a directory here without making it durable.
    syncDirectory(directory);
  }

  /** Removes every body that `isNeeded` does not ask for. */
  sweep(isNeeded: (sha256: string) => boolean): void {
    for (const { name: folder } of Deno.readDirSync(this.#directory)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      for (const { name: sha256 } of Deno.readDirSync(`${this.#directory}/${folder}`)) {
        if (isSha256(sha256) && !isNeeded(sha256)) this.remove(sha256);
      }
    }
  }

  has(sha256: string): boolean {
    return isSha256(sha256) && ifFound(() => Deno.statSync(this.#pathOf(sha256))) !== undefined;
  }

  /** The bytes in a body; `undefined` if it is not here. */
  sizeOf(sha256: string): number | undefined {
    if (!isSha256(sha256)) return undefined;
    return ifFound(() => Deno.statSync(this.#pathOf(sha256)))?.size;
  }

  /** Opens a body; who reads it can read on even when it is removed. */
  open(sha256: string): BodyReader | undefined {
    return this.#openFile(sha256);
  }

  #openFile(sha256: string): FileReader | undefined {
    if (!isSha256(sha256)) return undefined;
    const file = ifFound(() => Deno.openSync(this.#pathOf(sha256)));
    if (file === undefined) return undefined;
    const reader = new FileReader(file, { sha256, closed: () => this.#open.delete(reader) });
    this.#open.add(reader);
    return reader;
  }

  /** Begins a body. */
  create({ arrived, isFull }: CreateOptions): BodyWriter {
    const path = `${this.#temporary}/${randomId()}`;
    const file = attempt(
      "write a body",
      () => Deno.openSync(path, { createNew: true, write: true }),
    );
    const writer = new FileWriter(file, {
      path,
      isFull,
      keep: (sha256) => {
        this.#keep(path, sha256);
        arrived(sha256);
      },
      ended: () => this.#open.delete(writer),
    });
    this.#open.add(writer);
    return writer;
  }

  /** Whether there was such a body to remove. */
  remove(sha256: string): boolean {
    if (!isSha256(sha256)) return false;
    return ifFound(() => (Deno.removeSync(this.#pathOf(sha256)), true)) ?? false;
  }

  /** Reads a body, and removes it if it is damaged. */
  async scrub(sha256: string): Promise<void> {
    const reader = this.#openFile(sha256);
    if (reader === undefined) return;
    try {
      if (await isWhole(reader)) return;
      // While it was read an equal body may have come, and have taken the place of the file.
      if (reader.isAt(this.#pathOf(sha256))) this.remove(sha256);
    } finally {
      reader.close();
    }
  }

  /** Closes what is open; bodies that are not finished are lost. */
  close(): void {
    for (const file of [...this.#open]) file.close();
  }

  /**
   * Gives the file at `path` its name. All at once, without `await`: a body that can be found is one
   * whose name is durable, or a record could be acknowledged before its body is.
   */
  #keep(path: string, sha256: string): void {
    const folder = `${this.#directory}/${sha256.slice(0, 2)}`;
    makeDirectory(folder);
    // Opened first: if there are too many open files, nothing has happened yet.
    using directory = Deno.openSync(folder);
    Deno.renameSync(path, this.#pathOf(sha256));
    directory.syncSync();
  }

  #pathOf(sha256: string): string {
    return `${this.#directory}/${sha256.slice(0, 2)}/${sha256}`;
  }
}

class FileReader implements BodyReader {
  readonly size: number;
  readonly #file: Deno.FsFile;
  readonly #sha256: string;
  readonly #closed: () => void;
  #isOpen = true;

  constructor(file: Deno.FsFile, { sha256, closed }: { sha256: string; closed: () => void }) {
    this.#file = file;
    this.#sha256 = sha256;
    this.#closed = closed;
    this.size = file.statSync().size;
  }

  /** Hashed while it is read, and cut before its end if it is not what it was. */
  async *chunks(range?: BodyRange): AsyncGenerator<Uint8Array> {
    const { start, end } = rangeWithin(this.size, range);
    const hash = start === 0 && end === this.size ? createHash("sha256") : undefined;
    await this.#file.seek(start, Deno.SeekMode.Start);
    for (let left = end - start; left > 0;) {
      const chunk = new Uint8Array(Math.min(left, chunkBytesMax));
      const count = await this.#file.read(chunk);
      if (count === null) {
        throw new BodyDamagedError(`Cannot read a body: ${left} of its bytes are not there`);
      }
      left -= count;
      const bytes = chunk.subarray(0, count);
      hash?.update(bytes);
      if (left === 0 && hash !== undefined && hash.digest("hex") !== this.#sha256) {
        throw new BodyDamagedError("Cannot read a body: its bytes are not what they were");
      }
      yield bytes;
    }
  }

  /** Whether the file at `path` is the one that is read. */
  isAt(path: string): boolean {
    const here = this.#file.statSync();
    const there = ifFound(() => Deno.statSync(path));
    return there !== undefined && there.ino === here.ino && there.dev === here.dev;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.close();
    this.#closed();
  }
}

/** Whether a body is what it was; what the disk cannot read is not. */
async function isWhole(reader: BodyReader): Promise<boolean> {
  try {
    // A reading to the end is what finds out.
    for await (const _ of reader.chunks());
    return reader.size > 0;
  } catch (error) {
    if (isUnreadable(error) || error instanceof BodyDamagedError) return false;
    throw error;
  }
}

interface FileWriterOptions {
  readonly path: string;
  readonly isFull: () => boolean;
  /** Gives the file, which is durable, the name of its hash. */
  readonly keep: (sha256: string) => void;
  readonly ended: () => void;
}

class FileWriter implements BodyWriter {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  readonly #keep: (sha256: string) => void;
  readonly #ended: () => void;
  readonly #isFull: () => boolean;
  readonly #hash = createHash("sha256");
  #size = 0;
  #isOpen = true;

  constructor(file: Deno.FsFile, { path, keep, ended, isFull }: FileWriterOptions) {
    this.#file = file;
    this.#path = path;
    this.#keep = keep;
    this.#ended = ended;
    this.#isFull = isFull;
  }

  async write(chunk: Uint8Array): Promise<void> {
    const written = this.#writeAll(chunk);
    // Hashed while the file is written.
    this.#hash.update(chunk);
    this.#size += chunk.length;
    await written;
  }

  /** Ends the writer even when it throws; an `abort` after that does nothing. */
  async commit(): Promise<{ sha256: string; size: number }> {
    try {
      await this.#file.sync();
      const sha256 = this.#hash.digest("hex");
      // The rename replaces a body that is there already: by the same bytes, only newer.
      if (sha256 !== emptySha256) this.#keep(sha256);
      return { sha256, size: this.#size };
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.close();
    }
  }

  abort(): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** Closes the file, and removes it if it still has its temporary name. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.close();
    this.#ended();
    ifFound(() => Deno.removeSync(this.#path));
  }

  async #writeAll(chunk: Uint8Array): Promise<void> {
    try {
      if (this.#isOpen && this.#isFull()) throw fullError("write a body");
      for (let offset = 0; offset < chunk.length;) {
        offset += await this.#file.write(chunk.subarray(offset));
      }
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** Gives its room back at once, and lets no `commit` follow; returns what to throw. */
  #fail(error: unknown): unknown {
    if (!this.#isOpen) return new Error("Cannot write a body: its writer is closed");
    this.close();
    return diskError("write a body", error);
  }
}

/** What `body` returns, or `undefined` if the file is not there. */
function ifFound<Result>(body: () => Result): Result | undefined {
  try {
    return body();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
