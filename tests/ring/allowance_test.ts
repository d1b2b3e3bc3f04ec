import { assertEquals } from "@std/assert";
import { Allowance } from "../../lib/ring/allowance.ts";

/** How often, of 100 attempts at a time, something may be done. */
function taken(allowance: Allowance, now: number): number {
  return Array.from({ length: 100 }, () => allowance.take(now)).filter((is) => is).length;
}

Deno.test("Allowance lets a second's worth through at once, and then as time passes", () => {
  const allowance = new Allowance(10);
  assertEquals(taken(allowance, 5000), 10);
  assertEquals(taken(allowance, 5099), 0);
  assertEquals(taken(allowance, 5100), 1);
  assertEquals(taken(allowance, 5600), 5);
});

Deno.test("Allowance saves up no more than a second's worth, however long nobody asks", () => {
  const allowance = new Allowance(10);
  assertEquals(taken(allowance, 0), 10);
  assertEquals(taken(allowance, 3_600_000), 10);
});
