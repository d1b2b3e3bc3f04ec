/** What it costs a server to store a file of 1 KiB: one record, committed alone, and synced. */
import { createHash } from "node:crypto";
import { StampClock, stampZero } from "../../lib/ring/stamp.ts";
import { openDiskStore } from "../../lib/storage/disk_store.ts";
import { median } from "./statistics.ts";

const bodyBytes = 1024;
const namesMax = 1000;
const warmUp = 50;
const writes = 250;

/** The median of some writes to a new store, in milliseconds. */
export function measureSync(directory: string): number {
  const store = openDiskStore(directory);
  const stamps = new StampClock(store.id, stampZero);
  const times: number[] = [];
  try {
    for (let count = 0; count < warmUp + writes; count++) {
      const body = crypto.getRandomValues(new Uint8Array(bodyBytes));
      const record = {
        name: `file-${count % namesMax}`,
        stamp: stamps.next(Date.now()),
        sha256: createHash("sha256").update(body).digest("hex"),
        size: bodyBytes,
        contentType: "text/plain",
      };
      const start = performance.now();
      store.write([{ record, body }]);
      if (count >= warmUp) times.push(performance.now() - start);
    }
  } finally {
    store.close();
  }
  return median(times);
}
