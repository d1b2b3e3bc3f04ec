/**
 * The simulated disk of one server: what survives a crash.
 *
 * What `save` and `write` were called with is durable when they return, as with a `Store`; what a
 * process has not yet written when it dies is lost with it. A large body is a small stand-in under
 * its hash: the core sees only its record's size. A disk that is full refuses files; the list, which
 * hardly grows, it still takes.
 */
import { createHash } from "node:crypto";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import { compareText, type Member, type MemberId } from "../../lib/ring/member.ts";
import { type Stamp, stampZero } from "../../lib/ring/stamp.ts";
import type { RecordWrite, StoredRing, WriteOutcome } from "../../lib/ring/step.ts";

/** The most records that a scan reads: less than is asked for, to have more than one page. */
const scanMax = 2;

/** SHA-256 of a text as UTF-8, in lower-case hexadecimal digits. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** One server's disk. */
export class Disk {
  #ring: { incarnation: number; members: readonly Member[] } = { incarnation: 0, members: [] };
  #highestStamp: Stamp = stampZero;
  readonly #records = new Map<string, FileRecord>();
  readonly #bodies = new Map<string, Uint8Array>();
  readonly #digest = new Uint8Array(32);
  #digestText: string | undefined;
  /** Whether there is no room for another file. */
  isFull = false;
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
    return this.#digestText ??= Array.from(
      this.#digest,
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join("");
  }

  /** Every record, tombstones too, in the order of their names. */
  get records(): readonly FileRecord[] {
    return [...this.#records.values()].sort((a, b) => compareText(a.name, b.name));
  }

  load(): StoredRing {
    return { ...this.#ring, highestStamp: this.#highestStamp };
  }

  save(ring: { incarnation: number; members: readonly Member[] }): void {
    this.#ring = ring;
  }

  look(name: string): FileRecord | undefined {
    return this.#records.get(name);
  }

  /** Some records after a name, at most `limit`, and the last one's name if there are more. */
  scan({ after, limit }: { after: string; limit: number }): {
    records: readonly FileRecord[];
    next?: string;
  } {
    const later = this.records.filter(({ name }) => compareText(name, after) > 0);
    const records = later.slice(0, Math.min(limit, scanMax));
    const last = records.at(-1);
    return last === undefined || later.length <= records.length
      ? { records }
      : { records, next: last.name };
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

  /** Stores what is newer than what is there; all or nothing, should the disk be full. */
  write(batch: readonly RecordWrite[]): readonly WriteOutcome[] {
    const isRefused = this.isFull && batch.some((write) => this.#verdict(write) === undefined);
    if (isRefused) return batch.map(() => ({ outcome: "full" }));
    return batch.map((write) => this.#verdict(write) ?? this.#store(write));
  }

  /** Why a record is not stored, if it is not. */
  #verdict({ record, body }: RecordWrite): WriteOutcome | undefined {
    const previous = this.#records.get(record.name);
    if (previous !== undefined && previous.stamp >= record.stamp) {
      return { outcome: "superseded", previous };
    }
    const isBare = !record.deleted && body === undefined && !this.hasBody(record.sha256);
    return isBare ? { outcome: "bodyMissing" } : undefined;
  }

  #store({ record, body }: RecordWrite): WriteOutcome {
    const previous = this.#records.get(record.name);
    if (body !== undefined) this.putBody(record.sha256, body);
    this.#replace(record, previous);
    return { outcome: "stored", ...(previous && { previous }) };
  }

  #replace(record: FileRecord, previous: FileRecord | undefined): void {
    if (previous !== undefined) this.#toggle(previous);
    this.#toggle(record);
    this.#records.set(record.name, record);
    if (record.stamp > this.#highestStamp) this.#highestStamp = record.stamp;
  }

  /** Puts a record into the digest, or takes it out. */
  #toggle({ name, stamp, sha256 }: FileRecord): void {
    this.#digestText = undefined;
    const hash = createHash("sha256").update(`${name}\0${stamp}\0${sha256}`).digest();
    this.#digest.forEach((byte, index) => this.#digest[index] = byte ^ (hash[index] ?? 0));
  }
}
