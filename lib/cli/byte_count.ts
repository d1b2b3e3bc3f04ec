/** Sizes as a person types them: `500MB`, `1GiB`, `1048576`. */

const unitBytes: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["kb", 1e3],
  ["mb", 1e6],
  ["gb", 1e9],
  ["tb", 1e12],
  ["kib", 1024],
  ["mib", 1024 ** 2],
  ["gib", 1024 ** 3],
  ["tib", 1024 ** 4],
]);

/** Reads a size, in bytes; `undefined` if `text` is none, is no byte at all, or cannot be counted. */
export function parseByteCount(text: string): number | undefined {
  const match = /^([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([a-z]{0,3})$/i.exec(text);
  const unit = unitBytes.get(match?.[2]?.toLowerCase() ?? "");
  if (match === null || unit === undefined) return undefined;
  const bytes = Math.round(Number(match[1]) * unit);
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined;
}
