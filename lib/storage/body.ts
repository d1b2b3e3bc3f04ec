/** What bodies have in common wherever they are kept. */
import { createHash } from "node:crypto";
import { assert } from "../ring/assert.ts";
import { type FileRecord, inlineBytesMax } from "../ring/file_record.ts";
import type { RecordWrite } from "../ring/step.ts";
import type { BodyRange, BodyReader } from "./store.ts";

/** The most bytes in one chunk that a reader gives. */
export const chunkBytesMax = 256 * 1024;

/** The SHA-256 of bytes, as records have it. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Whether `text` has the form of a SHA-256. */
export function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Whether this record relies on a body that is, or is not, in the store already. */
export function needsStoredBody({ record, body }: RecordWrite): boolean {
  return !record.deleted && record.size > 0 && body === undefined;
}

/** The body of a record that keeps one: not of a tombstone, and not the empty one. */
export function keptBody(record: FileRecord | undefined): string | undefined {
  return record === undefined || record.deleted || record.size === 0 ? undefined : record.sha256;
}

/**
 * The record that a write comes too late for: one that is newer, or the same and with its body.
 * The same record is welcome again when its body was damaged, or lost.
 */
export function findSuperseding(
  { record }: RecordWrite,
  { previous, hasBody }: {
    previous: FileRecord | undefined;
    hasBody: (sha256: string) => boolean;
  },
): FileRecord | undefined {
  if (previous === undefined || previous.stamp < record.stamp) return undefined;
  const body = keptBody(previous);
  const isLost = previous.stamp === record.stamp && body !== undefined &&
    body === keptBody(record) && !hasBody(body);
  return isLost ? undefined : previous;
}

/**
 * Asserts that a body that comes with its record is as long as the record says, and small. That its
 * hash is right was checked where it came in.
 * @throws {InvariantError}
 */
export function assertInlineBody({ record, body }: RecordWrite): void {
  if (body === undefined) return;
  assert(body.length <= inlineBytesMax, `an inline body has ${body.length} bytes`);
  assert(
    body.length === record.size,
    `the inline body of "${record.name}" has ${body.length} bytes, its record says ${record.size}`,
  );
}

/**
 * The part of a body of `size` bytes that is to be read: all of it, if no other is named.
 * @throws {InvariantError} If there is no such part.
 */
export function rangeWithin(size: number, range: BodyRange = { start: 0, end: size }): BodyRange {
  const { start, end } = range;
  const isWithin = Number.isInteger(start) && Number.isInteger(end) && 0 <= start &&
    start <= end && end <= size;
  assert(isWithin, `a body of ${size} bytes has no bytes ${start} to ${end}`);
  return range;
}

/** Reads a body that is in memory. `body` must not change while this is open. */
export class BytesReader implements BodyReader {
  readonly size: number;
  readonly bytes?: Uint8Array;
  readonly #body: Uint8Array;

  constructor(body: Uint8Array) {
    this.#body = body;
    this.size = body.length;
    if (body.length <= inlineBytesMax) this.bytes = body.slice();
  }

  async *chunks(range?: BodyRange): AsyncGenerator<Uint8Array> {
    const { start: first, end } = rangeWithin(this.size, range);
    for (let start = first; start < end; start += chunkBytesMax) {
      yield this.#body.slice(start, Math.min(end, start + chunkBytesMax));
    }
  }

  close(): void {}
}
