/** What every store must do to be compared with another, and to forget tombstones. */
import { assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../lib/ring/assert.ts";
import { bucketCount, bucketDigits, type FileRecord } from "../../lib/ring/file_record.ts";
import type { Store } from "../../lib/storage/store.ts";
import { bytesOf, inline, sha256Of, stampAt, tombstone } from "./sample.ts";
import type { OpenedStore, OpenOptions } from "./store_suite.ts";

type Test = (
  what: string,
  body: (store: Store, opened: OpenedStore) => void | Promise<void>,
  options?: OpenOptions,
) => void;

const noDigests = "0".repeat(bucketCount * bucketDigits);

/** The bucket of a name: the first byte of its SHA-256. */
export function bucketOfName(name: string): number {
  return parseInt(sha256Of(new TextEncoder().encode(name)).slice(0, 2), 16);
}

/** Digests with another one in these buckets. */
export function alterDigests(digests: string, buckets: Iterable<number>): string {
  const altered = [...digests];
  for (const bucket of buckets) {
    const place = bucket * bucketDigits;
    altered[place] = altered[place] === "f" ? "0" : "f";
  }
  return altered.join("");
}

/** Defines the tests by `test`. */
export function testBuckets(test: Test): void {
  testCompare(test);
  testCollect(test);
}

function testCompare(test: Test): void {
  test("keeps the digest of a bucket as its own, whatever is in the others", (store) => {
    store.write([inline("a", { body: bytesOf(1) }), tombstone("b", 1)]);
    const before = store.digests();
    store.write([inline("c", { body: bytesOf(2) })]);
    assertEquals(differing(store.digests(), before), [bucketOfName("c")]);
    const { stamp, sha256 } = inline("c", { body: bytesOf(2) }).record;
    const hash = sha256Of(new TextEncoder().encode(`c\0${stamp}\0${sha256}`));
    const place = bucketOfName("c") * bucketDigits;
    assertEquals(store.digests().slice(place, place + bucketDigits), hash.slice(0, bucketDigits));
  });

  test("has nothing to compare with a store of the same digests", (store) => {
    fill(store);
    assertEquals(store.compare({ digests: store.digests(), after: "", limit: 100 }), []);
  });

  test("compares by pages, in the order of the buckets and of the names in each", (store) => {
    const records = fill(store);
    for (const limit of [1, 7, 128, 1000]) {
      const found: FileRecord[] = [];
      for (let after: string | undefined = ""; after !== undefined;) {
        const page: FileRecord[] = store.compare({ digests: noDigests, after, limit });
        found.push(...page);
        after = page.length < limit ? undefined : page.at(-1)?.name;
      }
      assertEquals(found, records);
    }
  });

  test("compares only the buckets that differ", (store) => {
    const records = fill(store);
    const buckets = [0, bucketOfName("file-7"), 200, 255];
    const digests = alterDigests(store.digests(), buckets);
    const expected = records.filter(({ name }) => buckets.includes(bucketOfName(name)));
    assertEquals(store.compare({ digests, after: "", limit: 1000 }), expected);
  });

  test("goes on with the next bucket when that of the last name is equal by now", (store) => {
    const records = fill(store);
    const bucket = bucketOfName("file-7");
    const others = Array.from({ length: bucketCount }, (_, i) => i).filter((i) => i !== bucket);
    const digests = alterDigests(store.digests(), others);
    const expected = records.filter(({ name }) => bucketOfName(name) > bucket);
    assertEquals(store.compare({ digests, after: "file-7", limit: 1000 }), expected);
  });

  test("asserts that it is given all digests, and a limit", (store) => {
    const compare = (digests: string, limit: number) =>
      store.compare({ digests, after: "", limit });
    assertThrows(() => compare("0", 1), InvariantError, "the digests have 1 digits");
    assertThrows(() => compare(noDigests, 0), InvariantError, "limited to 0 records");
    const upTo = stampAt(1);
    assertThrows(() => store.collect({ upTo, limit: 0 }), InvariantError, "limited to 0 records");
  });
}

function testCollect(test: Test): void {
  test("drops the oldest tombstones, and nothing else", (store) => {
    const kept = [inline("a", { body: bytesOf(1) }), tombstone("d", 5)];
    store.write(kept);
    const [summary, digests] = [store.summary(), store.digests()];
    store.write([tombstone("z", 2), tombstone("b", 4), tombstone("c", 3)]);
    assertEquals(store.collect({ upTo: stampAt(4), limit: 2 }), 2);
    assertEquals([store.look("z"), store.look("c")], [undefined, undefined]);
    assertEquals(store.collect({ upTo: stampAt(4), limit: 2 }), 1);
    assertEquals(store.collect({ upTo: stampAt(4), limit: 2 }), 0);
    const records = kept.map(({ record }) => record);
    assertEquals(store.scan({ limit: 9, tombstones: true }), records);
    const compared = store.compare({ digests: noDigests, after: "", limit: 9 });
    assertEquals(compared.sort((a, b) => a.name < b.name ? -1 : 1), records);
    assertEquals([store.summary(), store.digests()], [summary, digests]);
  });

  test("does not let the highest stamp sink with the tombstone that had it", (store) => {
    store.write([inline("a", { stamp: 3, body: bytesOf(1) }), tombstone("b", 8)]);
    assertEquals(store.collect({ upTo: stampAt(8), limit: 9 }), 1);
    assertEquals(store.load().highestStamp, stampAt(8));
  });

  test("takes an older write when the tombstone has been dropped", (store) => {
    const write = inline("a", { body: bytesOf(1) });
    store.write([tombstone("a", 8)]);
    store.collect({ upTo: stampAt(8), limit: 9 });
    assertEquals(store.write([write]), [{ outcome: "stored" }]);
    assertEquals(store.scan({ limit: 9, tombstones: true }), [write.record]);
    assertEquals(store.compare({ digests: noDigests, after: "", limit: 9 }), [write.record]);
  });

  test("counts what is dropped while a scrub goes on", async (store) => {
    store.write(["a", "b", "c", "d", "e"].map((name) => tombstone(name, 1)));
    const { next } = await store.scrub("", 3);
    store.collect({ upTo: stampAt(1), limit: 4 });
    assertEquals(await store.scrub(next ?? "", 3), { damaged: [], totalsRepaired: false });
  });

  test("drops tombstones although it is full", (store) => {
    for (let n = 0, isFull = false; !isFull; n++) {
      const [answer] = store.write([inline(`${n}`, { body: bytesOf(50_000, n) })]);
      isFull = answer?.outcome === "full";
    }
    store.write(Array.from({ length: 20 }, (_, n) => tombstone(`gone-${n}`, 1)));
    const { files } = store.summary();
    assertEquals(store.collect({ upTo: stampAt(1), limit: 100 }), 20);
    assertEquals(store.summary().files, files);
  }, { isLittle: true });
}

/** Fills several buckets with several records each, and returns them as `compare` is to. */
function fill(store: Store): FileRecord[] {
  const writes = Array.from(
    { length: 900 },
    (_, n) =>
      n % 5 === 0
        ? tombstone(`file-${n}`, n)
        : inline(`file-${n}`, { stamp: n, body: bytesOf(n % 3) }),
  );
  store.write(writes);
  return writes.map(({ record }) => record).sort((a, b) =>
    bucketOfName(a.name) - bucketOfName(b.name) || (a.name < b.name ? -1 : 1)
  );
}

/** The buckets in which two stores differ. */
function differing(a: string, b: string): number[] {
  return Array.from({ length: bucketCount }, (_, bucket) => bucket).filter((bucket) => {
    const place = bucket * bucketDigits;
    return a.slice(place, place + bucketDigits) !== b.slice(place, place + bucketDigits);
  });
}
