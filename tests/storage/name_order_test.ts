import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { Buffer } from "node:buffer";
import { compareName } from "../../lib/storage/name_order.ts";

Deno.test("compareName() has the order of the bytes as UTF-8", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "é", "\u{FFFD}", "\u{10000}", "\u{10FFFF}"),
  });
  fc.assert(fc.property(text, text, (a, b) => {
    const expected = Buffer.compare(Buffer.from(a), Buffer.from(b));
    assertEquals(Math.sign(compareName(a, b)), expected);
  }));
});
