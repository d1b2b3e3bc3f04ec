/**
 * Ranges: which parts of a file a `Range` asks for (RFC 9110, section 14).
 *
 * Ranges that overlap or touch are made one, and what would be too many parts, or more bytes than the file
 * has, is answered by the whole file: a short request must not be worth a long answer.
 */
import type { BodyRange } from "../storage/store.ts";

/** The most parts in one answer. */
export const partsMax = 16;

/** The most ranges that are looked at. */
const rangesMax = 1024;

/** What a `Range` comes to: the whole file, parts of it in the order asked for, or nothing (416). */
export type RangeVerdict =
  | { readonly type: "whole" }
  | { readonly type: "parts"; readonly parts: readonly BodyRange[] }
  | { readonly type: "unsatisfiable" };

const whole: RangeVerdict = { type: "whole" };

/** Reads a `Range` of a file of `size` bytes; what is malformed, or of another unit, is ignored. */
export function parseRange(header: string, size: number): RangeVerdict {
  const [, list] = /^bytes=(.*)$/i.exec(header.trim()) ?? [];
  if (list === undefined) return whole;
  const specs = list.split(",", rangesMax + 1).map((spec) => spec.trim()).filter((spec) => spec);
  if (specs.length === 0 || specs.length > rangesMax) return whole;
  const asked: BodyRange[] = [];
  for (const spec of specs) {
    const range = readRange(spec, size);
    if (range === undefined) return whole;
    if (range.start < range.end) asked.push(range);
  }
  if (asked.length === 0) return size === 0 ? wholeIfEmpty(specs) : { type: "unsatisfiable" };
  const bytes = asked.reduce((sum, { start, end }) => sum + end - start, 0);
  if (bytes > size) return whole;
  const parts = coalesce(asked);
  return parts.length > partsMax ? whole : { type: "parts", parts };
}

/** What `Content-Range` says of a part. */
export function formatContentRange({ start, end }: BodyRange, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`;
}

/** The range that a spec asks for, empty if it cannot be satisfied; `undefined` if it is malformed. */
function readRange(spec: string, size: number): BodyRange | undefined {
  const [, first, last] = /^(\d*)-(\d*)$/.exec(spec) ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  if (first === "") return { start: Math.max(0, size - Number(last)), end: size };
  if (last !== "" && Number(last) < Number(first)) return undefined;
  const end = last === "" ? size : Math.min(size, Number(last) + 1);
  return { start: Math.min(Number(first), size), end };
}

/** The last so many bytes of an empty file are all of it; there is no `Content-Range` to say so. */
function wholeIfEmpty(specs: readonly string[]): RangeVerdict {
  return specs.some((spec) => /^-0*[1-9]/.test(spec)) ? whole : { type: "unsatisfiable" };
}

/** Makes ranges that overlap or touch one, which stands where the first of them stood. */
function coalesce(asked: readonly BodyRange[]): readonly BodyRange[] {
  const sorted = asked.map((range, index) => ({ ...range, index }))
    .sort((a, b) => a.start - b.start);
  const joined: { start: number; end: number; index: number }[] = [];
  for (const range of sorted) {
    const last = joined.at(-1);
    if (last === undefined || range.start > last.end) {
      joined.push(range);
    } else {
      last.end = Math.max(last.end, range.end);
      last.index = Math.min(last.index, range.index);
    }
  }
  return joined.sort((a, b) => a.index - b.index).map(({ start, end }) => ({ start, end }));
}
