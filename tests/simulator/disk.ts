/**
 * The simulated disk of one server: what survives a crash.
 *
 * What is stored, what it comes to and in which order it is compared is decided by the code of the
 * stores in `lib/storage/`; simulated is only when it becomes durable, and how it is lost.
 *
 * What `save` was called with is durable when it returns, and with it all that was written before; what
 * `write` was called with can be read from then on, and is durable after a `sync`, as with a `Store`.
 * What a process has not yet written when it dies is lost with it. A large body is a small stand-in under
 * its hash: the core sees only its record's size. A disk that is full refuses files; tombstones and the
 * list, for which a store keeps room, it still takes.
 */
import { createHash } from "node:crypto";
import { emptySha256, type FileRecord } from "../../lib/ring/file_record.ts";
import type { MemberId } from "../../lib/ring/member.ts";
import { type Stamp, stampZero } from "../../lib/ring/stamp.ts";
import type { RecordWrite, SavedRing, StoredRing, WriteOutcome } from "../../lib/ring/step.ts";
import { findSuperseding, needsStoredBody } from "../../lib/storage/body.ts";
import { bucketOf, readDiffering } from "../../lib/storage/bucket.ts";
import { compareName } from "../../lib/storage/name_order.ts";
import {
  changeTotals,
  formatBuckets,
  higherStamp,
  noRecords,
  type RecordTotals,
  summarise,
} from "../../lib/storage/record_totals.ts";

/** The most records in a page: less than is asked for, to have more than one. */
const pageMax = 2;

/** SHA-256 of a text as UTF-8, in lower-case hexadecimal digits. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** One server's disk. */
export class Disk {
  #ring: SavedRing = { incarnation: 0, members: [], stampCeiling: stampZero };
  readonly #records = new Map<string, FileRecord>();
  readonly #bodies = new Map<string, Uint8Array>();
  #totals: RecordTotals = noRecords;
  /** What was there under the names that were written since the last sync, and the highest stamp then. */
  readonly #unsynced = new Map<string, FileRecord | undefined>();
  #durableStamp: Stamp = stampZero;
  /** Whether there is no room for another file. */
  isFull = false;
  /** What a scrub would find. */
  readonly damaged = new Set<string>();
  wasDamaged = false;
  /** Whether the next sync fails, after which what it was for may be on the disk or not. */
  failsNextSync = false;

  /** Made, with its identity, when a server starts for the first time. */
  constructor(readonly id: MemberId) {}

  /** The highest stamp of all records that it ever held. */
  get highestStamp(): Stamp {
    return this.#totals.highestStamp;
  }

  /** The digest of all records, as in `StoreSummary`. */
  get digest(): string {
    return summarise(this.#totals).digest;
  }

  /** The digests of all buckets, as in `Store`. */
  get digests(): string {
    return formatBuckets(this.#totals.buckets);
  }

  /** Every record, tombstones too, in the order of their names. */
  get records(): readonly FileRecord[] {
    return [...this.#records.values()].sort((a, b) => compareName(a.name, b.name));
  }

  load(): StoredRing {
    const { incarnation, members, stampCeiling } = this.#ring;
    return { incarnation, members, highestStamp: higherStamp(stampCeiling, this.highestStamp) };
  }

  save(ring: SavedRing): void {
    this.#ring = ring;
    this.sync();
  }

  /** Makes durable what was written. */
  sync(): void {
    this.#unsynced.clear();
    this.#durableStamp = this.highestStamp;
  }

  /** Loses what was written since the last sync. */
  lose(): void {
    for (const [name, record] of this.#unsynced) this.#replace(name, record);
    this.#unsynced.clear();
    this.#totals = { ...this.#totals, highestStamp: this.#durableStamp };
  }

  /** What would be there under a name after a crash. */
  lookDurable(name: string): FileRecord | undefined {
    return this.#unsynced.has(name) ? this.#unsynced.get(name) : this.#records.get(name);
  }

  look(name: string): FileRecord | undefined {
    return this.#records.get(name);
  }

  /** Some records of the buckets that differ, and the last one's name if there are more. */
  compare({ digests, after, limit }: { digests: string; after: string; limit: number }): {
    records: readonly FileRecord[];
    next?: string;
  } {
    const length = Math.min(limit, pageMax);
    const all = this.records;
    const found = readDiffering(
      { own: this.digests, digests, after, limit: length + 1 },
      (bucket, range) =>
        all.filter(({ name }) => bucketOf(name) === bucket && compareName(name, range.after) > 0)
          .slice(0, range.limit),
    );
    const records = found.slice(0, length);
    const last = found.length > length ? records.at(-1) : undefined;
    return last === undefined ? { records } : { records, next: last.name };
  }

  /** Drops tombstones whose stamp is not above `upTo`, at most `limit`, durably, and returns them. */
  collect({ upTo, limit }: { upTo: Stamp; limit: number }): readonly FileRecord[] {
    this.sync();
    const dropped = this.records
      .filter(({ deleted, stamp }) => deleted === true && stamp <= upTo)
      .slice(0, limit);
    for (const { name } of dropped) this.#replace(name, undefined);
    return dropped;
  }

  /** Loses the record of a name, or its body, behind everybody's back. */
  damage(name: string, part: "record" | "body"): void {
    this.#unsynced.delete(name);
    this.damaged.add(name);
    this.wasDamaged = true;
    if (part === "body") this.#bodies.delete(this.#records.get(name)?.sha256 ?? "");
    else this.#replace(name, undefined);
  }

  hasBody(hash: string): boolean {
    return hash === emptySha256 || this.#bodies.has(hash);
  }

  body(hash: string): Uint8Array | undefined {
    return this.#bodies.get(hash);
  }

  /** Keeps a body if there is room, and tells whether there was. */
  putBody(hash: string, body: Uint8Array): boolean {
    if (this.isFull) return false;
    this.#bodies.set(hash, body);
    return true;
  }

  /** Stores what is newer than what is there, to be synced. */
  write(batch: readonly RecordWrite[]): readonly WriteOutcome[] {
    return batch.map((write) => this.#writeOne(write));
  }

  #writeOne(write: RecordWrite): WriteOutcome {
    const { record, body } = write;
    const previous = this.#records.get(record.name);
    const hasBody = (hash: string) => this.hasBody(hash);
    const newer = findSuperseding(write, { previous, hasBody });
    if (newer !== undefined) return { outcome: "superseded", previous: newer };
    if (this.isFull && !record.deleted) return { outcome: "full" };
    if (needsStoredBody(write) && !hasBody(record.sha256)) return { outcome: "bodyMissing" };
    if (body !== undefined) this.#bodies.set(record.sha256, body);
    if (!this.#unsynced.has(record.name)) this.#unsynced.set(record.name, previous);
    this.#replace(record.name, record);
    return previous === undefined ? { outcome: "stored" } : { outcome: "stored", previous };
  }

  #replace(name: string, record: FileRecord | undefined): void {
    const previous = this.#records.get(name);
    if (record === undefined) this.#records.delete(name);
    else this.#records.set(name, record);
    this.#totals = changeTotals(this.#totals, [{ name, previous, record }]);
  }
}
