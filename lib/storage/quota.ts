/**
 * A quota: how many files a store may hold, and how many bytes in them.
 *
 * What would make it more than that is refused as on a full disk. What makes it no more is taken: a file
 * can always be deleted, or replaced by one that is no larger, however much there is.
 */
import { type FileRecord, inlineBytesMax } from "../ring/file_record.ts";

/** How many files a store may hold, unless told otherwise. */
export const filesMaxDefault = 10_000_000;

/** How much a store may hold. */
export interface QuotaOptions {
  /** Bytes in all files, each counted as often as it is there; any number if absent. */
  readonly bytesMax?: number | undefined;
  /** Files, tombstones not counted; {@linkcode filesMaxDefault} if absent. */
  readonly filesMax?: number | undefined;
}

/** Files, and the bytes in them: what is held, or by how much that grows. */
export interface Amount {
  readonly files: number;
  readonly bytes: number;
}

/** The quota of one store. */
export class Quota {
  readonly #bytesMax: number;
  readonly #filesMax: number;
  /** What was refused last, though never more than a small file. */
  #refused: Amount | undefined;

  constructor({ bytesMax = Infinity, filesMax = filesMaxDefault }: QuotaOptions = {}) {
    this.#bytesMax = bytesMax;
    this.#filesMax = filesMax;
  }

  /** Whether what is held may grow by so much. */
  takes(held: Amount, growth: Amount): boolean {
    if (this.#allows(held, growth)) return true;
    // What could not be held by an empty store says nothing of the others.
    if (growth.bytes <= this.#bytesMax) {
      this.#refused = { files: growth.files, bytes: Math.min(growth.bytes, inlineBytesMax) };
    }
    return false;
  }

  /** Whether it is reached: from the first refusal on, until there is room for such a file again. */
  isReached(held: Amount): boolean {
    if (this.#refused !== undefined && this.#allows(held, this.#refused)) this.#refused = undefined;
    return this.#refused !== undefined;
  }

  #allows(held: Amount, growth: Amount): boolean {
    return (growth.files <= 0 || held.files + growth.files <= this.#filesMax) &&
      (growth.bytes <= 0 || held.bytes + growth.bytes <= this.#bytesMax);
  }
}

/** By how much a store grows when `record` takes the place of `previous`. */
export function growthOf(
  record: Pick<FileRecord, "size" | "deleted">,
  previous: FileRecord | undefined,
): Amount {
  const [after, before] = [amountOf(record), amountOf(previous)];
  return { files: after.files - before.files, bytes: after.bytes - before.bytes };
}

/** Two amounts together. */
export function sumOf(a: Amount, b: Amount): Amount {
  return { files: a.files + b.files, bytes: a.bytes + b.bytes };
}

function amountOf(record: Pick<FileRecord, "size" | "deleted"> | undefined): Amount {
  if (record === undefined || record.deleted === true) return { files: 0, bytes: 0 };
  return { files: 1, bytes: record.size };
}
