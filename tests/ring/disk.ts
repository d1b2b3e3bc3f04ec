/** The disk of server A in the tests: a store in memory, as the core knows it. */
import { bucketCount, bucketDigits, type FileRecord } from "../../lib/ring/file_record.ts";
import { compareText } from "../../lib/ring/member.ts";
import type { Stamp } from "../../lib/ring/stamp.ts";
import type { RecordWrite, WriteOutcome } from "../../lib/ring/step.ts";
import { sha256 } from "./sample.ts";

/** One server's disk. */
export class Disk {
  readonly records = new Map<string, FileRecord>();
  readonly bodies = new Set<string>();
  full = false;

  /** Puts a record there that the server has had all along. */
  add(record: FileRecord): void {
    this.records.set(record.name, record);
    this.bodies.add(record.sha256);
  }

  /** Loses the record of a name, or its body, as a scrub does with what is damaged. */
  lose(name: string, part: "record" | "body"): void {
    this.bodies.delete(this.records.get(name)?.sha256 ?? "");
    if (part === "record") this.records.delete(name);
  }

  /** The digest of the files. */
  get digest(): string {
    return sha256(this.sorted.map((record) => `${record.name} ${record.stamp}`).join("\n"));
  }

  /** The digests of all buckets, one after the other. */
  get digests(): string {
    const buckets = Array.from({ length: bucketCount }, (): string[] => []);
    for (const { name, stamp } of this.sorted) buckets[bucketOf(name)]?.push(`${name} ${stamp}`);
    return buckets.map((bucket) => digestOf(bucket)).join("");
  }

  /** All records in the order of their names. */
  get sorted(): readonly FileRecord[] {
    return [...this.records.values()].sort((a, b) => compareText(a.name, b.name));
  }

  /** Some records of the buckets that differ, and the name of the last one if there are more. */
  compare({ digests, after, limit }: { digests: string; after: string; limit: number }): {
    readonly records: readonly FileRecord[];
    readonly next?: string;
  } {
    const own = this.digests;
    const later = inBuckets(
      this.sorted.filter(({ name }) =>
        digestAt(own, name) !== digestAt(digests, name) &&
        (after === "" || compareInBuckets(name, after) > 0)
      ),
    );
    const records = later.slice(0, limit);
    const end = records.at(-1);
    return end === undefined || later.length <= limit ? { records } : { records, next: end.name };
  }

  /** Drops tombstones whose stamp is not above `upTo`, and tells how many. */
  collect({ upTo, limit }: { upTo: Stamp; limit: number }): number {
    const dropped = this.sorted
      .filter(({ deleted, stamp }) => deleted === true && stamp <= upTo)
      .slice(0, limit);
    for (const { name } of dropped) this.records.delete(name);
    return dropped.length;
  }

  /** Stores a record unless a newer one is there, or this very one, whole. */
  write({ record, body }: RecordWrite): WriteOutcome {
    const previous = this.records.get(record.name);
    if (previous !== undefined && previous.stamp >= record.stamp) {
      const isBare = previous.stamp === record.stamp && !this.#isWhole(previous);
      if (!isBare) return { outcome: "superseded", previous };
    }
    if (body === undefined && !this.#isWhole(record)) return { outcome: "bodyMissing" };
    if (this.full) return { outcome: "full" };
    this.add(record);
    const isReplaced = previous !== undefined && previous.stamp < record.stamp;
    return { outcome: "stored", ...(isReplaced ? { previous } : {}) };
  }

  #isWhole({ deleted, sha256 }: FileRecord): boolean {
    return deleted === true || this.bodies.has(sha256);
  }
}

/** Records in the order of (bucket, name). */
export function inBuckets(records: readonly FileRecord[]): FileRecord[] {
  return [...records].sort((a, b) => compareInBuckets(a.name, b.name));
}

/** The bucket of a name: the first byte of its hash. */
export function bucketOf(name: string): number {
  return parseInt(sha256(name).slice(0, 2), 16);
}

/** The digests of the buckets of a server that holds nothing. */
export const noDigests = new Disk().digests;

function compareInBuckets(a: string, b: string): number {
  return bucketOf(a) - bucketOf(b) || compareText(a, b);
}

function digestAt(digests: string, name: string): string {
  const start = bucketOf(name) * bucketDigits;
  return digests.slice(start, start + bucketDigits);
}

function digestOf(bucket: readonly string[]): string {
  return bucket.length === 0
    ? "0".repeat(bucketDigits)
    : sha256(bucket.join("\n")).slice(0, bucketDigits);
}
