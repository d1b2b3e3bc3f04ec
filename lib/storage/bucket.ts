/**
 * Buckets: into how many parts the records are divided, so that two servers find out by few digests
 * where they differ. The bucket of a name is the first byte of its SHA-256.
 *
 * The digests of all buckets are kept as bytes, 8 for each, big endian: as text they are `digests`, as
 * they are they go to disk.
 */
import { hash } from "node:crypto";
import { assert } from "../ring/assert.ts";
import { bucketCount, bucketDigits, type FileRecord } from "../ring/file_record.ts";

const bucketBytes = bucketDigits / 2;

/** The bytes of the digests of all buckets. */
export const bucketsBytes = bucketCount * bucketBytes;

/** Which buckets to read, and from where on. */
export interface CompareOptions {
  /** The digests of the buckets elsewhere, as text. */
  readonly digests: string;
  /** The name after which to go on; empty at first. */
  readonly after: string;
  readonly limit: number;
}

/** Which records of a bucket to read. */
export interface BucketRange {
  /** Only names after this one. */
  readonly after: string;
  readonly limit: number;
}

/** The bucket of a name, from 0. */
export function bucketOf(name: string): number {
  return parseInt(hash("sha256", name, "hex").slice(0, 2), 16);
}

/** XORs 64 bits into the digest of a bucket. */
export function toggleBucket(digests: Uint8Array, bucket: number, bits: bigint): void {
  const view = new DataView(digests.buffer, digests.byteOffset, digests.byteLength);
  const offset = bucket * bucketBytes;
  view.setBigUint64(offset, view.getBigUint64(offset) ^ bits);
}

/**
 * The records of the buckets whose digests are not `own`, in the order of (bucket, bytes of the name).
 * `read` gives those of one bucket.
 */
export function readDiffering(
  { own, digests, after, limit }: CompareOptions & { own: string },
  read: (bucket: number, range: BucketRange) => readonly FileRecord[],
): FileRecord[] {
  assert(Number.isInteger(limit) && limit > 0, `a comparison is limited to ${limit} records`);
  assert(digests.length === own.length, `the digests have ${digests.length} digits`);
  const found: FileRecord[] = [];
  const first = after === "" ? 0 : bucketOf(after);
  for (let bucket = first; bucket < bucketCount && found.length < limit; bucket++) {
    if (digestOf(digests, bucket) === digestOf(own, bucket)) continue;
    const range = { after: bucket === first ? after : "", limit: limit - found.length };
    for (const record of read(bucket, range)) found.push(record);
  }
  return found;
}

function digestOf(digests: string, bucket: number): string {
  return digests.slice(bucket * bucketDigits, (bucket + 1) * bucketDigits);
}
