/** A histogram: how often a measurement was at most so much, as Prometheus counts it. */

/** The upper bounds of the buckets, in seconds; the last one, not here, has none. */
export const bucketSeconds: readonly number[] = [
  ...[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
  ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10],
];

/** Counts measurements, in seconds. */
export class Histogram {
  /** How many measurements fell into each bucket, and into none but the last. */
  readonly #counts = new Array<number>(bucketSeconds.length + 1).fill(0);
  #sum = 0;

  add(seconds: number): void {
    const found = bucketSeconds.findIndex((bound) => seconds <= bound);
    const index = found === -1 ? bucketSeconds.length : found;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += seconds;
  }

  /** The sum of all measurements. */
  get sum(): number {
    return this.#sum;
  }

  /** How many measurements were at most each bound; the last of them is the count of all. */
  cumulative(): readonly number[] {
    let total = 0;
    return this.#counts.map((count) => total += count);
  }
}
