/** What a write costs, in virtual time, where nothing costs anything but hops and syncs. */
import { assertEquals } from "@std/assert";
import { VirtualRing } from "./virtual_ring.ts";

/** In milliseconds, and powers of two: their sums are exact. */
const hopMs = 0.125;
const syncMs = 8;

for (const size of [1, 2, 3, 8, 32]) {
  Deno.test(`a PUT at a ring of ${size} takes one trip round it and one sync`, () => {
    const ring = new VirtualRing(size, { hopMs, syncMs });
    const hops = size === 1 ? 0 : size;
    // The question of the client, and the answer to it, are a hop each.
    const expected = (hops + 2) * hopMs + syncMs;
    for (const name of ["first", "second"]) assertEquals(ring.put(name), expected);
  });
}
