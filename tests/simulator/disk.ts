/**
 * The simulated disk of one server: what survives a crash.
 *
 * What `save` was called with is durable when it returns, and with it all that was written before; what
 * `write` was called with can be read from then on, and is durable after a `sync`, as with a `Store`.
 * What a process has not yet written when it dies is lost with it. A large body is a small stand-in under
 * its hash: the core sees only its record's size. A disk that is full refuses files; tombstones and the
 * list, for which a store keeps room, it still takes.
 */
import { createHash } from "node:crypto";
import { bucketCount, bucketDigits, type FileRecord } from "../../lib/ring/file_record.ts";
import { compareText, type MemberId } from "../../lib/ring/member.ts";
import { type Stamp, stampZero } from "../../lib/ring/stamp.ts";
import type { RecordWrite, SavedRing, StoredRing, WriteOutcome } from "../../lib/ring/step.ts";

/** The most records in a page: less than is asked for, to have more than one. */
const pageMax = 2;

/** SHA-256 of a text as UTF-8, in lower-case hexadecimal digits. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** One server's disk. */
export class Disk {
  #ring: SavedRing = { incarnation: 0, members: [], stampCeiling: stampZero };
  #highestStamp: Stamp = stampZero;
  readonly #records = new Map<string, FileRecord>();
  readonly #bodies = new Map<string, Uint8Array>();
  /** What was there under the names that were written since the last sync. */
  readonly #unsynced = new Map<string, FileRecord | undefined>();
  #digest: string | undefined;
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
    return this.#highestStamp;
  }

  /** The XOR of the hashes of all records, as in `StoreSummary`. */
  get digest(): string {
    return this.#digest ??= combine(this.records.map(recordHash), 64);
  }

  /** The digests of all buckets, as in `Store`. */
  get digests(): string {
    const hashes = Array.from({ length: bucketCount }, (): string[] => []);
    for (const record of this.records) hashes[bucketOf(record.name)]?.push(recordHash(record));
    return hashes.map((bucket) => combine(bucket, bucketDigits)).join("");
  }

  /** Every record, tombstones too, in the order of their names. */
  get records(): readonly FileRecord[] {
    return [...this.#records.values()].sort((a, b) => compareText(a.name, b.name));
  }

  load(): StoredRing {
    const { incarnation, members, stampCeiling } = this.#ring;
    const highestStamp = stampCeiling > this.#highestStamp ? stampCeiling : this.#highestStamp;
    return { incarnation, members, highestStamp };
  }

  save(ring: SavedRing): void {
    this.#ring = ring;
    this.sync();
  }

  /** Makes durable what was written. */
  sync(): void {
    this.#unsynced.clear();
  }

  /** Loses what was written since the last sync. */
  lose(): void {
    for (const [name, record] of this.#unsynced) {
      if (record === undefined) this.#records.delete(name);
      else this.#records.set(name, record);
    }
    this.#unsynced.clear();
    this.#digest = undefined;
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
    const own = this.digests;
    const differs = (bucket: number) => digestAt(own, bucket) !== digestAt(digests, bucket);
    const later = this.records
      .filter(({ name }) => differs(bucketOf(name)))
      .sort((a, b) => compareInBuckets(a.name, b.name))
      .filter(({ name }) => after === "" || compareInBuckets(name, after) > 0);
    const records = later.slice(0, Math.min(limit, pageMax));
    const last = records.at(-1);
    return last === undefined || later.length <= records.length
      ? { records }
      : { records, next: last.name };
  }

  /** Drops tombstones whose stamp is not above `upTo`, at most `limit`, durably, and returns them. */
  collect({ upTo, limit }: { upTo: Stamp; limit: number }): readonly FileRecord[] {
    this.sync();
    const dropped = this.records
      .filter(({ deleted, stamp }) => deleted === true && stamp <= upTo)
      .slice(0, limit);
    for (const { name } of dropped) this.#records.delete(name);
    this.#digest = undefined;
    return dropped;
  }

  /** Loses the record of a name, or its body, behind everybody's back. */
  damage(name: string, part: "record" | "body"): void {
    this.#unsynced.delete(name);
    this.damaged.add(name);
    this.wasDamaged = true;
    if (part === "body") this.#bodies.delete(this.#records.get(name)?.sha256 ?? "");
    else this.#records.delete(name);
    this.#digest = undefined;
  }

  hasBody(hash: string): boolean {
    return this.#bodies.has(hash);
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

  /** Stores what is newer than what is there, to be synced; all or nothing, should the disk be full. */
  write(batch: readonly RecordWrite[]): readonly WriteOutcome[] {
    const isRefused = ({ record }: RecordWrite) => this.isFull && record.deleted !== true;
    return batch.map((write) =>
      this.#verdict(write) ?? (isRefused(write) ? { outcome: "full" } : this.#store(write))
    );
  }

  /** Why a record is not stored, if it is not. */
  #verdict({ record, body }: RecordWrite): WriteOutcome | undefined {
    const previous = this.#records.get(record.name);
    const isWhole = previous?.deleted === true || this.hasBody(previous?.sha256 ?? "");
    const isSame = previous?.stamp === record.stamp;
    if (previous !== undefined && previous.stamp >= record.stamp && (isWhole || !isSame)) {
      return { outcome: "superseded", previous };
    }
    const isBare = !record.deleted && body === undefined && !this.hasBody(record.sha256);
    return isBare ? { outcome: "bodyMissing" } : undefined;
  }

  #store({ record, body }: RecordWrite): WriteOutcome {
    const previous = this.#records.get(record.name);
    if (body !== undefined) this.#bodies.set(record.sha256, body);
    if (previous?.stamp === record.stamp) return { outcome: "stored" };
    this.#replace(record);
    return { outcome: "stored", ...(previous && { previous }) };
  }

  #replace(record: FileRecord): void {
    const { name } = record;
    if (!this.#unsynced.has(name)) this.#unsynced.set(name, this.#records.get(name));
    this.#digest = undefined;
    this.#records.set(name, record);
    if (record.stamp > this.#highestStamp) this.#highestStamp = record.stamp;
  }
}

/** The bucket of a name: the first byte of its hash. */
function bucketOf(name: string): number {
  return parseInt(sha256(name).slice(0, 2), 16);
}

function compareInBuckets(a: string, b: string): number {
  return bucketOf(a) - bucketOf(b) || compareText(a, b);
}

function digestAt(digests: string, bucket: number): string {
  return digests.slice(bucket * bucketDigits, (bucket + 1) * bucketDigits);
}

function recordHash({ name, stamp, sha256: body }: FileRecord): string {
  return sha256(`${name}\0${stamp}\0${body}`);
}

/** The XOR of the first digits of hashes. */
function combine(hashes: readonly string[], digits: number): string {
  const sum = hashes.reduce((sum, hash) => sum ^ BigInt(`0x${hash.slice(0, digits)}`), 0n);
  return sum.toString(16).padStart(digits, "0");
}
