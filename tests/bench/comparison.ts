/**
 * What is compared with what: rows of a table, and what measures them.
 *
 * A comparison measures some rows at once, in rounds. In each, what is compared takes turns, and one is
 * stopped, or idle, while the other works. Ratios count: of the medians, ours to the peer's.
 */

/** The most or the least that a row may come to. */
export interface Target {
  readonly limit: "most" | "least";
  /** Of the ratio; or of our own figure, if there is no peer to compare with. */
  readonly value: number;
}

/** One line of the table. */
export interface Row {
  /** What is done, and what is measured of it, without the unit. */
  readonly work: string;
  /** What the peer is; absent, only our own figure counts. */
  readonly peer?: string;
  readonly unit: string;
  /** Absent if the row only tells more of another one. */
  readonly target?: Target;
}

/** What one round found out about a row. */
export interface Pair {
  readonly ours: number;
  /** Absent if the row has no peer. */
  readonly theirs?: number;
}

/** Some rows, measured together. */
export interface Comparison {
  readonly rows: readonly Row[];
  /** What exactly is compared: copies, fsync, protocol. In Markdown. */
  readonly fairness: string;
  /** The programs it needs. */
  readonly programs: readonly string[];
  /** The most rounds, where one takes long. */
  readonly roundsMax?: number;
  /** Measures every row once. `round` counts from 0: whoever begins should take turns, too. */
  measure(round: number): Promise<ReadonlyMap<Row, Pair>>;
}

/** All that was found out about a row, a number for each round. */
export interface Finding {
  readonly row: Row;
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  /** Why there is nothing. */
  readonly missing?: string;
}

/** No more than `value` times the peer's. */
export function atMost(value: number): Target {
  return { limit: "most", value };
}

/** No less than `value` times the peer's. */
export function atLeast(value: number): Target {
  return { limit: "least", value };
}

/** Does two things one after the other, in odd rounds the second first. */
export async function inTurn<A, B>(
  round: number,
  ours: () => Promise<A>,
  theirs: () => Promise<B>,
): Promise<{ ours: A; theirs: B }> {
  if (round % 2 === 0) return { ours: await ours(), theirs: await theirs() };
  const first = await theirs();
  return { ours: await ours(), theirs: first };
}
