import { assertEquals, assertStringIncludes } from "@std/assert";
import { excessOf, greatest } from "./usage.ts";

const mebibyte = 1024 * 1024;
const warm = { memory: 90 * mebibyte, descriptors: 30 };

Deno.test("excessOf() lets a process keep what it had, and a little more", () => {
  assertEquals(excessOf({ warm, peak: warm }), undefined);
  assertEquals(
    excessOf({ warm, peak: { memory: 100 * mebibyte, descriptors: 40 } }),
    undefined,
  );
});

Deno.test("excessOf() finds a process whose memory has grown", () => {
  const peak = { ...warm, memory: 300 * mebibyte };
  assertStringIncludes(excessOf({ warm, peak }) ?? "", "grew from 90 MiB to 300 MiB");
});

Deno.test("excessOf() finds a process that has not closed what it opened", () => {
  const peak = { ...warm, descriptors: 500 };
  assertStringIncludes(excessOf({ warm, peak }) ?? "", "had 500 open descriptors");
});

Deno.test("greatest() takes the most of each", () => {
  assertEquals(
    greatest({ memory: 1, descriptors: 4 }, { memory: 2, descriptors: 3 }),
    { memory: 2, descriptors: 4 },
  );
});
