/**
 * Fills the small file system that it is given, and throws if the store does not take it well.
 * `full_disk_test.ts` runs it where it may mount one.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import { openDiskStore } from "../../lib/storage/disk_store.ts";
import { reserveBytes, roomLookMs } from "../../lib/storage/room.ts";
import { StoreFullError } from "../../lib/storage/store.ts";
import {
  bytesOf,
  inline,
  readAll,
  recordOf,
  sha256Of,
  stampAt,
  tombstone,
  upload,
} from "./sample.ts";

const chunkBytes = 1 << 20;
const filesMax = 1000;
const tombstonesDropped = 256;
const looksMax = 100;

let time = 0;
const now = () => time;
const [directory = ""] = Deno.args;
const ballast = `${directory}/ballast`;
const reserve = `${directory}/reserve`;
Deno.writeFileSync(ballast, new Uint8Array(5 * chunkBytes));
let store = openDiskStore(directory, { now });
assertEquals(Deno.statSync(reserve).size, reserveBytes);
store.write(Array.from({ length: 8 * tombstonesDropped }, (_, n) => tombstone(`old/${n}`, 0)));

// Tombstones can be dropped on a disk that became full behind the store's back.
store.close();
store = openDiskStore(directory, { now });
fillDisk(`${directory}/others`);
assertEquals(store.isFull, false);
const collection = { upTo: stampAt(0), limit: tombstonesDropped };
assertEquals(store.collect(collection), tombstonesDropped);
assertEquals(store.isFull, true);
Deno.removeSync(`${directory}/others`);
time += roomLookMs;
assertEquals(store.isFull, false);

const large = bytesOf(chunkBytes);
await upload(store, large);
store.write([{ record: recordOf("large", { body: large }) }]);

// A body that does not fit leaves nothing behind, and the store takes others.
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
assertEquals(store.isFull, false);

// Records are refused when there is no room, and only then.
let stored = 0;
fill();
assertEquals(await readAll(store.openBody(sha256Of(large))), large);
checkFull("when a record was refused");

// All that was acknowledged is there after a restart, and a full disk does not prevent that.
for (let restart = 0; restart < 3; restart++) {
  store.close();
  store = openDiskStore(directory, { now });
  assertEquals(store.summary().files, stored + 1);
  for (let n = 0; n < stored; n++) assert(store.look(`small/${n}`) !== undefined);
  fill();
  checkFull(`after restart ${restart}`);
}

// It is not broken: when there is room it takes writes again, and has its reserve.
Deno.removeSync(ballast);
time += roomLookMs;
assertEquals(store.isFull, false);
assertEquals(Deno.statSync(reserve).size, reserveBytes);
assertEquals(store.write([inline("again", { body: bytesOf(10) })]), [{ outcome: "stored" }]);

// What is deleted gives its room back: a large body at once, small ones bit by bit.
fill();
assertEquals(store.write([tombstone("large", 2)])[0]?.outcome, "stored");
assertEquals(store.isFull, false);
fill();
for (let n = 0; n < stored; n++) {
  assertEquals(store.write([tombstone(`small/${n}`, 2)])[0]?.outcome, "stored");
}
for (let look = 0; store.isFull; look++) {
  assert(look < looksMax, `there is no room after ${look} looks`);
  time += roomLookMs;
}
assertEquals(store.write([inline("last", { body: bytesOf(10) })]), [{ outcome: "stored" }]);
store.close();

/** Stores small files until one is refused. */
function fill(): void {
  for (const start = stored; stored - start < filesMax; stored++) {
    if (store.isFull) return;
    const summary = store.summary();
    const body = bytesOf(inlineBytesMax, stored);
    const [answer] = store.write([inline(`small/${stored}`, { body })]);
    if (answer?.outcome === "stored") continue;
    assertEquals(answer, { outcome: "full" });
    assertEquals(store.summary(), summary);
    assertEquals(store.isFull, true);
    return;
  }
  throw new Error(`${filesMax} files fitted`);
}

/** Writes a file until there is no room at all. */
function fillDisk(path: string): void {
  using file = Deno.openSync(path, { createNew: true, write: true });
  const page = bytesOf(4096);
  assertThrows(
    () => {
      for (;;) file.writeSync(page);
    },
    Error,
    "No space left",
  );
}

/** Checks that the store refuses files, and takes what must not fail. */
function checkFull(when: string): void {
  assertEquals(store.isFull, true, when);
  const marker = time++;
  assertThrows(() => store.createBody(), StoreFullError, "there is no room on the disk");
  const batch = [
    inline("refused", { body: bytesOf(1) }),
    tombstone(`deleted/${marker}`, 1),
    inline("small/0", { body: bytesOf(inlineBytesMax, 0) }),
  ];
  assertEquals(
    store.write(batch).map(({ outcome }) => outcome),
    ["full", "stored", "superseded"],
    when,
  );
  assert(store.look(`deleted/${marker}`)?.deleted);
  assertEquals(store.collect(collection), tombstonesDropped, when);
  store.save({ incarnation: marker + 1, members: [], stampCeiling: stampAt(marker) });
  assertEquals(store.load().incarnation, marker + 1);
}
