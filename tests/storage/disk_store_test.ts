import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { createHash } from "node:crypto";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import { diskError, StoreFailedError } from "../../lib/storage/disk_error.ts";
import { type DiskStore, openDiskStore } from "../../lib/storage/disk_store.ts";
import { bucketQuery, tombstonesQuery } from "../../lib/storage/record_table.ts";
import { reserveBytes } from "../../lib/storage/room.ts";
import { formatVersion } from "../../lib/storage/schema.ts";
import { StoreFullError, StoreOpenError } from "../../lib/storage/store.ts";
import { needs } from "../permission.ts";
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
import { testInDirectory, visit } from "./in_directory.ts";
import { openDiskStoreToHarm } from "./open_disk_store.ts";
import { testStore } from "./store_suite.ts";

const disk = needs("read", "write");
const large = bytesOf(inlineBytesMax + 1);

testStore("DiskStore", { ...disk, open: openDiskStoreToHarm });

/** The paths of all files under `directory`, sorted. */
function filesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) => {
    const path = `${directory}/${name}`;
    return isDirectory ? filesIn(path) : [path];
  }).sort();
}

testInDirectory("DiskStore keeps everything across a restart", async (directory) => {
  const small = bytesOf(1000);
  const member = {
    id: "a".repeat(32),
    incarnation: 3,
    status: "suspect",
    address: "[::1]:4043",
    position: "80",
  } as const;
  const before = await visit(directory, async (store) => {
    store.save({ incarnation: 5, members: [member], stampCeiling: stampAt(8) });
    await upload(store, large);
    store.write([inline("small", { body: small }), { record: recordOf("large", { body: large }) }]);
    store.write([tombstone("gone", 9)]);
    return contentsOf(store);
  });
  await visit(directory, async (store) => {
    assertEquals(contentsOf(store), before);
    assertEquals(before.ring, { incarnation: 5, members: [member], highestStamp: stampAt(9) });
    assertEquals(await readAll(store.openBody(sha256Of(small))), small);
    assertEquals(await readAll(store.openBody(sha256Of(large))), large);
  });
});

testInDirectory(
  "DiskStore makes no stamp anew after a restart: neither a dropped one nor one it promised",
  async (directory) => {
    const load = (change: (store: DiskStore) => void) =>
      visit(directory, (store) => {
        change(store);
        return store.load().highestStamp;
      });
    await load((store) => store.write([tombstone("gone", 9), inline("a", { body: bytesOf(1) })]));
    assertEquals(await load((store) => store.collect({ upTo: stampAt(9), limit: 1 })), stampAt(9));
    assertEquals(await load((store) => store.write([tombstone("b", 5)])), stampAt(9));
    const ring = { incarnation: 1, members: [], stampCeiling: stampAt(12) };
    assertEquals(await load((store) => store.save(ring)), stampAt(12));
    assertEquals(await load(() => {}), stampAt(12));
  },
);

testInDirectory("openDiskStore() makes the directory for its owner alone", async (directory) => {
  await visit(`${directory}/ring-data/4043`, () => {});
  const { mode } = Deno.statSync(`${directory}/ring-data/4043`);
  if (mode !== null) assertEquals(mode & 0o777, 0o700);
});

testInDirectory("openDiskStore() refuses a directory that is in use", async (directory) => {
  await visit(directory, () => {
    const error = assertThrows(() => openDiskStore(directory), StoreOpenError);
    assertEquals(
      error.message,
      `Cannot open the store in "${directory}": it is in use by another ring server`,
    );
  });
  await visit(directory, () => {});
});

for (const [age, version] of [["a newer", formatVersion + 1], ["an older", formatVersion - 1]]) {
  testInDirectory(`openDiskStore() refuses ${age} format`, async (directory) => {
    await visit(directory, () => {});
    const database = new DatabaseSync(`${directory}/ring.db`);
    database.exec(`PRAGMA user_version = ${version}`);
    database.close();
    const message = `its format is ${version}, and this ring knows format ${formatVersion} only; ` +
      `${age} ring wrote it`;
    assertThrows(() => openDiskStore(directory), StoreOpenError, message);
    // It let go of the directory.
    assertThrows(() => openDiskStore(directory), StoreOpenError, message);
  });
}

testInDirectory("openDiskStore() refuses what is not a store", (directory) => {
  const file = `${directory}/file`;
  Deno.writeTextFileSync(file, "");
  assertThrows(() => openDiskStore(file), StoreOpenError, "it is not a directory");
  assertThrows(() => openDiskStore(`${file}/data`), StoreOpenError, "it is not a directory");

  const text = `${directory}/text`;
  Deno.mkdirSync(text);
  Deno.writeTextFileSync(`${text}/ring.db`, "This is no database. ".repeat(100));
  assertThrows(() => openDiskStore(text), StoreOpenError, "its ring.db is not a database");

  const foreign = `${directory}/foreign`;
  Deno.mkdirSync(foreign);
  const database = new DatabaseSync(`${foreign}/ring.db`);
  database.exec("CREATE TABLE songs (title TEXT)");
  database.close();
  assertThrows(() => openDiskStore(foreign), StoreOpenError, "another program");
});

testInDirectory("openDiskStore() says that it may not open a directory", (directory) => {
  const closed = `${directory}/closed`;
  Deno.mkdirSync(closed, { mode: 0o500 });
  if (Deno.uid() === 0) return; // Root may write anywhere.
  assertThrows(() => openDiskStore(closed), StoreOpenError, "the operating system forbids it");
});

testInDirectory("openDiskStore() sweeps what a crash left", async (directory) => {
  const orphan = bytesOf(large.length, 2);
  await visit(directory, async (store) => {
    await upload(store, large);
    store.write([{ record: recordOf("large", { body: large }) }]);
    await upload(store, orphan);
  });
  Deno.writeTextFileSync(`${directory}/bodies/tmp/0123`, "half a body");
  await visit(directory, async (store) => {
    assertEquals(store.hasBody(sha256Of(orphan)), false);
    assertEquals(await readAll(store.openBody(sha256Of(large))), large);
    const sha256 = sha256Of(large);
    const path = `${directory}/bodies/${sha256.slice(0, 2)}/${sha256}`;
    assertEquals(filesIn(`${directory}/bodies`), [path]);
  });
});

testInDirectory(
  "DiskStore leaves no file behind for a body that came to nothing",
  async (directory) => {
    await visit(directory, async (store) => {
      const aborted = store.createBody();
      await aborted.write(large);
      assertEquals(filesIn(`${directory}/bodies`).length, 1);
      await aborted.abort();
      await aborted.abort();
      await assertRejects(() => aborted.commit(), Error, "its writer is closed");
      assertEquals(filesIn(`${directory}/bodies`), []);

      const again = await upload(store, large);
      assertEquals(await upload(store, large), again);
      assertEquals(filesIn(`${directory}/bodies`).length, 1);
      store.write([{ record: recordOf("a", { body: large }) }]);
      // Two uploads came, and one record: the second may still be on its way.
      store.write([{ record: recordOf("b", { body: large }) }]);
      store.write([tombstone("a", 2), tombstone("b", 2)]);
      assertEquals(
        filesIn(`${directory}/bodies`).length,
        1,
        "no crash may bring their records back",
      );
      await store.sync();
      assertEquals(filesIn(`${directory}/bodies`), []);
    });
  },
);

testInDirectory(
  "DiskStore keeps a file as long as a crash may bring its record back, whatever is synced",
  async (directory) => {
    await visit(directory, async (store) => {
      await upload(store, large);
      store.write([{ record: recordOf("a", { body: large }) }]);
      const earlier = store.sync();
      store.write([tombstone("a", 2)]);
      await earlier;
      assertEquals(filesIn(`${directory}/bodies`).length, 1, "the tombstone may be lost");
      await store.sync();
      assertEquals(filesIn(`${directory}/bodies`), []);
    });
  },
);

testInDirectory("DiskStore.close() closes the bodies that are open", async (directory) => {
  const [reader, writer] = await visit(directory, async (store) => {
    await upload(store, large);
    store.write([{ record: recordOf("a", { body: large }) }]);
    const writer = store.createBody();
    await writer.write(large);
    return [store.openBody(sha256Of(large)), writer];
  });
  await assertRejects(() => writer.write(large), Error, "its writer is closed");
  await assertRejects(() => readAll(reader));
  await visit(directory, () => assertEquals(filesIn(`${directory}/bodies`).length, 1));
});

testInDirectory("DiskStore streams 40 MiB in chunks of random sizes", async (directory) => {
  const size = 40 * 1024 * 1024;
  const source = bytesOf(1 << 20);
  await visit(directory, async (store) => {
    const expected = createHash("sha256");
    const writer = store.createBody();
    for (let left = size; left > 0;) {
      const chunk = source.subarray(0, Math.min(left, 1 + Math.floor(Math.random() * (1 << 20))));
      expected.update(chunk);
      await writer.write(chunk);
      left -= chunk.length;
    }
    const body = await writer.commit();
    assertEquals(body, { sha256: expected.digest("hex"), size });

    const actual = createHash("sha256");
    const reader = store.openBody(body.sha256);
    for await (const chunk of reader?.chunks() ?? []) actual.update(chunk);
    reader?.close();
    assertEquals(actual.digest("hex"), body.sha256);
  });
});

testInDirectory(
  "DiskStore answers full when there is no room, and can still be read",
  async (directory) => {
    const store = openDiskStore(directory, { pagesMax: 40 });
    const room = bytesOf(inlineBytesMax);
    try {
      await upload(store, large);
      assertEquals(store.write([inline("a", { body: room })])[0]?.outcome, "stored");
      const before = [store.summary(), store.digests(), store.load()];
      const batch = [
        inline("small", { stamp: 2, body: bytesOf(1) }),
        { record: recordOf("large", { stamp: 2, body: large }) },
        ...[2, 3, 4, 5].map((i) => inline(`${i}`, { body: bytesOf(inlineBytesMax, i) })),
      ];
      assertEquals(store.write(batch), batch.map(() => ({ outcome: "full" })));

      assertEquals([store.summary(), store.digests(), store.load()], before);
      assertEquals(store.scan({ limit: 9, tombstones: true }).map(({ name }) => name), ["a"]);
      assertEquals(await readAll(store.openBody(sha256Of(room))), room);
      // Its record came to nothing: it gives its room back.
      await store.sync();
      assertEquals(store.hasBody(sha256Of(large)), false);

      assertEquals(store.write([tombstone("a", 3)])[0]?.outcome, "stored");
      assertEquals(store.write(batch.slice(0, 1)), [{ outcome: "stored" }]);
    } finally {
      store.close();
    }
    await visit(directory, (store) => assertEquals(store.summary().files, 1));
  },
);

testInDirectory("DiskStore keeps its log within bounds", async (directory) => {
  await visit(directory, (store) => {
    for (let i = 0; i < 600; i++) {
      store.write([inline(`${i % 10}`, { stamp: i + 1, body: bytesOf(inlineBytesMax, i) })]);
    }
    const { size } = Deno.statSync(`${directory}/ring.db-wal`);
    assert(size <= 8 * 1024 * 1024, `the log has ${size} bytes`);
    assert(Deno.statSync(`${directory}/ring.db`).size <= 8 * 1024 * 1024);
  });
});

testInDirectory(
  "DiskStore keeps the file no further behind the log than the reserve has room for",
  async (directory) => {
    const size = 10 * 1024;
    await visit(directory, (store) => {
      for (let batch = 0; batch < 12; batch++) {
        const names = Array.from({ length: 256 }, (_, n) => 256 * batch + n);
        store.write(names.map((n) => inline(`${n}`, { body: bytesOf(size, n) })));
        const behind = store.summary().bytes - Deno.statSync(`${directory}/ring.db`).size;
        assert(behind < reserveBytes, `${behind} bytes are in the log alone`);
        const log = Deno.statSync(`${directory}/ring.db-wal`).size;
        assert(log <= 12 * 1024 * 1024, `the log has ${log} bytes`);
      }
    });
  },
);

for (
  const { what, query, plan } of [
    {
      what: "the records of a body",
      query: "SELECT 1 FROM records WHERE sha256 = ? AND deleted = 0 LIMIT 1",
      plan: "SEARCH records USING COVERING INDEX records_by_body (sha256=?)",
    },
    {
      what: "the records of a bucket, in order,",
      query: bucketQuery,
      plan: "SEARCH records USING INDEX records_by_bucket (bucket=? AND name>?)",
    },
    {
      what: "the oldest tombstones",
      query: tombstonesQuery,
      plan: "SEARCH records USING INDEX tombstones_by_stamp (stamp<?)",
    },
  ]
) {
  testInDirectory(`DiskStore finds ${what} by an index`, async (directory) => {
    await visit(directory, () => {});
    const database = new DatabaseSync(`${directory}/ring.db`);
    const steps = database.prepare(`EXPLAIN QUERY PLAN ${query}`).all();
    database.close();
    assertEquals(steps.map(({ detail }) => detail), [plan]);
  });
}

Deno.test("diskError() takes an error of no room, or of no quota, for a full disk", () => {
  for (
    const cause of [
      Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" }),
      Object.assign(new Error("Quota exceeded (os error 122)"), { code: "EDQUOT" }),
      Object.assign(new Error("database is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 }),
    ]
  ) {
    const error = diskError("write a body", cause);
    assert(error instanceof StoreFullError);
    assertEquals(error.message, "Cannot write a body: there is no room on the disk");
    assertEquals(error.cause, cause);
  }
});

Deno.test("diskError() takes an error of input or output for a broken disk", () => {
  const broken = Object.assign(new Error("Input/output error (os error 5)"), { code: "EIO" });
  const sqlite = Object.assign(new Error("disk I/O error"), {
    code: "ERR_SQLITE_ERROR",
    errcode: 1034,
  });
  for (const cause of [broken, sqlite]) {
    const error = diskError("write a body", cause);
    assert(error instanceof StoreFailedError);
    assertEquals(error.message, `Cannot write a body: ${cause.message}`);
    assertEquals(error.cause, cause);
  }
});

Deno.test("diskError() leaves what is not the disk's error as it is", () => {
  const crowded = Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });
  for (const error of [crowded, new TypeError("a bug"), "text", undefined]) {
    assertEquals(diskError("write a body", error), error);
  }
});
