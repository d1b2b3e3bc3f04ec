import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatContentRange, parseRange, partsMax } from "../../lib/web/ranges.ts";

/** Parts as texts: `2-5` has bytes 2 to 5. */
function parsed(header: string, size: number): string {
  const verdict = parseRange(header, size);
  if (verdict.type !== "parts") return verdict.type;
  return verdict.parts.map(({ start, end }) => `${start}-${end - 1}`).join(",");
}

Deno.test("parseRange() reads ranges of a file of ten bytes", () => {
  const cases = [
    ["bytes=0-0", "0-0"],
    ["bytes=2-5", "2-5"],
    ["bytes=2-", "2-9"],
    ["bytes=0-", "0-9"],
    ["bytes=0-99999999999999999999", "0-9"],
    ["bytes=-3", "7-9"],
    ["bytes=-10", "0-9"],
    ["bytes=-11", "0-9"],
    ["Bytes=1-2", "1-2"],
    [" bytes= 1-2 ", "1-2"],
    ["bytes=0-0,9-9", "0-0,9-9"],
    ["bytes=9-9,0-0", "9-9,0-0"],
    ["bytes=0-1, ,4-5,", "0-1,4-5"],
    ["bytes=0-1,50-60", "0-1"],
    ["bytes=10-,-1", "9-9"],
    // Those that overlap or touch are one, in the place of the first of them.
    ["bytes=0-3,2-5", "0-5"],
    ["bytes=0-1,2-3", "0-3"],
    ["bytes=8-8,0-1,9-9", "8-9,0-1"],
    ["bytes=4-5,0-0,2-3", "2-5,0-0"],
    ["bytes=2-4,2-4", "2-4"],
    // Nothing of these is there.
    ["bytes=10-", "unsatisfiable"],
    ["bytes=10-20,30-40", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    // These are malformed, or of another unit.
    ["bytes=", "whole"],
    ["bytes=-", "whole"],
    ["bytes=5-2", "whole"],
    ["bytes=0-1,5-2", "whole"],
    ["bytes=a-b", "whole"],
    ["bytes=1", "whole"],
    ["bytes=1-2-3", "whole"],
    ["bytes=+1-2", "whole"],
    ["bytes=0x1-2", "whole"],
    ["bytes 0-1", "whole"],
    ["lines=0-1", "whole"],
    ["", "whole"],
    // More bytes than the file has.
    ["bytes=0-,0-", "whole"],
    ["bytes=0-,-1", "whole"],
  ] as const;
  for (const [header, expected] of cases) assertEquals(parsed(header, 10), expected, header);
});

Deno.test("parseRange() reads ranges of an empty file", () => {
  assertEquals(parsed("bytes=0-", 0), "unsatisfiable");
  assertEquals(parsed("bytes=0-0", 0), "unsatisfiable");
  assertEquals(parsed("bytes=-0", 0), "unsatisfiable");
  assertEquals(parsed("bytes=-5", 0), "whole");
});

Deno.test("parseRange() bounds how many parts there are", () => {
  const ranges = (count: number) =>
    Array.from({ length: count }, (_, index) => `${2 * index}-${2 * index}`).join(",");
  assertEquals(parsed(`bytes=${ranges(partsMax)}`, 1000), ranges(partsMax));
  assertEquals(parsed(`bytes=${ranges(partsMax + 1)}`, 1000), "whole");
  assertEquals(parsed(`bytes=${"0-0,".repeat(100_000)}`, 1e9), "whole");
});

Deno.test("parseRange() gives those bytes that are asked for, and each once", () => {
  const size = 20;
  const specs = fc.array(fc.tuple(fc.nat(25), fc.nat(25)), { minLength: 1, maxLength: 5 });
  fc.assert(fc.property(specs, (specs) => {
    const ordered = specs.map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    const verdict = parseRange(`bytes=${ordered.map(([a, b]) => `${a}-${b}`).join(",")}`, size);
    if (verdict.type !== "parts") return;
    const counts = new Array<number>(size).fill(0);
    for (const { start, end } of verdict.parts) {
      for (let i = start; i < end; i++) counts[i] = (counts[i] ?? 0) + 1;
    }
    const expected = counts.map((_, i) => ordered.some(([a, b]) => a <= i && i <= b) ? 1 : 0);
    assertEquals(counts, expected);
  }));
});

Deno.test("formatContentRange() counts from zero, the last byte included", () => {
  assertEquals(formatContentRange({ start: 2, end: 6 }, 10), "bytes 2-5/10");
});
