/** Records that are changed in the database behind the store's back, and the format from before. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { DatabaseSync } from "node:sqlite";
import { type DiskStore, openDiskStore } from "../../lib/storage/disk_store.ts";
import { formatVersion } from "../../lib/storage/schema.ts";
import type { ScrubResult } from "../../lib/storage/store.ts";
import { needs } from "../permission.ts";
import { bytesOf, inline, readAll, sha256Of, stampAt, tombstone } from "./sample.ts";

const writes = [
  ...Array.from({ length: 7 }, (_, i) => inline(`file-${i}`, { body: bytesOf(100, i) })),
  tombstone("gone", 1),
];
const victim = "file-3";

/** Defines a test that is given a directory with a store of `writes`, which is closed. */
function test(name: string, body: (directory: string) => void | Promise<void>): void {
  Deno.test({
    name,
    ...needs("read", "write"),
    fn: async () => {
      const directory = Deno.makeTempDirSync();
      try {
        await visit(directory, (store) => store.write(writes));
        await body(directory);
      } finally {
        Deno.removeSync(directory, { recursive: true });
      }
    },
  });
}

async function visit<Result>(
  directory: string,
  body: (store: DiskStore) => Result | Promise<Result>,
): Promise<Result> {
  const store = openDiskStore(directory);
  try {
    return await body(store);
  } finally {
    store.close();
  }
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
  { what: "the hash of another body", set: `sha256 = '${sha256Of(bytesOf(100, 4))}'` },
  { what: "a hash that is none", set: "sha256 = ''" },
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
  change(directory, `UPDATE records SET stamp = 'z', sha256 = 'z' WHERE name = '${victim}'`);
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

for (const set of ["files = 9", "bytes = 0", "digest = '0'", `digest = '${"0".repeat(64)}'`]) {
  test(`DiskStore puts its totals right when they have ${set}`, async (directory) => {
    const before = await visit(directory, (store) => [store.summary(), store.load()]);
    change(directory, `UPDATE server SET ${set}`);
    await visit(directory, async (store) => {
      assertEquals(await scrubAll(store, 3), { damaged: [], totalsRepaired: true, next: "" });
      assertEquals([store.summary(), store.load()], before);
    });
    await visit(directory, (store) => assertEquals([store.summary(), store.load()], before));
  });
}

test("DiskStore.scrub() finds a bit that was flipped in the database's file", async (directory) => {
  const { record, body } = writes[3] ?? {};
  assert(record !== undefined && body !== undefined);
  const summary = await visit(directory, (store) => store.summary());
  const path = `${directory}/ring.db`;
  const whole = Deno.readFileSync(path);
  // All places of these: in the table and in its index, and the body.
  const targets = [record.stamp, record.sha256, record.contentType, body]
    .map((target) => Buffer.from(target));
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

test("openDiskStore() brings a store of format 1 up to date", async (directory) => {
  const before = await visit(directory, contentsOf);
  change(directory, "ALTER TABLE records DROP COLUMN checksum; PRAGMA user_version = 1");
  await visit(directory, async (store) => {
    assertEquals(contentsOf(store), before);
    assertEquals(await scrubAll(store, 3), { damaged: [], totalsRepaired: false, next: "" });
  });
  const database = new DatabaseSync(`${directory}/ring.db`);
  assertEquals(database.prepare("PRAGMA user_version").get()?.user_version, formatVersion);
  database.close();
});

function contentsOf(store: DiskStore) {
  const records = store.scan({ limit: 100, tombstones: true });
  return { id: store.id, ring: store.load(), summary: store.summary(), records };
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
