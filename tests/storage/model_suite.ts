/** A store against a naive model of it, with random batches of writes. */
import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { bucketCount, bucketDigits, type FileRecord } from "../../lib/ring/file_record.ts";
import type { Stamp } from "../../lib/ring/stamp.ts";
import type { RecordWrite, WriteOutcome } from "../../lib/ring/step.ts";
import type { ScanOptions, Store, StoreSummary } from "../../lib/storage/store.ts";
import { alterDigests, bucketOfName } from "./bucket_suite.ts";
import { bytesOf, inline, recordOf, sha256Of, stampAt, tombstone } from "./sample.ts";

type Test = (what: string, body: (store: Store) => void | Promise<void>) => void;

/** UTF-16 puts the pairs of U+10000 before U+FFFD, UTF-8 after it. */
const names = ["a", "a/b", "a/b/c", "a\u{10FFFF}", "b", "é", "\u{FFFD}", "\u{10000}", "\u{10000}a"];
const prefixes = ["", "a", "a/", "\u{10000}", "\u{10FFFF}", "b", "c"];
const bodies = [0, 1, 2, 300].map((size) => bytesOf(size));
const runs = 60;

/** Every store is shared by the runs of a property, so each run writes names of its own. */
let runCount = 0;

/** Defines the tests by `test`. */
export function testModel(test: Test): void {
  test("does what a naive model does", (store) => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.array(arbitraryWrite(), { maxLength: 6 }), arbitraryCollection()), {
          maxLength: 8,
        }),
        (raw) => {
          const folder = `${runCount++}/`;
          const model = new Model(store);
          for (const [writes, collection] of raw) {
            const batch = writes.map((write) => inFolder(write, folder));
            assertEquals(store.write(batch), model.write(batch));
            if (collection) assertEquals(store.collect(collection), model.collect(collection));
            assertEquals(store.summary(), model.summary());
            assertEquals(store.digests(), model.digests());
            assertEquals(store.load().highestStamp, model.highestStamp());
            for (const body of bodies) {
              assertEquals(store.hasBody(sha256Of(body)), model.hasBody(sha256Of(body)));
            }
          }
        },
      ),
      { numRuns: runs },
    );
  });

  test("scans in the order of the bytes of the names", (store) => {
    const model = new Model(store);
    const batch = names.map((name, i) =>
      i % 4 === 3 ? tombstone(name, 1) : inline(name, { body: bytesOf(i) })
    );
    assertEquals(store.write(batch.toReversed()), model.write(batch.toReversed()));
    fc.assert(
      fc.property(arbitraryScan(), (options) => {
        assertEquals(store.scan(options), model.scan(options));
      }),
      { numRuns: 4 * runs },
    );
  });

  test("compares in the order of the buckets and of the bytes of the names", (store) => {
    const folders = Array.from({ length: 99 }, (_, n) => `${n}/`);
    const batch = folders.flatMap((folder) =>
      names.map((name, i) =>
        i % 4 === 3 ? tombstone(folder + name, 1) : inline(folder + name, { body: bytesOf(i) })
      )
    );
    const model = new Model(store);
    assertEquals(store.write(batch), model.write(batch));
    fc.assert(
      fc.property(arbitraryComparison(folders), ({ buckets, ...range }) => {
        const digests = alterDigests(store.digests(), buckets);
        assertEquals(store.compare({ digests, ...range }), model.compare({ buckets, ...range }));
      }),
      { numRuns: 4 * runs },
    );
  });

  test("has a digest that does not depend on the order of the writes", (store) => {
    const empty = store.summary().digest;
    const writes = names.map((name, i) => inline(name, { stamp: i + 1, body: bytesOf(i) }));
    fc.assert(
      fc.property(
        fc.shuffledSubarray(writes, { minLength: writes.length }),
        fc.nat(),
        (shuffled, cut) => {
          const folder = `${runCount++}/`;
          const start = store.summary().digest;
          const ordered = writes.map((write) => inFolder(write, folder));
          const batch = shuffled.map((write) => inFolder(write, folder));
          const half = cut % batch.length;
          store.write(batch.slice(half));
          store.write(batch.slice(0, half));
          const added = naiveDigest(ordered.map(({ record }) => record));
          assertEquals(store.summary().digest, hex(BigInt(`0x${start}`) ^ added));
        },
      ),
      { numRuns: runs },
    );
    assert(store.summary().digest !== empty);
  });
}

function arbitraryWrite(): fc.Arbitrary<RecordWrite> {
  return fc.record({
    name: fc.constantFrom(...names),
    stamp: fc.integer({ min: 1, max: 12 }),
    body: fc.constantFrom(...bodies),
    kind: fc.constantFrom("inline", "inline", "reference", "delete"),
  }).map(({ name, stamp, body, kind }) => {
    if (kind === "delete") return tombstone(name, stamp);
    if (kind === "inline") return inline(name, { stamp, body });
    return { record: recordOf(name, { stamp, body }) };
  });
}

function arbitraryScan(): fc.Arbitrary<ScanOptions> {
  return fc.record({
    prefix: fc.constantFrom(...prefixes),
    after: fc.constantFrom("", "a/a", "zz", ...names),
    limit: fc.integer({ min: 1, max: names.length + 1 }),
    tombstones: fc.boolean(),
  });
}

function arbitraryCollection(): fc.Arbitrary<Collection | undefined> {
  return fc.option(
    fc.record({
      upTo: fc.integer({ min: 0, max: 12 }).map(stampAt),
      limit: fc.integer({ min: 1, max: 4 }),
    }),
    { nil: undefined },
  );
}

function arbitraryComparison(folders: readonly string[]): fc.Arbitrary<Comparison> {
  const name = fc.tuple(fc.constantFrom(...folders), fc.constantFrom(...names));
  return fc.record({
    buckets: fc.uniqueArray(fc.nat({ max: bucketCount - 1 })),
    after: fc.oneof(fc.constantFrom("", "zz"), name.map(([folder, name]) => folder + name)),
    limit: fc.integer({ min: 1, max: 2 * names.length }),
  });
}

function inFolder({ record, ...rest }: RecordWrite, folder: string): RecordWrite {
  return { ...rest, record: { ...record, name: folder + record.name } };
}

/** Which tombstones to drop. */
interface Collection {
  readonly upTo: Stamp;
  readonly limit: number;
}

/** Which records to compare: those of these buckets. */
interface Comparison {
  readonly buckets: readonly number[];
  readonly after: string;
  readonly limit: number;
}

/** What a store should do, written down without a thought for speed. */
class Model {
  readonly #records = new Map<string, FileRecord>();
  #bodies: Set<string>;
  #highestStamp: Stamp;

  /** Begins with what is in the store already. */
  constructor(store: Store) {
    const records = store.scan({ limit: Number.MAX_SAFE_INTEGER, tombstones: true });
    for (const record of records) this.#records.set(record.name, record);
    this.#bodies = this.#referredTo();
    this.#highestStamp = store.load().highestStamp;
  }

  write(batch: readonly RecordWrite[]): WriteOutcome[] {
    const outcomes = batch.map((write) => this.#writeOne(write));
    this.#bodies = this.#referredTo();
    return outcomes;
  }

  scan({ prefix = "", after = "", limit, tombstones }: ScanOptions): FileRecord[] {
    return [...this.#records.values()]
      .filter(({ name }) => name.startsWith(prefix) && compareBytes(name, after) > 0)
      .filter(({ deleted }) => tombstones || !deleted)
      .sort((a, b) => compareBytes(a.name, b.name))
      .slice(0, limit);
  }

  compare({ buckets, after, limit }: Comparison): FileRecord[] {
    const isAfter = (name: string) => after === "" || compareBuckets(name, after) > 0;
    return [...this.#records.values()]
      .filter(({ name }) => buckets.includes(bucketOfName(name)) && isAfter(name))
      .sort((a, b) => compareBuckets(a.name, b.name))
      .slice(0, limit);
  }

  collect({ upTo, limit }: Collection): number {
    const dropped = [...this.#records.values()]
      .filter(({ deleted, stamp }) => deleted && stamp <= upTo)
      .sort((a, b) => compareBytes(a.stamp, b.stamp) || compareBytes(a.name, b.name))
      .slice(0, limit);
    for (const { name } of dropped) this.#records.delete(name);
    return dropped.length;
  }

  digests(): string {
    const digests = new Array<bigint>(bucketCount).fill(0n);
    for (const record of this.#records.values()) {
      const bucket = bucketOfName(record.name);
      digests[bucket] = (digests[bucket] ?? 0n) ^ naiveDigest([record]);
    }
    return digests.map((digest) => hex(digest).slice(0, bucketDigits)).join("");
  }

  summary(): StoreSummary {
    const records = [...this.#records.values()];
    const files = records.filter(({ deleted }) => !deleted);
    return {
      files: files.length,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
      digest: hex(naiveDigest(records)),
    };
  }

  highestStamp(): Stamp {
    return this.#highestStamp;
  }

  hasBody(sha256: string): boolean {
    return sha256 === sha256Of(new Uint8Array(0)) || this.#bodies.has(sha256);
  }

  #writeOne({ record, body }: RecordWrite): WriteOutcome {
    const previous = this.#records.get(record.name);
    if (previous !== undefined && previous.stamp >= record.stamp) {
      return { outcome: "superseded", previous };
    }
    const isThere = record.deleted || body !== undefined || this.hasBody(record.sha256);
    if (!isThere) return { outcome: "bodyMissing" };
    this.#records.set(record.name, record);
    if (record.stamp > this.#highestStamp) this.#highestStamp = record.stamp;
    if (body !== undefined) this.#bodies.add(record.sha256);
    return previous === undefined ? { outcome: "stored" } : { outcome: "stored", previous };
  }

  #referredTo(): Set<string> {
    return new Set([...this.#records.values()].map(({ sha256 }) => sha256));
  }
}

function naiveDigest(records: readonly FileRecord[]): bigint {
  return records.reduce((digest, { name, stamp, sha256 }) => {
    const text = new TextEncoder().encode([name, stamp, sha256].join("\0"));
    return digest ^ BigInt(`0x${sha256Of(text)}`);
  }, 0n);
}

function hex(digest: bigint): string {
  return digest.toString(16).padStart(64, "0");
}

function compareBuckets(a: string, b: string): number {
  return bucketOfName(a) - bucketOfName(b) || compareBytes(a, b);
}

function compareBytes(a: string, b: string): number {
  const [left, right] = [new TextEncoder().encode(a), new TextEncoder().encode(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
