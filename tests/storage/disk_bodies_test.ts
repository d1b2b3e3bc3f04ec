import { assertEquals } from "@std/assert";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import type { RecordWrite, WriteOutcome } from "../../lib/ring/step.ts";
import { DiskBodies } from "../../lib/storage/disk_bodies.ts";
import { LargeBodies } from "../../lib/storage/large_bodies.ts";
import { openDatabase } from "../../lib/storage/schema.ts";
import { SmallBodies } from "../../lib/storage/small_bodies.ts";
import { testInDirectory } from "./in_directory.ts";
import { bytesOf, recordOf, sha256Of, tombstone } from "./sample.ts";

const small = bytesOf(100, 1);
const large = bytesOf(inlineBytesMax + 1, 2);
const smallHash = sha256Of(small);
const largeHash = sha256Of(large);
const write: RecordWrite = { record: recordOf("large", { body: large }) };

/** The bodies of a store whose records are made up. */
class Kept {
  readonly bodies: DiskBodies;
  /** What records refer to. */
  readonly references = new Set<string>();
  /** How many files were removed. */
  removals = 0;

  constructor(parts: { small: SmallBodies; large: LargeBodies }) {
    this.bodies = new DiskBodies({
      ...parts,
      refersTo: (sha256) => this.references.has(sha256),
      room: { isFull: false, noteRemoval: () => this.removals++ },
      now: () => 0,
    });
  }

  /** Brings the large body, whose record is to follow. */
  async upload(): Promise<void> {
    const writer = this.bodies.create();
    await writer.write(large);
    await writer.commit();
  }

  /** Brings the large body, and commits its record. */
  async put(): Promise<void> {
    await this.upload();
    this.references.add(largeHash);
    this.bodies.noteCommit();
    this.settle("stored");
  }

  /** Commits a tombstone in place of the record of the large body. */
  delete(): void {
    this.references.delete(largeHash);
    const replaced = this.bodies.drop([largeHash]);
    this.bodies.noteCommit();
    this.bodies.settle([tombstone("large", 2)], { outcomes: [{ outcome: "stored" }], replaced });
  }

  /** Tells what became of the record of the large body. */
  settle(outcome: Exclude<WriteOutcome["outcome"], "superseded">): void {
    this.bodies.settle([write], { outcomes: [{ outcome }], replaced: new Set() });
  }

  get hasLarge(): boolean {
    return this.bodies.has(largeHash);
  }
}

function test(what: string, body: (kept: Kept) => void | Promise<void>): void {
  testInDirectory(`DiskBodies ${what}`, async (directory) => {
    using held = new DisposableStack();
    const large = held.adopt(new LargeBodies(`${directory}/bodies`), (bodies) => bodies.close());
    const database = held.adopt(
      openDatabase(`${directory}/ring.db`),
      (database) => database.close(),
    );
    await body(new Kept({ small: new SmallBodies(database), large }));
  });
}

test("keeps a file that was released until all committed before is durable", async (kept) => {
  await kept.put();
  kept.delete();
  const synced = kept.bodies.beginSync();
  assertEquals([kept.hasLarge, kept.removals], [true, 0]);
  synced();
  assertEquals([kept.hasLarge, kept.removals], [false, 1]);
});

test("takes a sync for no more than was committed when it began", async (kept) => {
  await kept.put();
  const synced = kept.bodies.beginSync();
  kept.delete();
  synced();
  assertEquals(kept.hasLarge, true);
  kept.bodies.beginSync()();
  assertEquals(kept.hasLarge, false);
});

test("knows what is durable although an earlier sync ends late", async (kept) => {
  const late = kept.bodies.beginSync();
  kept.bodies.noteCommit();
  kept.bodies.beginSync()();
  late();
  await kept.upload();
  kept.settle("full");
  assertEquals(kept.hasLarge, false);
});

test("removes a file at once whose record came to nothing, if all is durable", async (kept) => {
  await kept.upload();
  kept.settle("bodyMissing");
  assertEquals(kept.hasLarge, true, "its record is still to come");
  kept.settle("full");
  assertEquals([kept.hasLarge, kept.removals], [false, 1]);
});

test("keeps a file that was released and is needed again", async (kept) => {
  await kept.put();
  kept.delete();
  await kept.upload();
  kept.bodies.beginSync()();
  assertEquals(kept.hasLarge, true, "another record is to come");
  kept.references.add(largeHash);
  kept.settle("stored");
  assertEquals([kept.hasLarge, kept.removals], [true, 0]);
});

test("drops small bodies at once, and says what may be files", async (kept) => {
  await kept.put();
  kept.bodies.put(smallHash, small);
  kept.references.add(smallHash);
  assertEquals(kept.bodies.drop([smallHash, largeHash]), new Set());
  kept.references.clear();
  assertEquals(kept.bodies.drop([smallHash, largeHash]), new Set([largeHash]));
  assertEquals([kept.bodies.has(smallHash), kept.hasLarge], [false, true]);
});

test("has a body for a record only if it is as long as the record says", async (kept) => {
  await kept.put();
  kept.bodies.put(smallHash, small);
  for (const body of [small, large]) {
    const record = recordOf("a", { body });
    assertEquals(kept.bodies.hasFor(record), true);
    assertEquals(kept.bodies.hasFor({ ...record, size: body.length + 1 }), false);
  }
});
