/**
 * The file cache: what was served lately, ready to be served again.
 *
 * It is never older than the disk: an entry counts only while the backend's `filesVersion` is the one that it
 * was looked at with, and is looked at again when that has changed. It is of no use while the server may
 * not answer from its own disk, and is not asked then.
 *
 * A file is kept when it is asked for a second time before long: of many files that are asked for once, none
 * would be there any more when it is asked for again, and all would have to be collected as garbage.
 */
import { type FileRecord, inlineBytesMax } from "../ring/file_record.ts";
import type { BodyReader } from "../storage/store.ts";
import type { Backend } from "./backend.ts";
import { ByteCache } from "./byte_cache.ts";
import { type Coding, codings, sidecarEndings } from "./coding.ts";
import { type Representation, representIdentity } from "./representation.ts";

/** How much the cache may take, in bytes; compressed files are apart (`compressor.ts`). */
const cacheBytesMax = 24 * 1024 * 1024;

/** How many names are remembered that were asked for once. */
const askedMax = 8192;

/** Files that are there in compressed form as well. */
export type Sidecars = Readonly<Partial<Record<Coding, ServedFile>>>;

/** A file that can be served. */
export interface ServedFile {
  readonly record: FileRecord;
  readonly identity: Representation;
  /** Its body, if that is small. */
  readonly bytes?: Uint8Array;
  /** Its body, open, if it was had from the ring; who has this file closes it. */
  readonly reader?: BodyReader;
}

interface Entry extends ServedFile {
  /** The version of the files at which the record was found to be as it is here. */
  version: number;
  /** Looked for when they were needed first, at a version. */
  sidecars?: { readonly version: number; readonly found: Sidecars };
}

/** Files of one server's disk. */
export class FileCache {
  readonly #backend: Backend;
  readonly #cacheControl: string;
  readonly #entries = new ByteCache<Entry>(cacheBytesMax);
  /** What was asked for lately, and is not kept. */
  readonly #asked = new Set<string>();

  constructor(backend: Backend, cacheControl: string) {
    this.#backend = backend;
    this.#cacheControl = cacheControl;
  }

  /** A file of this server's disk; ask only if the backend is current. */
  get(name: string): ServedFile | undefined {
    return this.#get(name);
  }

  /** A file's sidecars, as they are on this server's disk. */
  sidecars(file: ServedFile): Sidecars {
    const { name } = file.record;
    const entry = this.#get(name);
    if (entry === undefined) return this.#findSidecars(file.record);
    if (entry.sidecars?.version !== entry.version) {
      entry.sidecars = { version: entry.version, found: this.#findSidecars(entry.record) };
    }
    return entry.sidecars.found;
  }

  #get(name: string): Entry | undefined {
    const known = this.#entries.get(name);
    const version = this.#backend.filesVersion;
    if (known?.version === version) return known;
    const record = this.#backend.look(name);
    if (record === undefined || record.deleted === true) {
      this.#entries.delete(name);
      return undefined;
    }
    if (known?.record.stamp !== record.stamp) {
      return this.#add(record, { version, isWanted: known !== undefined });
    }
    known.version = version;
    return known;
  }

  #add(
    record: FileRecord,
    { version, isWanted }: { version: number; isWanted: boolean },
  ): Entry {
    const identity = representIdentity(record, this.#cacheControl);
    const bytes = record.size > inlineBytesMax ? undefined : this.#read(record);
    const entry = { record, identity, version, ...(bytes === undefined ? {} : { bytes }) };
    const isLost = bytes === undefined && record.size <= inlineBytesMax;
    if (!isLost && (isWanted || this.#isAskedAgain(record.name))) {
      this.#entries.set(record.name, entry, record.name.length + (bytes?.length ?? 0));
    }
    return entry;
  }

  #isAskedAgain(name: string): boolean {
    if (this.#asked.delete(name)) return true;
    if (this.#asked.size >= askedMax) this.#asked.clear();
    this.#asked.add(name);
    return false;
  }

  #read({ sha256 }: FileRecord): Uint8Array | undefined {
    const reader = this.#backend.openBody(sha256);
    try {
      return reader?.bytes;
    } finally {
      reader?.close();
    }
  }

  #findSidecars(record: FileRecord): Sidecars {
    const found: Partial<Record<Coding, ServedFile>> = {};
    for (const coding of codings) {
      const sidecar = this.#get(record.name + sidecarEndings[coding]);
      if (sidecar !== undefined && isSidecarOf(sidecar.record, record)) found[coding] = sidecar;
    }
    return found;
  }
}

/** Whether a sidecar may be of this version of a file: an older one is of one that was replaced since. */
export function isSidecarOf(sidecar: FileRecord, { stamp }: FileRecord): boolean {
  return sidecar.stamp >= stamp;
}
