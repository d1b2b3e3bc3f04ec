/**
 * Positions: where a member stands on the circle, as text that leaves room between any two.
 *
 * A position is a fraction of the circle written as bytes, in hexadecimal digits; text order is the
 * order on the circle ("fractional indexing"). A newcomer's place in its gap is drawn from its id, so
 * that two servers that insert into one gap at the same time choose different places, and every
 * server that merges the two records sees the same order. Each insertion into the same gap costs
 * about a bit and a half, as a place drawn evenly leaves, on average, a gap 1/e as wide.
 */
import { assert } from "./assert.ts";
import type { MemberId } from "./member.ts";

/** The position of the first server of a ring. */
export const firstPosition = "00";

/** The most hexadecimal digits in a position: over a thousand insertions into one gap. */
export const positionDigitsMax = 512;

/** A gap is wide enough when two ids are unlikely to fall on the same place in it. */
const placesMin = 1n << 24n;

/**
 * A position strictly between `low` and `high`; without `high`, between `low` and the end.
 * Returns `undefined` when the gap is so narrow that it would be over {@linkcode positionDigitsMax}.
 */
export function positionBetween(
  { low, high }: { low: string; high: string | undefined },
  id: MemberId,
): string | undefined {
  assert(high === undefined || low < high, `no gap between positions ${low} and ${high}`);
  for (let digits = 2; digits <= positionDigitsMax; digits += 2) {
    const start = fraction(low, digits) + 1n;
    const end = high === undefined ? 1n << BigInt(4 * digits) : fraction(high, digits);
    const places = end - start;
    if (places < placesMin) continue;
    const place = start + BigInt(`0x${id}`) % places;
    return place.toString(16).padStart(digits, "0");
  }
  return undefined;
}

/** The first `digits` digits of a position, as a number. */
function fraction(position: string, digits: number): bigint {
  return BigInt(`0x${position.slice(0, digits).padEnd(digits, "0")}`);
}
