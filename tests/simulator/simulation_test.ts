import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { plantedBugs } from "./planted_bug.ts";
import { parseSeeds, recordedSeeds } from "./seeds.ts";
import { simulate } from "./simulation.ts";

/** How many seeds a quick look at the core takes. */
const quickSeeds = 50;
/** How many seeds may pass before a planted bug is found. */
const seedsToFindMax = 100;

/** Plays a seed, and fails with what did not hold and the command that plays it again. */
function assertHolds(seed: number): void {
  const { failure, lines } = simulate(seed);
  if (failure === undefined) return;
  const head = `Seed ${seed} fails (${failure.check}): ${failure.message}`;
  throw new Error(`${head}\nPlay it again: deno task sim --seed ${seed} -v\n${lines.join("\n")}`);
}

Deno.test("two runs of one seed give the same trace", () => {
  for (let seed = 1; seed <= 5; seed++) assertEquals(simulate(seed).hash, simulate(seed).hash);
  assertNotEquals(simulate(1).hash, simulate(2).hash);
});

Deno.test(`the core holds for the seeds 1 to ${quickSeeds}`, () => {
  for (let seed = 1; seed <= quickSeeds; seed++) assertHolds(seed);
});

Deno.test("the core holds for every seed that once failed", () => {
  for (const { seed } of recordedSeeds) assertHolds(seed);
});

for (const { name, check, createCore } of plantedBugs) {
  Deno.test(`the simulator finds a planted bug: ${name}`, () => {
    const found = new Set<string>();
    for (let seed = 1; seed <= seedsToFindMax && !found.has(check); seed++) {
      const { failure } = simulate(seed, { createCore });
      if (failure !== undefined) found.add(failure.check);
    }
    assert(found.has(check), `${seedsToFindMax} seeds failed only in: ${[...found].join()}`);
  });
}

Deno.test("parseSeeds() reads a number and a sentence a line, and refuses anything else", () => {
  assertEquals(parseSeeds("# comment\n\n12 Found something.\n"), [
    { seed: 12, found: "Found something." },
  ]);
  assertThrows(() => parseSeeds("twelve"), Error, "twelve");
});
