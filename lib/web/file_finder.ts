/**
 * The file finder: finds a file on this server's disk, or asks the ring while that may be outdated.
 */
import type { FileRecord } from "../ring/file_record.ts";
import type { Ask } from "../ring/step.ts";
import type { Backend } from "./backend.ts";
import { type Coding, codings, sidecarEndings } from "./coding.ts";
import { FileCache, isSidecarOf, type ServedFile, type Sidecars } from "./file_cache.ts";
import { representIdentity } from "./representation.ts";

/** What came of looking for a file. */
export type Found =
  | { readonly outcome: "found"; readonly file: ServedFile }
  | { readonly outcome: "absent" }
  | { readonly outcome: "failed"; readonly status: number; readonly detail: string };

const absent: Found = { outcome: "absent" };

/** Finds files for one web front. */
export class FileFinder {
  readonly #backend: Backend;
  readonly #cacheControl: string;
  readonly #cache: FileCache;

  constructor(backend: Backend, cacheControl: string) {
    this.#backend = backend;
    this.#cacheControl = cacheControl;
    this.#cache = new FileCache(backend, cacheControl);
  }

  /** Finds a file without waiting; `undefined` if it is not here, or may not be answered from here. */
  findHere(name: string): ServedFile | undefined {
    return this.#backend.isCurrent ? this.#cache.get(name) : undefined;
  }

  /**
   * Finds a file, here or anywhere: one that was lost here, as by damage, is not absent. Who gets it
   * closes its `reader`.
   */
  async find(name: string): Promise<Found> {
    const file = this.findHere(name);
    if (file !== undefined) return { outcome: "found", file };
    if (this.#backend.isCurrent && this.#backend.look(name)?.deleted === true) return absent;
    return await this.#ask({ type: "GET", item: name });
  }

  /** Finds a file that was not asked for by its name: the ring is asked only while this is no copy. */
  async findBeside(name: string): Promise<Found> {
    if (!this.#backend.isCurrent) return await this.#ask({ type: "GET", item: name });
    const file = this.#cache.get(name);
    return file === undefined ? absent : { outcome: "found", file };
  }

  /** Finds a file whose body is not here although its record is. */
  async findElsewhere(name: string): Promise<Found> {
    return await this.#ask({ type: "GET", item: name, bodyLost: true });
  }

  /** Whether there is a file of this name; `false` if nobody knows. */
  async exists(name: string): Promise<boolean> {
    const found = await this.findBeside(name);
    if (found.outcome === "found") found.file.reader?.close();
    return found.outcome === "found";
  }

  /** A file's sidecars. Who gets them closes their readers. */
  async findSidecars(file: ServedFile): Promise<Sidecars> {
    if (this.#backend.isCurrent) return this.#cache.sidecars(file);
    const sidecars: Partial<Record<Coding, ServedFile>> = {};
    for (const coding of codings) {
      const found = await this.findBeside(file.record.name + sidecarEndings[coding]);
      if (found.outcome !== "found") continue;
      if (isSidecarOf(found.file.record, file.record)) sidecars[coding] = found.file;
      else found.file.reader?.close();
    }
    return sidecars;
  }

  async #ask(ask: Extract<Ask, { type: "GET" }>): Promise<Found> {
    const { answer, body: reader } = await this.#backend.request(ask);
    const { status, sha256, size, contentType, stamp, error } = answer;
    const isWhole = reader !== undefined && sha256 !== undefined && size !== undefined &&
      contentType !== undefined && stamp !== undefined;
    if (status === 200 && isWhole) {
      const record: FileRecord = { name: ask.item, sha256, size, contentType, stamp };
      const identity = representIdentity(record, this.#cacheControl);
      return { outcome: "found", file: { record, identity, reader } };
    }
    reader?.close();
    if (status === 404) return absent;
    const detail = error ?? "The ring has not told what has become of this file";
    return { outcome: "failed", status: status === 200 ? 503 : status, detail };
  }
}
