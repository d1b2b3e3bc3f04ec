/** A {@linkcode Store} in memory, for tests, the simulator and `ring server --memory`. */
import { createHash } from "node:crypto";
import { assert } from "../ring/assert.ts";
import { bucketCount, emptySha256, type FileRecord, inlineBytesMax } from "../ring/file_record.ts";
import type { MemberId } from "../ring/member.ts";
import { type Stamp, stampZero } from "../ring/stamp.ts";
import type { RecordWrite, SavedRing, StoredRing, WriteOutcome } from "../ring/step.ts";
import { AwaitedBodies } from "./awaited_bodies.ts";
import {
  assertInlineBody,
  BytesReader,
  findSuperseding,
  keptBody,
  needsStoredBody,
  sha256Of,
} from "./body.ts";
import { bucketOf, type CompareOptions, readDiffering } from "./bucket.ts";
import { compareName } from "./name_order.ts";
import { randomId } from "./random_id.ts";
import { growthOf, Quota, type QuotaOptions } from "./quota.ts";
import {
  changeTotals,
  formatBuckets,
  higherStamp,
  noRecords,
  type RecordTotals,
  summarise,
} from "./record_totals.ts";
import { SortedNames } from "./sorted_names.ts";
import {
  type BodyReader,
  type BodyWriter,
  type ScanOptions,
  type ScrubResult,
  type Store,
  StoreFullError,
  type StoreSummary,
} from "./store.ts";
import { nextTurn } from "./turn.ts";

/** How to make a store in memory. */
export interface MemoryStoreOptions {
  /** The most bytes that all bodies may take together; no limit by default. */
  readonly bytesMax?: number;
  /** How much it may hold. */
  readonly quota?: QuotaOptions;
  /** Milliseconds that never go back. */
  readonly now?: () => number;
  /** Where bodies are kept by their SHA-256, empty: lets a test damage them. */
  readonly bodies?: Map<string, Uint8Array>;
}

/** Keeps everything in memory, until it is forgotten: `close` does nothing. */
export class MemoryStore implements Store {
  readonly #records = new Map<string, FileRecord>();
  readonly #names = new SortedNames();
  /** The names in each bucket. */
  readonly #buckets = Array.from({ length: bucketCount }, () => new SortedNames());
  readonly #bodies: Map<string, Uint8Array>;
  /** How many records refer to a body. */
  readonly #references = new Map<string, number>();
  readonly #awaited: AwaitedBodies;
  readonly #bytesMax: number;
  readonly #quota: Quota;
  #isFull = false;
  #totals: RecordTotals = noRecords;
  #saved: SavedRing = { incarnation: 0, members: [], stampCeiling: stampZero };

  constructor(readonly id: MemberId = randomId(), options: MemoryStoreOptions = {}) {
    this.#bytesMax = options.bytesMax ?? Infinity;
    this.#quota = new Quota(options.quota);
    this.#bodies = options.bodies ?? new Map();
    this.#awaited = new AwaitedBodies(options.now ?? (() => performance.now()));
  }

  get isFull(): boolean {
    return this.#hasNoRoom() || this.#quota.isReached(this.#totals);
  }

  lacksRoomFor(name: string, size: number): "disk" | "quota" | undefined {
    if (this.#hasNoRoom()) return "disk";
    return this.#quota.takes(this.#totals, growthOf({ size }, this.look(name)))
      ? undefined
      : "quota";
  }

  load(): StoredRing {
    const { incarnation, members, stampCeiling } = this.#saved;
    const highestStamp = higherStamp(this.#totals.highestStamp, stampCeiling);
    return { incarnation, members, highestStamp };
  }

  save(ring: SavedRing): void {
    this.#saved = { ...ring, members: [...ring.members] };
  }

  look(name: string): FileRecord | undefined {
    return this.#records.get(name);
  }

  scan({ prefix = "", after = "", limit, tombstones }: ScanOptions): FileRecord[] {
    assert(Number.isInteger(limit) && limit > 0, `a scan is limited to ${limit} records`);
    const found: FileRecord[] = [];
    for (const name of this.#names.from(compareName(after, prefix) > 0 ? after : prefix)) {
      if (!name.startsWith(prefix) || found.length === limit) break;
      const record = this.#records.get(name);
      if (record === undefined || name === after) continue;
      if (tombstones || !record.deleted) found.push(record);
    }
    return found;
  }

  digests(): string {
    return formatBuckets(this.#totals.buckets);
  }

  compare(options: CompareOptions): FileRecord[] {
    return readDiffering({ ...options, own: this.digests() }, (bucket, { after, limit }) => {
      const found: FileRecord[] = [];
      for (const name of this.#buckets[bucket]?.from(after) ?? []) {
        if (found.length === limit) break;
        const record = this.#records.get(name);
        if (record !== undefined && name !== after) found.push(record);
      }
      return found;
    });
  }

  collect({ upTo, limit }: { upTo: Stamp; limit: number }): number {
    assert(Number.isInteger(limit) && limit > 0, `a collection is limited to ${limit} records`);
    const tombstones = [...this.#records.values()]
      .filter(({ deleted, stamp }) => deleted && stamp <= upTo)
      .sort((a, b) => a.stamp < b.stamp ? -1 : a.stamp > b.stamp ? 1 : compareName(a.name, b.name))
      .slice(0, limit);
    for (const tombstone of tombstones) this.#drop(tombstone);
    return tombstones.length;
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  write(batch: readonly RecordWrite[]): WriteOutcome[] {
    const bytes = batch.reduce((bytes, { body }) => bytes + (body?.length ?? 0), 0);
    if (!this.#hasNoRoom() && bytes > this.#room()) this.#isFull = true;
    const released = new Set<string>();
    const outcomes = batch.map((write) => this.#writeOne(write, released));
    for (const sha256 of released) this.#letGo(sha256);
    return outcomes;
  }

  hasBody(sha256: string): boolean {
    return sha256 === emptySha256 || this.#bodies.has(sha256);
  }

  openBody(sha256: string): BodyReader | undefined {
    const body = sha256 === emptySha256 ? new Uint8Array(0) : this.#bodies.get(sha256);
    return body === undefined ? undefined : new BytesReader(body);
  }

  createBody(): BodyWriter {
    for (const sha256 of this.#awaited.expire()) this.#letGo(sha256);
    if (this.#hasNoRoom()) throw fullError();
    return new MemoryBodyWriter({
      keep: (sha256, body) => {
        if (sha256 === emptySha256) return;
        this.#bodies.set(sha256, body);
        this.#awaited.add(sha256);
      },
      room: () => this.#room(),
    });
  }

  summary(): StoreSummary {
    return summarise(this.#totals);
  }

  async scrub(after: string, limit: number): Promise<ScrubResult> {
    for (const sha256 of this.#awaited.expire()) this.#letGo(sha256);
    const records = this.scan({ after, limit, tombstones: true });
    const damaged: string[] = [];
    for (const record of records) {
      if (this.#isBodyDamaged(record)) damaged.push(record.name);
      await nextTurn();
    }
    const last = records.length < limit ? undefined : records.at(-1);
    return { damaged, totalsRepaired: false, ...(last === undefined ? {} : { next: last.name }) };
  }

  close(): void {}

  /** Whether the body is here, as long as the record says. */
  #hasBodyOf({ sha256, size }: FileRecord): boolean {
    return this.hasBody(sha256) && this.#bodies.get(sha256)?.length === size;
  }

  /** Adds to `released` the bodies that this write may have made needless. */
  #writeOne(write: RecordWrite, released: Set<string>): WriteOutcome {
    assertInlineBody(write);
    const { record, body } = write;
    const previous = this.#records.get(record.name);
    const hasBody = (sha256: string) => this.hasBody(sha256);
    const newer = findSuperseding(write, { previous, hasBody });
    const isRefused = newer === undefined && !record.deleted &&
      (this.#isFull || !this.#quota.takes(this.#totals, growthOf(record, previous)));
    if (!newer && !isRefused && needsStoredBody(write) && !this.#hasBodyOf(record)) {
      return { outcome: "bodyMissing" };
    }
    if (needsStoredBody(write)) {
      this.#awaited.settle(record.sha256);
      released.add(record.sha256);
    }
    if (newer !== undefined) return { outcome: "superseded", previous: newer };
    if (isRefused) return { outcome: "full" };

    // A copy, as a slice would keep the whole buffer that it was received in.
    if (body !== undefined && body.length > 0) this.#bodies.set(record.sha256, body.slice());
    this.#put(record, previous);
    const replaced = keptBody(previous);
    if (replaced !== undefined) released.add(replaced);
    return previous === undefined ? { outcome: "stored" } : { outcome: "stored", previous };
  }

  #put(record: FileRecord, previous: FileRecord | undefined): void {
    const { name } = record;
    if (previous === undefined) {
      this.#names.add(name);
      this.#buckets[bucketOf(name)]?.add(name);
    }
    this.#records.set(name, record);
    this.#totals = changeTotals(this.#totals, [{ name, previous, record }]);
    this.#refer(keptBody(previous), -1);
    this.#refer(keptBody(record), +1);
  }

  #drop(tombstone: FileRecord): void {
    const { name } = tombstone;
    this.#names.remove(name);
    this.#buckets[bucketOf(name)]?.remove(name);
    this.#records.delete(name);
    this.#totals = changeTotals(this.#totals, [{ name, previous: tombstone, record: undefined }]);
  }

  #refer(sha256: string | undefined, change: number): void {
    if (sha256 === undefined) return;
    const references = (this.#references.get(sha256) ?? 0) + change;
    if (references > 0) this.#references.set(sha256, references);
    else this.#references.delete(sha256);
  }

  #letGo(sha256: string): void {
    if (this.#references.has(sha256) || this.#awaited.has(sha256)) return;
    this.#bodies.delete(sha256);
  }

  #hasNoRoom(): boolean {
    if (this.#isFull) this.#isFull = this.#room() < inlineBytesMax;
    return this.#isFull;
  }

  /** How many bytes more the bodies may take. */
  #room(): number {
    if (this.#bytesMax === Infinity) return Infinity;
    return [...this.#bodies.values()].reduce((room, { length }) => room - length, this.#bytesMax);
  }

  /** Checks the body of a record, and removes it if it is damaged. */
  #isBodyDamaged(record: FileRecord): boolean {
    const sha256 = keptBody(record);
    if (sha256 === undefined || this.#records.get(record.name) !== record) return false;
    const body = this.#bodies.get(sha256);
    if (body !== undefined && sha256Of(body) === sha256) return false;
    this.#bodies.delete(sha256);
    return true;
  }
}

function fullError(): StoreFullError {
  return new StoreFullError("Cannot write a body: there is no room in memory");
}

interface MemoryBodyWriterOptions {
  readonly keep: (sha256: string, body: Uint8Array) => void;
  /** How many bytes there is room for. */
  readonly room: () => number;
}

class MemoryBodyWriter implements BodyWriter {
  readonly #keep: (sha256: string, body: Uint8Array) => void;
  readonly #room: () => number;
  readonly #hash = createHash("sha256");
  #chunks: Uint8Array[] = [];
  #size = 0;

  constructor({ keep, room }: MemoryBodyWriterOptions) {
    this.#keep = keep;
    this.#room = room;
  }

  write(chunk: Uint8Array): Promise<void> {
    if (this.#size + chunk.length > this.#room()) return Promise.reject(fullError());
    this.#hash.update(chunk);
    this.#chunks.push(chunk.slice());
    this.#size += chunk.length;
    return Promise.resolve();
  }

  commit(): Promise<{ sha256: string; size: number }> {
    const body = new Uint8Array(this.#size);
    let offset = 0;
    for (const chunk of this.#chunks) {
      body.set(chunk, offset);
      offset += chunk.length;
    }
    const sha256 = this.#hash.digest("hex");
    this.#keep(sha256, body);
    return Promise.resolve({ sha256, size: this.#size });
  }

  abort(): Promise<void> {
    this.#chunks = [];
    return Promise.resolve();
  }
}
