/** What every store must do that may hold so much and no more. */
import { assertEquals } from "@std/assert";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import type { RecordWrite } from "../../lib/ring/step.ts";
import type { Store } from "../../lib/storage/store.ts";
import { bytesOf, inline, recordOf, tombstone, upload } from "./sample.ts";
import type { OpenedStore, OpenOptions } from "./store_suite.ts";

type Test = (
  what: string,
  body: (store: Store, opened: OpenedStore) => void | Promise<void>,
  options?: OpenOptions,
) => void;

const hundredBytes: OpenOptions = { quota: { bytesMax: 100 } };
const twoFiles: OpenOptions = { quota: { filesMax: 2 } };

/** Defines the tests by `test`. */
export function testQuota(test: Test): void {
  test("takes as many bytes as it may hold, and not one more", (store) => {
    const batch = [file("a", 60), file("b", 40), file("c", 1)];
    assertEquals(outcomes(store, batch), ["stored", "stored", "full"]);
    assertEquals([store.isFull, store.summary().bytes], [true, 100]);
    assertEquals(outcomes(store, [file("c", 1)]), ["full"]);
  }, hundredBytes);

  test("takes as many files as it may hold, and not one more", (store) => {
    assertEquals(outcomes(store, ["a", "b", "c"].map((name) => file(name, 0))), [
      "stored",
      "stored",
      "full",
    ]);
    assertEquals([store.isFull, store.summary().files], [true, 2]);
  }, twoFiles);

  test("takes what makes it no larger when it holds all it may: deletes, and replaces", (store) => {
    store.write([file("a", 60), file("b", 40), file("c", 1)]);
    assertEquals(outcomes(store, [file("a", 60, 2), file("b", 39, 2)]), ["stored", "stored"]);
    assertEquals(outcomes(store, [file("a", 62, 3)]), ["full"]);
    assertEquals(outcomes(store, [tombstone("a", 4), file("c", 61)]), ["stored", "stored"]);
    assertEquals(store.summary().bytes, 100);
  }, hundredBytes);

  test("is full no longer when there is room for what its quota refused", (store) => {
    store.write([file("a", 60), file("b", 40), file("c", 10)]);
    store.write([tombstone("b", 2)]);
    assertEquals([store.isFull, outcomes(store, [file("c", 10)])], [false, ["stored"]]);
  }, hundredBytes);

  test("tells before a file is there whether its quota has room for it", (store) => {
    store.write([file("a", 60)]);
    assertEquals(store.lacksRoomFor("b", 40), undefined);
    assertEquals(store.isFull, false);
    assertEquals(store.lacksRoomFor("b", 41), "quota");
    assertEquals(store.isFull, true);
    assertEquals(store.lacksRoomFor("a", 100), undefined);
    assertEquals(store.lacksRoomFor("a", 101), "quota");
  }, hundredBytes);

  test("lets go of a large body that its quota has no room for", async (store) => {
    const body = bytesOf(inlineBytesMax + 1);
    const sha256 = await upload(store, body);
    assertEquals(outcomes(store, [{ record: recordOf("a", { body }) }]), ["full"]);
    await store.sync();
    assertEquals(store.hasBody(sha256), false);
  }, hundredBytes);
}

function file(name: string, size: number, stamp = 1): RecordWrite {
  return inline(name, { stamp, body: bytesOf(size) });
}

function outcomes(store: Store, batch: readonly RecordWrite[]): string[] {
  return store.write(batch).map(({ outcome }) => outcome);
}
