import { assert, assertEquals, assertThrows } from "@std/assert";
import { openDiskStore } from "../../lib/storage/disk_store.ts";
import { StoreOpenError } from "../../lib/storage/store.ts";
import { needs } from "../permission.ts";
import { batchAt } from "./crash_batch.ts";
import { readAll, stampAt } from "./sample.ts";

const batchesMin = 40;

Deno.test({
  name: "DiskStore keeps what it acknowledged when its process is killed",
  ...needs("read", "write", "run"),
  fn: async () => {
    const directory = Deno.makeTempDirSync();
    try {
      for (let start = 0; start < 2; start++) {
        const data = `${directory}/${start}`;
        await checkAcknowledged(data, await killWhileWriting(data));
      }
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
});

/** Returns how many batches were acknowledged. */
async function killWhileWriting(directory: string): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--allow-read", "--allow-write"],
      import.meta.resolve("./crash_child.ts"),
      directory,
    ],
    stdin: "null",
    stdout: "piped",
  }).spawn();

  // Read to the end: what it printed before it died was acknowledged, too.
  let acknowledged = 0;
  let isKilled = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    acknowledged += text.split("\n").length - 1;
    if (isKilled || acknowledged < batchesMin) continue;
    assertThrows(() => openDiskStore(directory), StoreOpenError, "in use by another ring server");
    child.kill("SIGKILL");
    isKilled = true;
  }
  assertEquals((await child.status).signal, "SIGKILL");
  return acknowledged;
}

async function checkAcknowledged(directory: string, acknowledged: number): Promise<void> {
  assert(acknowledged >= batchesMin, `${acknowledged} batches were acknowledged`);
  const store = openDiskStore(directory);
  try {
    for (let n = 0; n < acknowledged; n++) {
      for (const { record } of batchAt(n).slice(1)) {
        assertEquals(store.look(record.name), record);
        assertEquals((await readAll(store.openBody(record.sha256))).length, record.size);
      }
    }
    const newest = store.look("newest")?.stamp ?? "";
    assert(newest >= stampAt(acknowledged), `of "newest" there is ${newest}`);
  } finally {
    store.close();
  }
}
