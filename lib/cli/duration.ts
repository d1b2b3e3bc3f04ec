/** Durations as a person types and reads them: `500ms`, `1s`, `2m`. */

const unitMs: ReadonlyMap<string, number> = new Map([["ms", 1], ["s", 1000], ["m", 60_000]]);

/** Reads a duration, in milliseconds; `undefined` if `text` is not a number and a unit. */
export function parseDuration(text: string): number | undefined {
  const match = /^([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m)$/.exec(text);
  const unit = unitMs.get(match?.[2] ?? "");
  if (match === null || unit === undefined) return undefined;
  return Math.round(Number(match[1]) * unit);
}

/** Writes a duration in the largest unit that needs no fraction: 90000 is `90s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds % 60_000 === 0 && milliseconds > 0) return `${milliseconds / 60_000}m`;
  if (milliseconds % 1000 === 0) return `${milliseconds / 1000}s`;
  return `${milliseconds}ms`;
}
