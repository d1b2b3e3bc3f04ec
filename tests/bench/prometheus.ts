/** Histograms out of the text that Prometheus reads. */

/** How many measurements were at most so much. */
export interface Bucket {
  /** In the unit of the metric; the last one is infinite. */
  readonly bound: number;
  /** Those of all smaller bounds included. */
  readonly count: number;
}

/**
 * The buckets of a histogram, in their order.
 *
 * @throws {Error} if there is no such histogram.
 */
export function parseBuckets(text: string, name: string): readonly Bucket[] {
  const pattern = new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\d+)$`, "gm");
  const buckets = [...text.matchAll(pattern)].map(([, bound, count]) => ({
    bound: bound === "+Inf" ? Infinity : Number(bound),
    count: Number(count),
  }));
  if (buckets.length === 0) throw new Error(`There is no histogram ${name}`);
  return buckets;
}

/**
 * The bound below which a share of the measurements are, or more.
 *
 * @throws {Error} if there are no measurements.
 */
export function quantileOfBuckets(buckets: readonly Bucket[], share: number): number {
  const total = buckets.at(-1)?.count ?? 0;
  const found = buckets.find(({ count }) => count >= share * total);
  if (total === 0 || found === undefined) throw new Error("Nothing was measured");
  return found.bound;
}
