import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatDuration, parseDuration } from "../../lib/cli/duration.ts";

const cases: [string, number | undefined][] = [
  ["500ms", 500],
  ["1s", 1000],
  ["0.5s", 500],
  ["1.5m", 90_000],
  ["2m", 120_000],
  ["0s", 0],
  ["", undefined],
  ["10", undefined],
  ["s", undefined],
  ["-1s", undefined],
  ["1 s", undefined],
  ["1h", undefined],
  ["1e3s", undefined],
  ["1s2", undefined],
  ["9999999999s", undefined],
];
for (const [text, milliseconds] of cases) {
  Deno.test(`parseDuration() reads ${JSON.stringify(text)} as ${milliseconds}`, () => {
    assertEquals(parseDuration(text), milliseconds);
  });
}

Deno.test("parseDuration() reads what formatDuration() writes", () => {
  fc.assert(fc.property(fc.nat(3_600_000), (milliseconds) => {
    assertEquals(parseDuration(formatDuration(milliseconds)), milliseconds);
  }));
});
