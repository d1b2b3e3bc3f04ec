/** Records that are changed in the database behind the store's back, and the format from before. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { DatabaseSync } from "node:sqlite";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import { type DiskStore, openDiskStore } from "../../lib/storage/disk_store.ts";
import { BodyDamagedError, type BodyRange, type ScrubResult } from "../../lib/storage/store.ts";
import { testInDirectory, visit } from "./in_directory.ts";
import {
  bytesOf,
  contentsOf,
  inline,
  readAll,
  recordOf,
  sha256Of,
  stampAt,
  tombstone,
  upload,
} from "./sample.ts";

const writes = [
  ...Array.from({ length: 7 }, (_, i) => inline(`file-${i}`, { body: bytesOf(100, i) })),
  tombstone("gone", 1),
];
const victim = "file-3";

/** Defines a test that is given a directory with a store of `writes`, which is closed. */
function test(name: string, body: (directory: string) => void | Promise<void>): void {
  testInDirectory(name, async (directory) => {
    await visit(directory, (store) => store.write(writes));
    await body(directory);
  });
}

function flipByte(path: string, at: number): void {
  const bytes = Deno.readFileSync(path);
  bytes[at] = 255 - (bytes[at] ?? 0);
  Deno.writeFileSync(path, bytes);
}

function change(directory: string, statement: string): void {
  const database = new DatabaseSync(`${directory}/ring.db`);
  database.exec(statement);
  database.close();
}

/** All that one pass finds, `limit` records a step. */
async function scrubAll(store: DiskStore, limit: number): Promise<Required<ScrubResult>> {
  const found = { damaged: new Array<string>(), totalsRepaired: false, next: "" };
  for (let after: string | undefined = ""; after !== undefined;) {
    const step: ScrubResult = await store.scrub(after, limit);
    found.damaged.push(...step.damaged);
    found.totalsRepaired ||= step.totalsRepaired;
    after = step.next;
  }
  return found;
}

const changes: readonly { what: string; set: string; name?: string }[] = [
  { what: "a stamp that was never made", set: `stamp = '${stampAt(0xffffffff)}'` },
  { what: "the hash of another body", set: `sha256 = x'${sha256Of(bytesOf(100, 4))}'` },
  { what: "a hash that is none", set: "sha256 = x''" },
  { what: "another size", set: "size = size + 1" },
  { what: "a size that is no number of JavaScript", set: "size = 9007199254740993" },
  { what: "another content type", set: "content_type = 'text/html'" },
  { what: "a deletion that nobody made", set: "deleted = 1" },
  { what: "another name", set: "name = 'file-30'", name: "file-30" },
  {
    what: "a name that is no UTF-8",
    set: "name = CAST(x'ff80' AS TEXT)",
    name: "\u{FFFD}\u{FFFD}",
  },
  { what: "another bucket", set: "bucket = (bucket + 1) % 256" },
  { what: "another checksum", set: "checksum = checksum + 1" },
];

for (const { what, set, name = victim } of changes) {
  test(`DiskStore does not believe a record that was given ${what}`, async (directory) => {
    const before = await visit(directory, (store) => store.summary());
    change(directory, `UPDATE records SET ${set} WHERE name = '${victim}'`);
    await visit(directory, async (store) => {
      assertEquals(store.look(victim), undefined);
      const names = writes.map(({ record }) => record.name).filter((name) => name !== victim);
      const scanned = store.scan({ limit: 7, tombstones: true }).map(({ name }) => name);
      assertEquals(scanned, names);

      const { damaged, totalsRepaired } = await scrubAll(store, 2);
      assertEquals(damaged, [name]);
      assertEquals(totalsRepaired, true);
      assertEquals(store.summary().files, before.files - 1);
      assert(store.summary().digest !== before.digest);
      assertEquals(await scrubAll(store, 3), { damaged: [], totalsRepaired: false, next: "" });

      const again = writes.filter(({ record }) => record.name === victim);
      assertEquals(store.write(again), [{ outcome: "stored" }]);
      assertEquals(store.summary(), before);
      assertEquals(await readAll(store.openBody(sha256Of(bytesOf(100, 3)))), bytesOf(100, 3));
    });
    await visit(directory, async (store) => {
      assertEquals(store.summary(), before);
      assertEquals(await scrubAll(store, 100), { damaged: [], totalsRepaired: false, next: "" });
    });
  });
}

test("DiskStore lets a write take the place of a damaged record at once", async (directory) => {
  const before = await visit(directory, (store) => store.summary());
  change(
    directory,
    `UPDATE records SET stamp = 'z', sha256 = x'00', bucket = 0 WHERE name = '${victim}'`,
  );
  await visit(directory, async (store) => {
    const again = writes.filter(({ record }) => record.name === victim);
    assertEquals(store.write(again), [{ outcome: "stored" }]);
    assertEquals((await scrubAll(store, 3)).damaged, []);
    assertEquals(store.summary(), before);
  });
});

test("DiskStore notices that a record was removed, as its totals are not right", async (directory) => {
  const before = await visit(directory, (store) => store.summary());
  change(directory, `DELETE FROM records WHERE name = '${victim}'`);
  await visit(directory, async (store) => {
    assertEquals(store.summary(), before);
    assertEquals(await scrubAll(store, 3), { damaged: [], totalsRepaired: true, next: "" });
    assertEquals(store.summary().files, before.files - 1);
    assertEquals(await scrubAll(store, 3), { damaged: [], totalsRepaired: false, next: "" });
  });
  await visit(directory, (store) => assertEquals(store.summary().files, before.files - 1));
});

const wrongTotals = [
  ...["files = 9", "bytes = 0", "digest = '0'", `digest = '${"0".repeat(64)}'`],
  ...["buckets = x''", "buckets = x'00'", "buckets = zeroblob(2048)"],
  "buckets = randomblob(2048)",
];

for (const set of wrongTotals) {
  test(`DiskStore puts its totals right when they have ${set}`, async (directory) => {
    const before = await visit(directory, contentsOf);
    change(directory, `UPDATE server SET ${set}`);
    await visit(directory, async (store) => {
      assertEquals(store.digests().length, before.digests.length);
      assertEquals(await scrubAll(store, 3), { damaged: [], totalsRepaired: true, next: "" });
      assertEquals(contentsOf(store), before);
    });
    await visit(directory, (store) => assertEquals(contentsOf(store), before));
  });
}

test("DiskStore opens with digests of buckets that are no bytes any more", async (directory) => {
  const before = await visit(directory, contentsOf);
  const path = `${directory}/ring.db`;
  const bytes = Deno.readFileSync(path);
  // The type of the column in the header of the row: a BLOB of 2,048 bytes is 4,108, a text 4,109.
  const [place, ...others] = offsetsOf(Uint8Array.of(0xa0, 0x0c), bytes);
  assert(place !== undefined && others.length === 0);
  bytes[place + 1] = 0x0d;
  Deno.writeFileSync(path, bytes);
  await visit(directory, async (store) => {
    assertEquals((await scrubAll(store, 3)).totalsRepaired, true);
    assertEquals(contentsOf(store), before);
  });
});

test("DiskStore.scrub() finds a bit that was flipped in the database's file", async (directory) => {
  const { record, body } = writes[3] ?? {};
  assert(record !== undefined && body !== undefined);
  const summary = await visit(directory, (store) => store.summary());
  const path = `${directory}/ring.db`;
  const whole = Deno.readFileSync(path);
  // All places of these: in the table and in its indexes, and the body.
  const hash = Buffer.from(record.sha256, "hex");
  const targets = [record.stamp, hash, record.contentType, body].map((target) =>
    Buffer.from(target)
  );
  let found = 0;
  for (const target of targets) {
    for (const offset of offsetsOf(target, whole)) {
      const bytes = whole.slice();
      const place = offset + (target.length >> 1);
      bytes[place] = (bytes[place] ?? 0) ^ 1;
      Deno.writeFileSync(path, bytes);
      await visit(directory, async (store) => {
        const { damaged } = await scrubAll(store, 3);
        found += damaged.length;
        store.write(writes);
        assertEquals((await scrubAll(store, 3)).damaged, []);
        assertEquals(store.summary(), summary);
        for (const { record, body } of writes) {
          assertEquals(store.look(record.name), record);
          if (body) assertEquals(await readAll(store.openBody(record.sha256)), body);
        }
      });
    }
  }
  assert(found >= targets.length, `${found} flips were found`);
});

test("DiskStore.scrub() makes an index anew that has lost a record", async (directory) => {
  const before = await visit(directory, contentsOf);
  const path = `${directory}/ring.db`;
  const whole = Deno.readFileSync(path);
  let found = 0;
  for (const { name, stamp } of [victim, "gone"].map((name) => recordNamed(name))) {
    const table = offsetsOf(Buffer.from(name + stamp), whole);
    const indexes = offsetsOf(Buffer.from(name), whole).filter((place) => !table.includes(place));
    for (const place of indexes) {
      found++;
      const bytes = whole.slice();
      bytes[place] = (bytes[place] ?? 0) ^ 1;
      Deno.writeFileSync(path, bytes);
      await visit(directory, async (store) => {
        assertEquals(await scrubAll(store, 3), { damaged: [], totalsRepaired: false, next: "" });
        const digests = "f".repeat(store.digests().length);
        const compared = store.compare({ digests, after: "", limit: 100 });
        assertEquals(
          compared.map(({ name }) => name).sort(),
          before.records.map(({ name }) => name),
        );
        store.write(writes.map(({ record }) => tombstone(record.name, 9)));
        assertEquals(store.collect({ upTo: stampAt(9), limit: 100 }), writes.length);
        assertEquals(store.scan({ limit: 100, tombstones: true }), []);
      });
    }
  }
  // Of a file by its body and its bucket, of a tombstone by its stamp and its bucket.
  assertEquals(found, 4);
});

test("DiskStore.scrub() finds a body that is cut off while it is read", async (directory) => {
  const body = bytesOf(300_000);
  const sha256 = sha256Of(body);
  const store = openDiskStore(directory);
  try {
    await upload(store, body);
    store.write([{ record: recordOf("large", { body }) }]);
    const reader = store.openBody(sha256);
    const scrubbed = store.scrub("", 1000);
    Deno.truncateSync(`${directory}/bodies/${sha256.slice(0, 2)}/${sha256}`, 1000);
    assertEquals((await scrubbed).damaged, ["large"]);
    await assertRejects(
      () => readAll(reader),
      BodyDamagedError,
      "299000 of its bytes are not there",
    );
    reader?.close();
  } finally {
    store.close();
  }
});

for (const at of [0, 150_000, 299_999]) {
  test(`DiskStore.openBody() gives no whole body with byte ${at} changed`, async (directory) => {
    const body = bytesOf(300_000);
    const sha256 = sha256Of(body);
    await visit(directory, async (store) => {
      await upload(store, body);
      flipByte(`${directory}/bodies/${sha256.slice(0, 2)}/${sha256}`, at);
      const reader = store.openBody(sha256);
      assert(reader !== undefined);
      let given = 0;
      const read = async (range?: BodyRange) => {
        for await (const chunk of reader.chunks(range)) given += chunk.length;
      };
      await assertRejects(() => read(), BodyDamagedError, "not what they were");
      assert(given < body.length);
      await assertRejects(() => read({ start: 0, end: body.length }), BodyDamagedError);
      // A part proves nothing, and is given as it is.
      given = 0;
      await read({ start: 1, end: 300_000 });
      assertEquals(given, 299_999);
      reader.close();
    });
  });
}

test("DiskStore.scrub() ends with nothing when the store is closed meanwhile", async (directory) => {
  const store = openDiskStore(directory);
  const large = bytesOf(1 << 20);
  const writer = store.createBody();
  await writer.write(large);
  const { sha256, size } = await writer.commit();
  const record = { name: "a", stamp: stampAt(1), sha256, size, contentType: "" };
  store.write([{ record }]);
  const scrubbed = store.scrub("", 100);
  store.close();
  assertEquals(await scrubbed, { damaged: [], totalsRepaired: false });
});

function recordNamed(name: string): FileRecord {
  const record = writes.find(({ record }) => record.name === name)?.record;
  assert(record !== undefined);
  return record;
}

/** Where `target` is in `bytes`. */
function offsetsOf(target: Uint8Array, bytes: Uint8Array): number[] {
  const buffer = Buffer.from(bytes);
  const offsets: number[] = [];
  for (let at = buffer.indexOf(target); at >= 0; at = buffer.indexOf(target, at + 1)) {
    offsets.push(at);
  }
  return offsets;
}
