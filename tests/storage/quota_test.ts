import { assertEquals } from "@std/assert";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import { growthOf, Quota } from "../../lib/storage/quota.ts";
import { recordOf, tombstone } from "./sample.ts";

Deno.test("Quota takes what makes a store no larger, however much it holds", () => {
  const quota = new Quota({ bytesMax: 10, filesMax: 1 });
  const held = { files: 5, bytes: 50 };
  assertEquals(quota.takes(held, { files: 0, bytes: 0 }), true);
  assertEquals(quota.takes(held, { files: -1, bytes: -10 }), true);
  assertEquals(quota.takes(held, { files: 0, bytes: 1 }), false);
  assertEquals(quota.takes(held, { files: 1, bytes: 0 }), false);
});

Deno.test("Quota is reached from the first refusal on, until there is room for such a file", () => {
  const quota = new Quota({ bytesMax: 100 });
  assertEquals(quota.isReached({ files: 3, bytes: 100 }), false);
  assertEquals(quota.takes({ files: 3, bytes: 90 }, { files: 1, bytes: 20 }), false);
  assertEquals(quota.isReached({ files: 3, bytes: 90 }), true);
  assertEquals(quota.isReached({ files: 2, bytes: 80 }), false);
  assertEquals(quota.isReached({ files: 3, bytes: 90 }), false);
});

Deno.test("Quota is not reached by a file that an empty store could not hold", () => {
  const quota = new Quota({ bytesMax: 100 });
  assertEquals(quota.takes({ files: 0, bytes: 0 }, { files: 1, bytes: 101 }), false);
  assertEquals(quota.isReached({ files: 0, bytes: 0 }), false);
});

Deno.test("Quota is not reached by a large file where there is room for small ones", () => {
  const quota = new Quota({ bytesMax: 10 * inlineBytesMax });
  const held = { files: 1, bytes: 5 * inlineBytesMax };
  assertEquals(quota.takes(held, { files: 1, bytes: 6 * inlineBytesMax }), false);
  assertEquals(quota.isReached(held), false);
});

Deno.test("growthOf() counts files and their bytes, and no tombstones", () => {
  const record = recordOf("a", { body: new Uint8Array(9) });
  const none = tombstone("a", 2).record;
  assertEquals(growthOf(record, undefined), { files: 1, bytes: 9 });
  assertEquals(growthOf(record, none), { files: 1, bytes: 9 });
  assertEquals(growthOf({ size: 4 }, record), { files: 0, bytes: -5 });
  assertEquals(growthOf(none, record), { files: -1, bytes: -9 });
});
