/**
 * What all records of a store come to, kept as they change so that nobody has to read them all.
 *
 * XOR undoes itself and does not mind the order: to replace a record is to XOR the old one out and the
 * new one in, and two stores with the same records have the same digest however they came by them.
 * Totals are immutable. A batch makes new ones, and if it is rolled back the old ones still stand.
 */
import { createHash } from "node:crypto";
import type { FileRecord } from "../ring/file_record.ts";
import { type Stamp, stampZero } from "../ring/stamp.ts";
import type { StoreSummary } from "./store.ts";

/** What all records of a store come to. */
export interface RecordTotals {
  /** Records that are no tombstones. */
  readonly files: number;
  /** What their bodies come to, each counted as often as it is referred to. */
  readonly bytes: number;
  /** The XOR of the hashes of all records, tombstones too: 256 bits. */
  readonly digest: bigint;
  /** The highest stamp of any record; it never sinks, as only a higher one replaces it. */
  readonly highestStamp: Stamp;
}

/** What no records come to. */
export const noRecords: RecordTotals = { files: 0, bytes: 0, digest: 0n, highestStamp: stampZero };

const digestHexDigits = 64;

/** The totals after `record` has taken the place of `previous`, or has come as the first of its name. */
export function replaceRecord(
  totals: RecordTotals,
  { previous, record }: { previous: FileRecord | undefined; record: FileRecord },
): RecordTotals {
  const before = previous === undefined ? noRecords : totalsOf(previous);
  const after = totalsOf(record);
  return {
    files: totals.files - before.files + after.files,
    bytes: totals.bytes - before.bytes + after.bytes,
    digest: totals.digest ^ before.digest ^ after.digest,
    highestStamp: totals.highestStamp > record.stamp ? totals.highestStamp : record.stamp,
  };
}

/** Whether two stores with these totals hold the same records. */
export function equalTotals(a: RecordTotals, b: RecordTotals): boolean {
  return a.files === b.files && a.bytes === b.bytes && a.digest === b.digest;
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

/** The totals as others see them. */
export function summarise({ files, bytes, digest }: RecordTotals): StoreSummary {
  return { files, bytes, digest: formatDigest(digest) };
}

function totalsOf(record: FileRecord): RecordTotals {
  const { name, stamp, sha256 } = record;
  const hash = createHash("sha256").update(`${name}\0${stamp}\0${sha256}`).digest("hex");
  return {
    files: record.deleted ? 0 : 1,
    bytes: record.deleted ? 0 : record.size,
    digest: parseDigest(hash),
    highestStamp: stamp,
  };
}
