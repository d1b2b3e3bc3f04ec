/** What every {@linkcode Store} must do: each implementation passes this suite. */
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { InvariantError } from "../../lib/ring/assert.ts";
import {
  bucketCount,
  bucketDigits,
  emptySha256,
  inlineBytesMax,
} from "../../lib/ring/file_record.ts";
import type { Member } from "../../lib/ring/member.ts";
import { stampZero } from "../../lib/ring/stamp.ts";
import { chunkBytesMax } from "../../lib/storage/body.ts";
import type { QuotaOptions } from "../../lib/storage/quota.ts";
import type { Store } from "../../lib/storage/store.ts";
import { testBuckets } from "./bucket_suite.ts";
import { testDamage } from "./damage_suite.ts";
import { testModel } from "./model_suite.ts";
import { testQuota } from "./quota_suite.ts";
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

/** What store to open. */
export interface OpenOptions {
  /** Whether it is to have room for a few files of 64 KiB only. */
  readonly isLittle?: boolean;
  readonly quota?: QuotaOptions;
}

/** A new store, how to harm it, and how to be rid of it. */
export interface OpenedStore extends Disposable {
  readonly store: Store;
  /** Lets time pass for the store. */
  readonly advance: (milliseconds: number) => void;
  /** Flips a bit of a body behind the store's back. */
  readonly damageBody: (sha256: string) => void;
  /** Removes a body behind the store's back. */
  readonly loseBody: (sha256: string) => void;
}

/** How to test a store. */
export interface SuiteOptions {
  /** A new, empty store. */
  readonly open: (options: OpenOptions) => OpenedStore;
  /** Whether to ignore the suite. */
  readonly ignore?: boolean;
}

const largeBytes = inlineBytesMax + 1;

/** Defines the tests of the suite for the store called `name`. */
export function testStore(name: string, { open, ignore = false }: SuiteOptions): void {
  function test(
    what: string,
    body: (store: Store, opened: OpenedStore) => void | Promise<void>,
    options: OpenOptions = {},
  ): void {
    Deno.test({
      name: `${name} ${what}`,
      ignore,
      fn: async () => {
        using opened = open(options);
        await body(opened.store, opened);
      },
    });
  }

  test("begins with an id of its own and nothing else", (store) => {
    assertMatch(store.id, /^[0-9a-f]{32}$/);
    assertEquals(store.load(), { incarnation: 0, members: [], highestStamp: stampZero });
    assertEquals(store.summary(), { files: 0, bytes: 0, digest: "0".repeat(64) });
    assertEquals(store.digests(), "0".repeat(bucketCount * bucketDigits));
    assertEquals(store.scan({ limit: 10, tombstones: true }), []);
    assertEquals(store.look("a"), undefined);
  });

  test("gives back the list that was saved last", (store) => {
    const members = ["b", "a"].map((id, i): Member => ({
      id: id.repeat(32),
      incarnation: i + 1,
      status: i === 0 ? "alive" : "left",
      address: `127.0.0.1:${4043 + i}`,
      position: `8${i}`,
      ...(i === 0 ? { web: "http://127.0.0.1:8043/" } : {}),
    }));
    store.save({ incarnation: 1, members: members.slice(0, 1), stampCeiling: stampZero });
    store.save({ incarnation: 7, members, stampCeiling: stampZero });
    assertEquals(store.load(), { incarnation: 7, members, highestStamp: stampZero });
  });

  test("takes the ceiling for the highest stamp until a record has a higher one", (store) => {
    store.write([tombstone("a", 3)]);
    store.save({ incarnation: 1, members: [], stampCeiling: stampAt(2) });
    assertEquals(store.load().highestStamp, stampAt(3));
    store.save({ incarnation: 1, members: [], stampCeiling: stampAt(5) });
    assertEquals(store.load().highestStamp, stampAt(5));
    store.write([tombstone("b", 4)]);
    assertEquals(store.load().highestStamp, stampAt(5));
    store.write([tombstone("b", 6)]);
    assertEquals(store.load().highestStamp, stampAt(6));
  });

  test("keeps the record with the greater stamp", (store) => {
    const body = bytesOf(10);
    const first = inline("a", { stamp: 5, body });
    const older = inline("a", { stamp: 4, body: bytesOf(3) });
    const newer = inline("a", { stamp: 6, body: bytesOf(7) });
    assertEquals(store.write([first]), [{ outcome: "stored" }]);
    assertEquals(store.write([first]), [{ outcome: "superseded", previous: first.record }]);
    assertEquals(store.write([older]), [{ outcome: "superseded", previous: first.record }]);
    assertEquals(store.write([newer]), [{ outcome: "stored", previous: first.record }]);
    assertEquals(store.look("a"), newer.record);
    assertEquals(store.load().highestStamp, stampAt(6));
  });

  test("lets later writes of a batch see the earlier ones", (store) => {
    const first = inline("a", { stamp: 2, body: bytesOf(10) });
    const second = inline("a", { stamp: 3, body: bytesOf(20) });
    const late = inline("a", { stamp: 1, body: bytesOf(30) });
    assertEquals(store.write([first, second, late, tombstone("b", 1)]), [
      { outcome: "stored" },
      { outcome: "stored", previous: first.record },
      { outcome: "superseded", previous: second.record },
      { outcome: "stored" },
    ]);
    assertEquals(store.summary().bytes, 20);
    assertEquals(store.hasBody(first.record.sha256), false);
  });

  test("keeps a body that one write of a batch lets go and the next needs", async (store) => {
    const body = bytesOf(10);
    store.write([inline("a", { body })]);
    const outcomes = store.write([tombstone("a", 2), { record: recordOf("b", { body }) }]);
    assertEquals(outcomes.map(({ outcome }) => outcome), ["stored", "stored"]);
    assertEquals(await readAll(store.openBody(sha256Of(body))), body);
  });

  test("keeps a tombstone, which a late write does not undo", (store) => {
    const written = inline("a", { stamp: 1, body: bytesOf(10) });
    const deletion = tombstone("a", 3);
    store.write([written]);
    assertEquals(store.write([deletion]), [{ outcome: "stored", previous: written.record }]);
    assertEquals(store.write([inline("a", { stamp: 2, body: bytesOf(10) })]), [
      { outcome: "superseded", previous: deletion.record },
    ]);
    assertEquals(store.look("a"), deletion.record);
    assertEquals(store.hasBody(written.record.sha256), false);
    assertEquals(store.scan({ limit: 9, tombstones: false }), []);
    assertEquals(store.scan({ limit: 9, tombstones: true }), [deletion.record]);
  });

  test("gives back a small body whole, and not the buffer it keeps", async (store) => {
    const write = inline("a", { body: bytesOf(inlineBytesMax) });
    store.write([write]);
    write.body?.fill(0);
    const reader = store.openBody(write.record.sha256);
    reader?.bytes?.fill(0);
    reader?.close();
    const again = store.openBody(write.record.sha256);
    assertEquals(sha256Of(again?.bytes ?? new Uint8Array(0)), write.record.sha256);
    assertEquals(sha256Of(await readAll(again)), write.record.sha256);
  });

  test("refuses a record whose body is not there", (store) => {
    const record = recordOf("a", { body: bytesOf(10) });
    assertEquals(store.write([{ record }]), [{ outcome: "bodyMissing" }]);
    assertEquals(store.look("a"), undefined);
    assertEquals(store.openBody(record.sha256), undefined);
    assertEquals(store.openBody("../../../../etc/passwd"), undefined);
    assertEquals(store.hasBody("../../../../etc/passwd"), false);
  });

  test("refuses a record that says its body is longer than it is", async (store) => {
    const small = inline("small", { body: bytesOf(10) });
    store.write([small]);
    const sha256 = await upload(store, bytesOf(largeBytes));
    for (const body of [{ sha256 }, { sha256: small.record.sha256 }, { sha256: emptySha256 }]) {
      const lie = { ...small.record, name: "lie", ...body, size: Number.MAX_SAFE_INTEGER };
      assertEquals(store.write([{ record: lie }]), [{ outcome: "bodyMissing" }]);
    }
    assertEquals(store.summary().bytes, 10);
  });

  test("asserts that an inline body is as long as its record says", (store) => {
    const record = recordOf("a", { body: bytesOf(10) });
    assertThrows(() => store.write([{ record, body: bytesOf(9) }]), InvariantError, "9 bytes");
    const large = bytesOf(largeBytes);
    assertThrows(() => store.write([inline("a", { body: large })]), InvariantError, "inline");
    assertThrows(() => store.scan({ limit: 0, tombstones: true }), InvariantError, "limited");
    assertEquals(store.summary().files, 0);
  });

  test("has the empty body always", async (store) => {
    assertEquals(store.write([{ record: recordOf("a", { body: bytesOf(0) }) }]), [
      { outcome: "stored" },
    ]);
    store.write([tombstone("a", 2), inline("b", { body: bytesOf(0) })]);
    assertEquals(await upload(store, bytesOf(0)), emptySha256);
    assert(store.hasBody(emptySha256));
    assertEquals(await readAll(store.openBody(emptySha256)), bytesOf(0));
    assertEquals(store.summary().files, 1);
  });

  test("streams a large body in chunks of any size", async (store) => {
    const body = bytesOf(3 * chunkBytesMax + 17);
    const writer = store.createBody();
    let start = 0;
    for (const size of [0, 1, 100_000, 0, chunkBytesMax + 3, body.length]) {
      await writer.write(body.subarray(start, start + size));
      start += size;
    }
    const { sha256, size } = await writer.commit();
    assertEquals({ sha256, size }, { sha256: sha256Of(body), size: body.length });

    const record = recordOf("a", { body });
    assertEquals(store.write([{ record }]), [{ outcome: "stored" }]);
    const reader = store.openBody(sha256);
    assertEquals(reader?.bytes, undefined);
    for await (const chunk of reader?.chunks() ?? []) assert(chunk.length <= chunkBytesMax);
    assertEquals(sha256Of(await readAll(reader)), sha256);
  });

  test("reads any part of a body, small or large", async (store) => {
    for (const size of [1000, 2 * chunkBytesMax + 17]) {
      const body = bytesOf(size);
      const sha256 = await upload(store, body);
      const reader = store.openBody(sha256);
      const ends = [0, 1, size / 2 | 0, size - 1, size];
      for (const start of ends) {
        for (const end of ends.filter((end) => end >= start)) {
          const parts: Uint8Array[] = [];
          for await (const chunk of reader?.chunks({ start, end }) ?? []) parts.push(chunk);
          assert(parts.every(({ length }) => length <= chunkBytesMax));
          assertEquals(sha256Of(Buffer.concat(parts)), sha256Of(body.subarray(start, end)));
        }
      }
      const beyond = reader?.chunks({ start: 0, end: size + 1 })[Symbol.asyncIterator]();
      await assertRejects(async () => await beyond?.next(), InvariantError);
      reader?.close();
    }
  });

  test("takes a body that it has already", async (store) => {
    const body = bytesOf(largeBytes);
    const sha256 = await upload(store, body);
    store.write([{ record: recordOf("a", { body }) }]);
    const reader = store.openBody(sha256);
    assertEquals(await upload(store, body), sha256);
    assertEquals(await readAll(reader), body);
    assertEquals(await readAll(store.openBody(sha256)), body);
  });

  test("takes a small body that is streamed", async (store) => {
    const body = bytesOf(10);
    const sha256 = await upload(store, body);
    assertEquals(store.write([{ record: recordOf("a", { body }) }]), [{ outcome: "stored" }]);
    store.write([inline("b", { body })]);
    assertEquals(await readAll(store.openBody(sha256)), body);
  });

  test("forgets a body that is aborted", async (store) => {
    const body = bytesOf(largeBytes);
    const writer = store.createBody();
    await writer.write(body);
    await writer.abort();
    assertEquals(store.hasBody(sha256Of(body)), false);
  });

  test("lets a body be read on while it is replaced", async (store) => {
    for (const size of [100, 3 * chunkBytesMax]) {
      const name = `${size}`;
      const body = bytesOf(size);
      const sha256 = await upload(store, body);
      store.write([{ record: recordOf(name, { body }) }]);
      const reader = store.openBody(sha256);
      const chunks = reader?.chunks()[Symbol.asyncIterator]();
      const first = await chunks?.next();
      assertEquals(first?.value, body.subarray(0, chunkBytesMax));
      store.write([inline(name, { stamp: 2, body: bytesOf(1) })]);
      await store.sync();
      assertEquals(store.hasBody(sha256), false);
      assertEquals(await readAll(reader), body);
      reader?.close();
    }
  });

  test("removes a body with the last record that refers to it", async (store) => {
    for (const size of [100, largeBytes]) {
      const body = bytesOf(size);
      const sha256 = await upload(store, body);
      const [a, b] = [`a${size}`, `b${size}`];
      store.write([{ record: recordOf(a, { body }) }, { record: recordOf(b, { body }) }]);
      store.write([tombstone(a, 2)]);
      assert(store.hasBody(sha256));
      // A newer record of the same body keeps it.
      store.write([{ record: recordOf(b, { stamp: 3, body }) }]);
      assert(store.hasBody(sha256));
      store.write([inline(b, { stamp: 4, body: bytesOf(5) })]);
      await store.sync();
      assertEquals(store.hasBody(sha256), false);
    }
  });

  test("keeps a body whose record is still to come", async (store) => {
    const body = bytesOf(largeBytes);
    const sha256 = await upload(store, body);
    store.write([{ record: recordOf("a", { body }) }]);
    await upload(store, body);
    store.write([tombstone("a", 2)]);
    assertEquals(store.write([{ record: recordOf("b", { body }) }]), [{ outcome: "stored" }]);
    store.write([tombstone("b", 2)]);
    await store.sync();
    assertEquals(store.hasBody(sha256), false);
  });

  test("removes a body whose record came too late", async (store) => {
    const body = bytesOf(largeBytes);
    const sha256 = await upload(store, body);
    store.write([tombstone("a", 2)]);
    assertEquals(store.write([{ record: recordOf("a", { body }) }])[0]?.outcome, "superseded");
    await store.sync();
    assertEquals(store.hasBody(sha256), false);
  });

  testModel(test);
  testQuota(test);
  testBuckets(test);
  testDamage(test);
}
