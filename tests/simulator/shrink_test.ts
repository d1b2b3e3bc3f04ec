import { assertEquals } from "@std/assert";
import { shrinkFaults } from "./shrink.ts";

const cases: readonly { needed: readonly number[]; faults: readonly number[] }[] = [
  { needed: [], faults: [0, 1, 2] },
  { needed: [1], faults: [0, 1, 2] },
  { needed: [0, 3], faults: [0, 1, 2, 3, 4] },
  { needed: [0, 1], faults: [0, 1] },
];

for (const { needed, faults } of cases) {
  Deno.test(`shrinkFaults() leaves [${needed}] of [${faults}] when these are needed`, () => {
    const fails = (kept: readonly number[]) => needed.every((fault) => kept.includes(fault));
    assertEquals(shrinkFaults(faults, fails), needed);
  });
}

Deno.test("shrinkFaults() leaves all faults when no prefix fails", () => {
  assertEquals(shrinkFaults([0, 1], () => false), [0, 1]);
});
