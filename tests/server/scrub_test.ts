import { assert, assertEquals } from "@std/assert";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import { Scrub } from "../../lib/server/scrub.ts";
import { StoreFailedError, StoreFullError } from "../../lib/storage/store.ts";
import type { ScanOptions, ScrubResult } from "../../lib/storage/store.ts";
import { eventually } from "../eventually.ts";
import { bytesOf, recordOf } from "../storage/sample.ts";

/** An interval in which nothing begins by itself, in milliseconds. */
const never = 1_000_000_000;

/** An interval that is over at once, in milliseconds. */
const atOnce = 1;

/** A store of which a test decides what is damaged. */
class FakeStore {
  readonly records: readonly FileRecord[];
  readonly damaged = new Set<string>();
  /** Where each step began. */
  readonly steps: string[] = [];
  totalsRepaired = false;
  /** Thrown by the next step. */
  failure: unknown;
  /** A step ends when this has. */
  held: Promise<void> = Promise.resolve();

  constructor(records: readonly FileRecord[]) {
    this.records = records;
  }

  scan({ after = "", limit }: ScanOptions): FileRecord[] {
    return this.records.filter(({ name }) => name > after).slice(0, limit);
  }

  async scrub(after: string, limit: number): Promise<ScrubResult> {
    this.steps.push(after);
    const names = this.scan({ after, limit, tombstones: true }).map(({ name }) => name);
    const { failure, totalsRepaired } = this;
    this.failure = undefined;
    this.totalsRepaired = false;
    const damaged = names.filter((name) => this.damaged.delete(name));
    await this.held;
    if (failure !== undefined) throw failure;
    const next = names.length < limit ? undefined : names.at(-1);
    return { damaged, totalsRepaired, ...(next === undefined ? {} : { next }) };
  }
}

/** A scrub of a {@linkcode FakeStore}; nobody can give what is in `lost`. */
class Fixture implements AsyncDisposable {
  readonly store: FakeStore;
  readonly scrub: Scrub;
  readonly mended: (readonly string[])[] = [];
  readonly lost = new Set<string>();
  readonly failures: unknown[] = [];

  constructor(records: readonly FileRecord[], intervalMs = never) {
    this.store = new FakeStore(records);
    this.scrub = new Scrub({
      store: this.store,
      mend: (names) => {
        this.mended.push(names);
        return Promise.resolve(names.filter((name) => this.lost.has(name)));
      },
      onFatal: (error) => this.failures.push(error),
      intervalMs,
    });
    this.scrub.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scrub.close();
  }
}

function files(count: number, size = 1): FileRecord[] {
  const record = recordOf("", { body: bytesOf(1) });
  return Array.from(
    { length: count },
    (_, i) => ({ ...record, size, name: `${i}`.padStart(4, "0") }),
  );
}

Deno.test("verify() checks every record once, and tells what was repaired and what is lost", async () => {
  await using fixture = new Fixture(files(200));
  const { store, scrub, mended } = fixture;
  for (const name of ["0001", "0002", "0199"]) store.damaged.add(name);
  fixture.lost.add("0002");
  assertEquals(await scrub.verify(), {
    type: "VERIFY",
    status: 200,
    checked: 200,
    damaged: ["0001", "0002", "0199"],
    damagedCount: 3,
    lost: ["0002"],
    lostCount: 1,
  });
  assertEquals(mended, [["0001", "0002"], ["0199"]]);
});

Deno.test("verify() of nothing finds nothing", async () => {
  await using fixture = new Fixture([]);
  const { checked, damagedCount } = await fixture.scrub.verify();
  assertEquals([checked, damagedCount], [0, 0]);
  assertEquals(fixture.mended, []);
});

Deno.test("verify() counts what is damaged, and names what fits in an answer", async () => {
  await using fixture = new Fixture(files(300));
  for (const { name } of fixture.store.records) {
    fixture.store.damaged.add(name);
    fixture.lost.add(name);
  }
  const answer = await fixture.scrub.verify();
  assertEquals([answer.damagedCount, answer.lostCount], [300, 300]);
  const named = fixture.store.records.slice(0, answer.damaged?.length).map(({ name }) => name);
  assert(named.length > 0 && named.length < 300, `${named.length} names`);
  assertEquals([answer.damaged, answer.lost], [named, named]);
});

Deno.test("verify() asks nobody for a name that no file can have, and counts it", async () => {
  const [record] = files(1);
  assert(record !== undefined);
  await using fixture = new Fixture([{ ...record, name: "a\u0000" }, { ...record, name: "b" }]);
  for (const { name } of fixture.store.records) fixture.store.damaged.add(name);
  const answer = await fixture.scrub.verify();
  assertEquals(fixture.mended, [["b"]]);
  assertEquals([answer.damagedCount, answer.damaged, answer.lostCount], [2, ["b"], 0]);
});

Deno.test("the core is told when the totals were put right, even if no file was damaged", async () => {
  await using fixture = new Fixture(files(1));
  fixture.store.totalsRepaired = true;
  await fixture.scrub.verify();
  assertEquals(fixture.mended, [[]]);
  await fixture.scrub.verify();
  assertEquals(fixture.mended, [[]]);
});

Deno.test("verify() while another is under way shares the next pass with all that wait for it", async () => {
  await using fixture = new Fixture(files(2));
  const { store, scrub } = fixture;
  const hold = Promise.withResolvers<void>();
  store.held = hold.promise;
  const first = scrub.verify();
  await eventually(() => store.steps.length === 1, { what: "the first pass to begin" });
  const others = [scrub.verify(), scrub.verify()];
  // The first pass has been there already.
  store.damaged.add("0000");
  store.held = Promise.resolve();
  hold.resolve();
  assertEquals((await first).damagedCount, 0);
  for (const answer of await Promise.all(others)) assertEquals(answer.damagedCount, 1);
  assertEquals(store.steps.length, 2);
});

Deno.test("what is damaged is mended without being asked, pass after pass", async () => {
  await using fixture = new Fixture(files(100), atOnce);
  for (const name of ["0099", "0000"]) {
    fixture.store.damaged.add(name);
    await eventually(() => fixture.mended.some((names) => names.includes(name)), {
      what: `${name} to be mended`,
    });
  }
  assertEquals(fixture.failures, []);
});

Deno.test("the background gives way to verify(), and begins anew after it", async () => {
  await using fixture = new Fixture(files(130), atOnce);
  const { store, scrub } = fixture;
  const hold = Promise.withResolvers<void>();
  store.held = hold.promise;
  await eventually(() => store.steps.length === 1, { what: "the background to begin" });
  const verified = scrub.verify();
  store.held = Promise.resolve();
  hold.resolve();
  await verified;
  const pass = ["", "0063", "0127"];
  assertEquals(store.steps, ["", ...pass]);
  await eventually(() => store.steps.length >= 7, { what: "the background to go on" });
  assertEquals(store.steps.slice(0, 7), ["", ...pass, ...pass]);
});

Deno.test("the background reads no faster than 14 MB in a second", async () => {
  await using fixture = new Fixture(files(4, 1_400_000), atOnce);
  const { store } = fixture;
  await eventually(() => store.steps.length > 0, { what: "the background to begin" });
  const began = performance.now();
  await eventually(() => store.steps.length > 3, { what: "four steps" });
  const leastMs = 300;
  const tookMs = performance.now() - began;
  assert(tookMs >= leastMs - 20, `three files of 1.4 MB took ${tookMs} ms`);
});

Deno.test("small files are checked many in a step, large ones one by one", async () => {
  await using fixture = new Fixture([...files(65, 100), ...largeFiles()]);
  assertEquals((await fixture.scrub.verify()).checked, 68);
  assertEquals(fixture.store.steps, ["", "0063", "0064", "large-1", "large-2", "large-3"]);
});

for (
  const { what, error, says } of [
    {
      what: "no room",
      error: new StoreFullError("Cannot check the records: there is no room on the disk"),
      says: "there is no room on the disk",
    },
    {
      what: "too many open files",
      error: Object.assign(new Error("Too many open files"), { code: "EMFILE" }),
      says: "there are too many open files",
    },
  ]
) {
  Deno.test(`verify() is refused when there is ${what}, and the background goes on`, async () => {
    await using fixture = new Fixture(files(1), atOnce);
    const { store, scrub, mended, failures } = fixture;
    store.failure = error;
    await eventually(() => store.failure === undefined, { what: "the background to fail" });
    store.damaged.add("0000");
    await eventually(() => mended.length > 0, { what: "the background to go on" });

    await using quiet = new Fixture(files(1));
    quiet.store.failure = error;
    assertEquals(await quiet.scrub.verify(), {
      type: "VERIFY",
      status: 503,
      error: `Cannot check everything now: ${says}`,
    });
    assertEquals((await quiet.scrub.verify()).status, 200);
    assertEquals([failures, quiet.failures], [[], []]);
    await scrub.close();
  });
}

Deno.test("a disk that fails is told once, and nothing more is read", async () => {
  await using fixture = new Fixture(files(1));
  const { store, scrub, failures } = fixture;
  const error = new StoreFailedError("Cannot check the records: input/output error");
  store.failure = error;
  assertEquals((await scrub.verify()).status, 503);
  assertEquals((await scrub.verify()).status, 503);
  assertEquals(failures, [error]);
  assertEquals(store.steps.length, 1);
});

Deno.test("close() ends a pass after the step that is under way, and refuses verify()", async () => {
  await using fixture = new Fixture(files(200));
  const { store, scrub } = fixture;
  const hold = Promise.withResolvers<void>();
  store.held = hold.promise;
  const verified = scrub.verify();
  await eventually(() => store.steps.length === 1, { what: "the pass to begin" });
  const closed = scrub.close();
  hold.resolve();
  await closed;
  const stops = { type: "VERIFY", status: 503, error: "This server stops" };
  assertEquals<unknown>([await verified, await scrub.verify()], [stops, stops]);
  assertEquals(store.steps.length, 1);
});

function largeFiles(): FileRecord[] {
  return files(3, 2_000_000).map((record, i) => ({ ...record, name: `large-${i + 1}` }));
}
