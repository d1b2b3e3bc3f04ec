/**
 * Does the operations of a seed to the store in the directory that it is given, and prints the number
 * of each when it is acknowledged: 0 and the store's id when it is open. `crash_points_test.ts` records
 * its system calls.
 */
import { openDiskStore } from "../../lib/storage/disk_store.ts";
import { operationsOf } from "./crash_trace.ts";
import { upload } from "./sample.ts";

const [directory = "", seed = ""] = Deno.args;
let store = openDiskStore(directory);
acknowledge(`0 ${store.id}`);
for (const [index, operation] of operationsOf(Number(seed)).entries()) {
  switch (operation.type) {
    case "reopen":
      store.close();
      store = openDiskStore(directory);
      break;
    case "collect":
      store.collect(operation);
      break;
    case "save":
      store.save(operation);
      break;
    case "upload":
      await upload(store, operation.body);
      store.write([operation.write]);
      await store.sync();
      break;
    case "write":
      store.write(operation.batch);
      await store.sync();
      break;
  }
  acknowledge(`${index + 1}`);
}
store.close();

function acknowledge(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}
