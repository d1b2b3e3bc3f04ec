/** Histograms in the text of Prometheus. */
import { assertEquals, assertThrows } from "@std/assert";
import { parseBuckets, quantileOfBuckets } from "./prometheus.ts";

const text = `# TYPE check_seconds histogram
check_seconds_bucket{le="0.001"} 90
check_seconds_bucket{le="0.05"} 99
check_seconds_bucket{le="+Inf"} 100
check_seconds_sum 1.5
other_seconds_bucket{le="0.001"} 7
`;

Deno.test("parseBuckets() reads the buckets of one histogram", () => {
  assertEquals(parseBuckets(text, "check_seconds"), [
    { bound: 0.001, count: 90 },
    { bound: 0.05, count: 99 },
    { bound: Infinity, count: 100 },
  ]);
  assertThrows(() => parseBuckets(text, "no_seconds"), Error, "no_seconds");
});

Deno.test("quantileOfBuckets() is the bound of the first bucket with that share", () => {
  const buckets = parseBuckets(text, "check_seconds");
  assertEquals(quantileOfBuckets(buckets, 0.5), 0.001);
  assertEquals(quantileOfBuckets(buckets, 0.99), 0.05);
  assertEquals(quantileOfBuckets(buckets, 1), Infinity);
  assertThrows(
    () => quantileOfBuckets(buckets.map(({ bound }) => ({ bound, count: 0 })), 0.5),
    Error,
  );
});
