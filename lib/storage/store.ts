/**
 * The Store: what a server keeps. One interface, kept in memory or on disk; one suite tests both.
 *
 * The list is durable when the call that saves it returns: the shell can then send without waiting for
 * anything else. Records can be read when the call that writes them returns, and are durable after a
 * `sync`: only then may the shell acknowledge them. Small bodies travel and are stored with their
 * record, in the same transaction. Large bodies (above `inlineBytesMax`) are
 * streamed to storage first, found by their SHA-256, and referred to by a record afterwards.
 */
import type { FileRecord } from "../ring/file_record.ts";
import type { MemberId } from "../ring/member.ts";
import type { Stamp } from "../ring/stamp.ts";
import type { RecordWrite, SavedRing, StoredRing, WriteOutcome } from "../ring/step.ts";

/** Which records to list. */
export interface ScanOptions {
  readonly prefix?: string;
  /** Only names after this one. */
  readonly after?: string;
  readonly limit: number;
  /** Whether to list tombstones too. */
  readonly tombstones: boolean;
}

/** How many files there are, tombstones not counted, and what they come to. */
export interface StoreSummary {
  readonly files: number;
  readonly bytes: number;
  /**
   * The XOR of SHA-256(`name \0 stamp \0 sha256`) over all records, tombstones too, as 64
   * hexadecimal digits; equal on two servers when, and only when, they hold the same records.
   */
  readonly digest: string;
}

/** A part of a body: the bytes from `start` up to, but not with, `end`. */
export interface BodyRange {
  readonly start: number;
  readonly end: number;
}

/** An open body. Close it when done, whether or not it was read to the end. */
export interface BodyReader {
  readonly size: number;
  /** The whole body, if it is small. */
  readonly bytes?: Uint8Array;
  /**
   * The body, or the part of it that `range` names, in chunks of at most 256 KiB; each is the caller's
   * to keep. One reading at a time. A body from a file that is read as a whole is verified by its hash;
   * a part of it is not.
   * @throws {BodyDamagedError} Instead of the last chunk, if it is not what it was.
   */
  chunks(range?: BodyRange): AsyncIterable<Uint8Array>;
  close(): void;
}

/** Takes a large body as it arrives. Ends with exactly one `commit` or `abort`. */
export interface BodyWriter {
  write(chunk: Uint8Array): Promise<void>;
  /** Makes the body durable under its hash, and returns that; idempotent for equal bodies. */
  commit(): Promise<{ sha256: string; size: number }>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}

/** What one step of a scrub found. */
export interface ScrubResult {
  /**
   * The names whose record or body was damaged, or whose body is missing: to be had from a neighbour.
   * The name of a damaged record may itself be damaged.
   */
  readonly damaged: readonly string[];
  /** Whether the totals were not what the records come to, and were put right. */
  readonly totalsRepaired: boolean;
  /** Where the next step goes on; absent when all records have been checked. */
  readonly next?: string;
}

/** What a server keeps. */
export interface Store {
  /** Made at random when the store was created, and kept. */
  readonly id: MemberId;
  /**
   * Whether the store takes only what must not fail, tombstones and the list: true from the first
   * write that is refused for want of room until there is room again. Asking looks for it, at most
   * once a second, so that a server which refuses all writes early still finds it. It is true as well
   * while the quota is reached; then what makes the store no larger is taken, too.
   * @throws {StoreFailedError} If the disk fails meanwhile.
   */
  readonly isFull: boolean;
  /**
   * What there is no room for a file of this name and size by: the disk, or the quota of the store.
   * `undefined` if there is, as far as can be told before it is written.
   * @throws {StoreFailedError} If the disk fails meanwhile.
   */
  lacksRoomFor(name: string, size: number): "disk" | "quota" | undefined;
  /** What was saved and written before. */
  load(): StoredRing;
  /**
   * Saves what this server says of itself and its list; durable on return. Room is kept in reserve
   * for it. `load` gives the ceiling as the highest stamp if no record has a higher one.
   * @throws {StoreFullError} If even the reserve is used up.
   */
  save(ring: SavedRing): void;
  /** A record that was damaged, and so is not what was written, is not there: for `scan`, too. */
  look(name: string): FileRecord | undefined;
  /** Records in the order of the bytes of their names. */
  scan(options: ScanOptions): FileRecord[];
  /**
   * The digests of all buckets (`bucketCount`), each of `bucketDigits` hexadecimal digits, one after
   * the other. That of a bucket is the XOR of the first 64 bits of the hashes that `summary` combines.
   */
  digests(): string;
  /**
   * Records, tombstones too, of the buckets whose digests are not those in `digests`, in the order of
   * (bucket, bytes of the name), after the name `after`; from the start if that is empty.
   */
  compare(options: { digests: string; after: string; limit: number }): FileRecord[];
  /**
   * Drops up to `limit` tombstones whose stamps are not above `upTo`, the oldest first, and returns how
   * many; durable on return. The highest stamp does not sink. Room is kept in reserve for
   * `pageRecordsMax` of them.
   * @throws {StoreFullError} If even the reserve is used up.
   */
  collect(options: { upTo: Stamp; limit: number }): number;
  /**
   * Stores what is newer than what is there, in as few transactions as may be; durable after a `sync`
   * that begins later. A crash before that may lose the last transactions, but no part of one alone.
   * When there is no room for one its tombstones are stored all the same, as long as the reserve lasts,
   * and what else would be stored is `full`.
   *
   * A record that is there already, but without its body, is news as well: `stored` if the body comes
   * with it, else `bodyMissing`. A large body is there again as soon as it is committed.
   */
  write(batch: readonly RecordWrite[]): WriteOutcome[];
  /**
   * Makes durable what was written. One at a time; it ends early when the store is closed.
   */
  sync(): Promise<void>;
  hasBody(sha256: string): boolean;
  openBody(sha256: string): BodyReader | undefined;
  /**
   * Takes a large body ahead of its record. If the record does not come in five minutes, or 1,024
   * bodies wait, the oldest first, the body is let go; a record that comes later is `bodyMissing`.
   * @throws {StoreFullError} If there is no room.
   */
  createBody(): BodyWriter;
  summary(): StoreSummary;
  /**
   * Checks up to `limit` records after a name against what is stored: one step of a pass that begins
   * after `""` and goes on after each result's `next`. Writes may come between the steps, and while a
   * large body is read.
   *
   * A record proves itself by its checksum, a body by its SHA-256. What is damaged is removed, record
   * or body, so that it is neither served nor sent, and a write of it from elsewhere is taken in its
   * place. At the end of a pass that left nothing out the totals are compared with what the records
   * come to, and put right, so that the digest shows a neighbour what is missing here.
   *
   * A store that is closed meanwhile ends the pass with nothing found.
   */
  scrub(after: string, limit: number): Promise<ScrubResult>;
  close(): void;
}

/** A body that was read is not what it was: it is damaged, and the next scrub will find it. */
export class BodyDamagedError extends Error {
  override readonly name = "BodyDamagedError";
}

/** There is no room left to write; the store can still be read. */
export class StoreFullError extends Error {
  override readonly name = "StoreFullError";
}

/**
 * The disk failed: what it holds is not known any more, so the server must stop and start again from
 * what it finds. After a failed fsync the kernel may have dropped what it could not write, and another
 * fsync would report success. Source: Rebello et al., "Can Applications Recover from fsync Failures?",
 * USENIX ATC 2020.
 */
export class StoreFailedError extends Error {
  override readonly name = "StoreFailedError";
}

/** The store cannot be opened: another process has it, or it is not a store, or not permitted. */
export class StoreOpenError extends Error {
  override readonly name = "StoreOpenError";
}
