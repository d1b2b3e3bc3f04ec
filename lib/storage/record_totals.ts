/**
 * What all records of a store come to, kept as they change so that nobody has to read them all.
 *
 * XOR undoes itself and does not mind the order: to replace a record is to XOR the old one out and the
 * new one in, and two stores with the same records have the same digests however they came by them.
 * Totals are immutable. A batch makes new ones, and if it is rolled back the old ones still stand.
 */
import { hash } from "node:crypto";
import type { FileRecord } from "../ring/file_record.ts";
import { type Stamp, stampZero } from "../ring/stamp.ts";
import { bucketOf, bucketsBytes, toggleBucket } from "./bucket.ts";
import type { StoreSummary } from "./store.ts";

/** What all records of a store come to. */
export interface RecordTotals {
  /** Records that are no tombstones. */
  readonly files: number;
  /** What their bodies come to, each counted as often as it is referred to. */
  readonly bytes: number;
  /** The XOR of the hashes of all records, tombstones too: 256 bits. */
  readonly digest: bigint;
  /** The XOR of the first 64 bits of these hashes, for each bucket (`bucket.ts`); never written to. */
  readonly buckets: Uint8Array;
  /** The highest stamp that any record has had; it never sinks, whatever is dropped. */
  readonly highestStamp: Stamp;
}

/** A record takes the place of another, or comes as the first of its name, or goes. */
export interface RecordChange {
  readonly name: string;
  readonly previous: FileRecord | undefined;
  readonly record: FileRecord | undefined;
}

/** What no records come to. */
export const noRecords: RecordTotals = {
  files: 0,
  bytes: 0,
  digest: 0n,
  buckets: new Uint8Array(bucketsBytes),
  highestStamp: stampZero,
};

const digestHexDigits = 64;

/** The bits of a record's hash that do not count in the digest of its bucket. */
const bitsBelowBucket = 192n;

/** The totals after these changes. */
export function changeTotals(
  totals: RecordTotals,
  changes: readonly RecordChange[],
): RecordTotals {
  const sum = { ...totals, buckets: totals.buckets.slice() };
  for (const { name, previous, record } of changes) {
    const hashes = count(sum, previous, -1) ^ count(sum, record, +1);
    sum.digest ^= hashes;
    toggleBucket(sum.buckets, bucketOf(name), hashes >> bitsBelowBucket);
  }
  return sum;
}

/** The higher one of two stamps. */
export function higherStamp(a: Stamp, b: Stamp): Stamp {
  return a > b ? a : b;
}

/** Whether two stores with these totals hold the same records. */
export function equalTotals(a: RecordTotals, b: RecordTotals): boolean {
  return a.files === b.files && a.bytes === b.bytes && a.digest === b.digest &&
    formatBuckets(a.buckets) === formatBuckets(b.buckets);
}

/** The digest as text, as `summary` gives it and the disk keeps it. */
export function formatDigest(digest: bigint): string {
  return digest.toString(16).padStart(digestHexDigits, "0");
}

/** Reads what {@linkcode formatDigest} wrote; 0 if it is damaged, which a scrub puts right. */
export function parseDigest(text: string): bigint {
  if (!/^[0-9a-f]{64}$/.test(text)) return 0n;
  return BigInt(`0x${text}`);
}

/** The digests of all buckets as text. */
export function formatBuckets(buckets: Uint8Array): string {
  return buckets.toHex();
}

/** Takes what the disk has kept; zeros if it is damaged, which a scrub puts right. */
export function parseBuckets(stored: unknown): Uint8Array {
  const isSound = stored instanceof Uint8Array && stored.length === bucketsBytes;
  return isSound ? stored : noRecords.buckets;
}

/** The totals as others see them. */
export function summarise({ files, bytes, digest }: RecordTotals): StoreSummary {
  return { files, bytes, digest: formatDigest(digest) };
}

/** Adds a record, or takes it away; returns its hash, of which the digests are made. */
function count(
  sum: { files: number; bytes: number; highestStamp: Stamp },
  record: FileRecord | undefined,
  times: 1 | -1,
): bigint {
  if (record === undefined) return 0n;
  const { name, stamp, sha256, size, deleted } = record;
  if (!deleted) {
    sum.files += times;
    sum.bytes += times * size;
  }
  sum.highestStamp = higherStamp(sum.highestStamp, stamp);
  return BigInt(`0x${hash("sha256", `${name}\0${stamp}\0${sha256}`, "hex")}`);
}
