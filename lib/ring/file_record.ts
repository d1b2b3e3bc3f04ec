/**
 * A file record: what a server knows of one name. The body is apart, found by its SHA-256.
 *
 * Stamps order all writes of all servers (`stamp.ts`), and of two records of a name the one with the
 * greater stamp wins, on every server, always. A deletion is a record too, a tombstone: without it, a
 * server that missed the deletion would bring the file back.
 */
import type { Stamp } from "./stamp.ts";

/** What is known of one name. Immutable: a change is a new record. */
export interface FileRecord {
  readonly name: string;
  readonly stamp: Stamp;
  /** SHA-256 of the body, as 64 lower-case hexadecimal digits; empty in a tombstone. */
  readonly sha256: string;
  /** Bytes in the body; 0 in a tombstone. */
  readonly size: number;
  readonly contentType: string;
  /** Present, and true, in a tombstone. */
  readonly deleted?: true;
}

/** The SHA-256 of no bytes. Every store has this body, and none keeps it. */
export const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** The most bytes, as UTF-8, that a name may have. */
export const nameBytesMax = 1024;

/** The largest body, in bytes, that travels and is stored inside its record's message. */
export const inlineBytesMax = 64 * 1024;

/** The most records in one page of a list. */
export const pageRecordsMax = 256;

/**
 * Into how many buckets the records are divided, by the first byte of the SHA-256 of their names. Two
 * servers that differ find out where by comparing the digests of the buckets. Source: Dynamo
 * (DeCandia et al., 2007), section 4.7, without the inner nodes of its trees.
 */
export const bucketCount = 256;

/** Hexadecimal digits in the digest of a bucket: 64 bits. */
export const bucketDigits = 16;

/** Whether this record says that the file exists, and has a body too large to travel with it. */
export function hasLargeBody(record: FileRecord): boolean {
  return record.size > inlineBytesMax;
}
