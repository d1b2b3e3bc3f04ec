import { assertEquals, assertNotEquals } from "@std/assert";
import { faultKinds, planFaults, type PlannedFault } from "./schedule.ts";

const servers = 5;

/** What it takes to begin and end a fault, and the ring to be whole again, in the mean of many. */
const recoveryMs = 2_000;

function firstFaults(seed: string, count: number): readonly PlannedFault[] {
  const faults: PlannedFault[] = [];
  for (const fault of planFaults(seed, { kinds: faultKinds, servers })) {
    faults.push(fault);
    if (faults.length === count) break;
  }
  return faults;
}

Deno.test("planFaults() gives the same faults for the same seed, and others for another", () => {
  assertEquals(firstFaults("1", 50), firstFaults("1", 50));
  assertNotEquals(firstFaults("1", 50), firstFaults("2", 50));
});

Deno.test("planFaults() gives each kind once before it gives any again", () => {
  const kinds = firstFaults("1", 2 * faultKinds.length).map(({ kind }) => kind);
  for (const round of [kinds.slice(0, faultKinds.length), kinds.slice(faultKinds.length)]) {
    assertEquals(round.toSorted(), faultKinds.toSorted());
  }
});

Deno.test("planFaults() has 150 faults and more for half an hour, recoveries included", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const faults = firstFaults(String(seed), 150);
    const ms = faults.reduce((sum, { lastsMs, gapMs }) => sum + lastsMs + gapMs, 0);
    assertEquals(ms + faults.length * recoveryMs < 30 * 60_000, true, `seed ${seed}: ${ms} ms`);
  }
});

Deno.test("planFaults() stops servers for 1, 10 and 60 s", () => {
  const paused = firstFaults("1", 1_000).filter(({ kind }) => kind === "pause one");
  const times = new Set(paused.map(({ lastsMs }) => lastsMs));
  assertEquals([...times].sort((a, b) => a - b), [1_000, 10_000, 60_000]);
});

Deno.test("planFaults() names every server once in each fault", () => {
  for (const { order } of firstFaults("1", 20)) assertEquals(order.toSorted(), [0, 1, 2, 3, 4]);
});
