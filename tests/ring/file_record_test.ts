import { assertEquals } from "@std/assert";
import { hasLargeBody, inlineBytesMax } from "../../lib/ring/file_record.ts";
import { recordOf, stampAt, tombstoneOf } from "./sample.ts";

Deno.test("hasLargeBody() is true above inlineBytesMax, and never of a tombstone", () => {
  assertEquals(hasLargeBody(recordOf("a", "", { size: inlineBytesMax })), false);
  assertEquals(hasLargeBody(recordOf("a", "", { size: inlineBytesMax + 1 })), true);
  assertEquals(hasLargeBody(tombstoneOf("a", stampAt(1))), false);
});
