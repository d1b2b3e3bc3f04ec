import { assertEquals, assertNotEquals } from "@std/assert";
import { faultKinds, planFaults, type PlannedFault } from "./schedule.ts";

const servers = 5;

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

Deno.test("planFaults() names every server once in each fault", () => {
  for (const { order } of firstFaults("1", 20)) assertEquals(order.toSorted(), [0, 1, 2, 3, 4]);
});
