/**
 * Fills the small file system that it is given, and throws if the store does not take it well.
 * `full_disk_test.ts` runs it where it may mount one.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import { openDiskStore } from "../../lib/storage/disk_store.ts";
import { StoreFullError } from "../../lib/storage/store.ts";
import { bytesOf, inline, readAll, recordOf, sha256Of, tombstone, upload } from "./sample.ts";

const chunkBytes = 1 << 20;
const batchesMax = 1000;

const [directory = ""] = Deno.args;
const ballast = `${directory}/ballast`;
Deno.writeFileSync(ballast, new Uint8Array(chunkBytes));
let store = openDiskStore(directory);
const large = bytesOf(chunkBytes);
await upload(store, large);
store.write([{ record: recordOf("large", { body: large }) }]);

// A body that does not fit leaves nothing behind.
const writer = store.createBody();
await assertRejects(
  async () => {
    for (;;) await writer.write(large);
  },
  StoreFullError,
  "Cannot write a body: there is no room on the disk",
);
await writer.abort();
assertEquals([...Deno.readDirSync(`${directory}/bodies/tmp`)], []);

// Records are refused when there is no room, and only then.
let stored = 0;
for (; stored < batchesMax; stored++) {
  const summary = store.summary();
  const body = bytesOf(inlineBytesMax, stored);
  const [answer] = store.write([inline(`small/${stored}`, { body })]);
  if (answer?.outcome === "stored") continue;
  assertEquals(answer, { outcome: "full" });
  assertEquals(store.summary(), summary);
  break;
}
assert(stored > 1 && stored < batchesMax, `${stored} records fitted`);
assertEquals(await readAll(store.openBody(sha256Of(large))), large);

// All that was acknowledged is there after a restart, on a disk that is still full.
store.close();
store = openDiskStore(directory);
assertEquals(store.summary().files, stored + 1);
for (let n = 0; n < stored; n++) assert(store.look(`small/${n}`) !== undefined);

// It is not broken: when there is room it takes writes again.
assertEquals(store.write([tombstone("large", 2)]), [{ outcome: "full" }]);
Deno.removeSync(ballast);
assertEquals(store.write([tombstone("large", 2)])[0]?.outcome, "stored");
assertEquals(store.write([inline("again", { body: bytesOf(10) })]), [{ outcome: "stored" }]);
store.close();
