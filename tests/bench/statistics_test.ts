/** What a measurement comes to. */
import { assertEquals } from "@std/assert";
import { median, quantile, round } from "./statistics.ts";

const medians: { values: number[]; expected: number }[] = [
  { values: [], expected: 0 },
  { values: [7], expected: 7 },
  { values: [10, 2], expected: 6 },
  { values: [9, 100, 10], expected: 10 },
  { values: [4, 1, 3, 2], expected: 2.5 },
];
for (const { values, expected } of medians) {
  Deno.test(`median() of ${JSON.stringify(values)} is ${expected}`, () => {
    assertEquals(median(values), expected);
  });
}

Deno.test("quantile() is the number below which that share of them lie", () => {
  const values = Array.from({ length: 100 }, (_, index) => 99 - index);
  assertEquals(quantile(values, 0.5), 50);
  assertEquals(quantile(values, 0.99), 99);
  assertEquals(quantile(values, 1), 99);
});

Deno.test("round() keeps as many digits as mean something", () => {
  assertEquals([1234.5, 99.94, 5.26, 0.0567].map(round), ["1,235", "99.9", "5.3", "0.057"]);
});
