/**
 * Writes batches into the store in the directory that it is given, for ever, and prints the number of
 * each when it is acknowledged. `crash_test.ts` kills it.
 */
import { openDiskStore } from "../../lib/storage/disk_store.ts";
import { batchAt, largeBodyAt } from "./crash_batch.ts";
import { upload } from "./sample.ts";

const [directory = ""] = Deno.args;
const store = openDiskStore(directory);
for (let n = 0;; n++) {
  const large = largeBodyAt(n);
  if (large !== undefined) await upload(store, large);
  const refused = store.write(batchAt(n)).find(({ outcome }) => outcome !== "stored");
  if (refused !== undefined) throw new Error(`batch ${n}: ${refused.outcome}`);
  await store.sync();
  Deno.stdout.writeSync(new TextEncoder().encode(`${n}\n`));
}
