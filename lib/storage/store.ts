/**
 * The Store: what a server keeps. One interface, kept in memory or on disk; one suite tests both.
 *
 * Records and the list are written synchronously, and are durable when the call returns: the shell
 * can then send and acknowledge without waiting for anything else. Small bodies travel and are
 * stored with their record, in the same transaction. Large bodies (above `inlineBytesMax`) are
 * streamed to storage first, found by their SHA-256, and referred to by a record afterwards.
 */
import type { FileRecord } from "../ring/file_record.ts";
import type { Member, MemberId } from "../ring/member.ts";
import type { RecordWrite, StoredRing, WriteOutcome } from "../ring/step.ts";

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

/** An open body. Close it when done, whether or not it was read to the end. */
export interface BodyReader {
  readonly size: number;
  /** The whole body, if it is small. */
  readonly bytes?: Uint8Array;
  /** The body in chunks of at most 256 KiB; each is the caller's to keep. */
  chunks(): AsyncIterable<Uint8Array>;
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

/** What a server keeps. */
export interface Store {
  /** Made at random when the store was created, and kept. */
  readonly id: MemberId;
  /** What was saved and written before. */
  load(): StoredRing;
  /** Saves this server's incarnation and its list; durable on return. */
  save(ring: { incarnation: number; members: readonly Member[] }): void;
  look(name: string): FileRecord | undefined;
  /** Records in the order of the bytes of their names. */
  scan(options: ScanOptions): FileRecord[];
  /**
   * Stores what is newer than what is there, all in one transaction; durable on return. When there
   * is no room nothing is changed, and every outcome is `full`.
   */
  write(batch: readonly RecordWrite[]): WriteOutcome[];
  hasBody(sha256: string): boolean;
  openBody(sha256: string): BodyReader | undefined;
  createBody(): BodyWriter;
  summary(): StoreSummary;
  close(): void;
}

/** There is no room left to write; the store can still be read. */
export class StoreFullError extends Error {
  override readonly name = "StoreFullError";
}

/** The store cannot be opened: another process has it, or it is not a store, or not permitted. */
export class StoreOpenError extends Error {
  override readonly name = "StoreOpenError";
}
