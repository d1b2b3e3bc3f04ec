/**
 * A {@linkcode Store} on disk, in one directory:
 *
 * ```
 * reserve               room for what must not fail on a full disk (`room.ts`)
 * ring.lock             held by the one process that has the store open
 * ring.db               SQLite: this server, the list, the records, bodies that came with their records
 * bodies/2c/2cf24d…     bodies that were streamed, by their SHA-256
 * bodies/tmp/           bodies on their way in
 * ```
 *
 * A record is committed only when its body is durable, and a body is removed only when it is durable
 * that no record refers to it. So a crash, wherever it comes, leaves bodies without a record at worst,
 * and those are swept when the store is opened.
 */
import type { DatabaseSync } from "node:sqlite";
import { assert } from "../ring/assert.ts";
import type { FileRecord } from "../ring/file_record.ts";
import type { MemberId } from "../ring/member.ts";
import type { Stamp } from "../ring/stamp.ts";
import type { RecordWrite, SavedRing, StoredRing, WriteOutcome } from "../ring/step.ts";
import { assertInlineBody, findSuperseding, keptBody, needsStoredBody } from "./body.ts";
import { type CompareOptions, readDiffering } from "./bucket.ts";
import { lockDirectory, makeDirectory } from "./data_directory.ts";
import { DiskBodies, type Written } from "./disk_bodies.ts";
import { attempt, ifRoom, openError } from "./disk_error.ts";
import { LargeBodies } from "./large_bodies.ts";
import { RecordTable } from "./record_table.ts";
import { type Amount, growthOf, Quota, type QuotaOptions, sumOf } from "./quota.ts";
import {
  changeTotals,
  formatBuckets,
  higherStamp,
  type RecordChange,
  type RecordTotals,
  summarise,
} from "./record_totals.ts";
import { Room, transactionBytesMax } from "./room.ts";
import { type DatabaseOptions, openDatabase } from "./schema.ts";
import { Scrubber } from "./scrubber.ts";
import { ServerTable } from "./server_table.ts";
import { SmallBodies } from "./small_bodies.ts";
import {
  type BodyReader,
  type BodyWriter,
  type ScanOptions,
  type ScrubResult,
  type Store,
  type StoreSummary,
} from "./store.ts";
import { Transactions } from "./transaction.ts";
import { WriteAheadLog } from "./write_ahead_log.ts";

/** How to open a store on disk. */
export interface DiskStoreOptions extends DatabaseOptions {
  /** Milliseconds that never go back: lets a test advance them. */
  readonly now?: () => number;
  /** How much it may hold. */
  readonly quota?: QuotaOptions;
}

/**
 * Opens the store in `directory`, which is made if it is not there, for its owner alone. Sweeps what a
 * crash left behind.
 *
 * @example
 * ```ts ignore
 * const store = openDiskStore("ring-data/4043");
 * try {
 *   console.log(store.id, store.summary().files);
 * } finally {
 *   store.close();
 * }
 * ```
 *
 * @throws {StoreOpenError} If another process, or this one, has it open; if it is not permitted; if
 * there is no room; if what is there is not a store, or that of a newer or an older ring.
 */
export function openDiskStore(directory: string, options: DiskStoreOptions = {}): DiskStore {
  const held = new DisposableStack();
  try {
    makeDirectory(directory);
    held.use(lockDirectory(directory));
    const bodies = held.adopt(new LargeBodies(`${directory}/bodies`), (bodies) => bodies.close());
    const database = openDatabase(`${directory}/ring.db`, options);
    held.defer(() => database.close());
    const log = held.use(new WriteAheadLog(`${directory}/ring.db`));
    const now = options.now ?? (() => performance.now());
    const room = held.adopt(new Room(directory, { database, now }), (room) => room.close());
    const quota = new Quota(options.quota);
    return new DiskStore(database, { log, bodies, room, held, now, quota });
  } catch (error) {
    held.dispose();
    throw openError(directory, error);
  }
}

/** What {@linkcode DiskStore} is made of. */
interface Parts {
  readonly log: WriteAheadLog;
  readonly bodies: LargeBodies;
  readonly room: Room;
  readonly held: DisposableStack;
  readonly now: () => number;
  readonly quota?: Quota;
}

/** What a batch has come to while it is written. */
interface Batch {
  /** Whether there is no room but for tombstones. */
  readonly isFull: boolean;
  /** What the store holds by now. */
  held: Amount;
  readonly changes: RecordChange[];
  /** The bodies of records that were replaced. */
  readonly replaced: Set<string>;
}

/** Keeps everything on disk; {@linkcode openDiskStore} makes one. */
export class DiskStore implements Store {
  readonly id: MemberId;
  readonly #transactions: Transactions;
  readonly #server: ServerTable;
  readonly #records: RecordTable;
  readonly #bodies: DiskBodies;
  readonly #room: Room;
  readonly #quota: Quota;
  readonly #scrubber: Scrubber;
  readonly #held: DisposableStack;
  readonly #log: WriteAheadLog;
  #isClosed = false;
  #totals: RecordTotals;

  /** Takes what is `held`, and lets go of it in `close`. */
  constructor(database: DatabaseSync, { log, bodies: large, room, held, now, quota }: Parts) {
    this.#held = held;
    this.#log = log;
    this.#transactions = new Transactions(database, () => log.syncNow());
    this.#server = new ServerTable(database);
    this.#records = new RecordTable(database);
    this.#room = room;
    this.#quota = quota ?? new Quota();
    const small = new SmallBodies(database);
    this.#scrubber = new Scrubber({
      transactions: this.#transactions,
      server: this.#server,
      records: this.#records,
      small,
      large,
    });
    this.id = this.#server.id();
    this.#totals = this.#server.totals();
    const refersTo = (sha256: string) => this.#records.refersTo(sha256);
    this.#bodies = new DiskBodies({ small, large, refersTo, room, now });
  }

  get isFull(): boolean {
    return this.#room.isFull || this.#quota.isReached(this.#totals);
  }

  lacksRoomFor(name: string, size: number): "disk" | "quota" | undefined {
    if (this.#room.isFull) return "disk";
    return this.#quota.takes(this.#totals, growthOf({ size }, this.look(name)))
      ? undefined
      : "quota";
  }

  load(): StoredRing {
    return {
      incarnation: this.#server.incarnation(),
      members: this.#server.members(),
      highestStamp: higherStamp(this.#totals.highestStamp, this.#server.stampCeiling()),
    };
  }

  /**
   * @throws {StoreFullError} If there is no room, in the reserve either.
   * @throws {StoreFailedError} If the disk fails, as all that writes here does.
   */
  save(ring: SavedRing): void {
    this.#insist("save the list", () => this.#transactions.run(() => this.#server.save(ring)));
  }

  look(name: string): FileRecord | undefined {
    return attempt("read a record", () => this.#records.look(name));
  }

  scan(options: ScanOptions): FileRecord[] {
    return attempt("read the records", () => this.#records.scan(options));
  }

  digests(): string {
    return formatBuckets(this.#totals.buckets);
  }

  compare(options: CompareOptions): FileRecord[] {
    return attempt("read the records", () =>
      readDiffering(
        { ...options, own: this.digests() },
        (bucket, range) => this.#records.bucket(bucket, range),
      ));
  }

  /** @throws {StoreFullError} If there is no room, in the reserve either. */
  collect(options: { upTo: Stamp; limit: number }): number {
    const { limit } = options;
    assert(Number.isInteger(limit) && limit > 0, `a collection is limited to ${limit} records`);
    const dropped = this.#insist("drop tombstones", () =>
      this.#change((changes) => {
        for (const previous of this.#records.tombstones(options)) {
          this.#records.remove(previous);
          changes.push({ name: previous.name, previous, record: undefined });
        }
        return changes.length;
      }));
    const synced = this.#bodies.beginSync();
    this.#log.syncNow();
    synced();
    this.#room.noteTransaction();
    return dropped;
  }

  /** @throws {StoreFailedError} If the disk fails. */
  write(batch: readonly RecordWrite[]): WriteOutcome[] {
    return transactionsOf(batch).flatMap((part) => {
      const written = this.#tryWrite(part);
      this.#bodies.settle(part, written);
      if (written.outcomes.some(({ outcome }) => outcome === "stored")) this.#room.noteRemoval();
      this.#room.noteTransaction();
      return written.outcomes;
    });
  }

  /** @throws {StoreFailedError} If the disk fails: whether it has what was written is then unknown. */
  async sync(): Promise<void> {
    const synced = this.#bodies.beginSync();
    await this.#log.sync();
    if (!this.#isClosed) synced();
  }

  hasBody(sha256: string): boolean {
    return attempt("look for a body", () => this.#bodies.has(sha256));
  }

  openBody(sha256: string): BodyReader | undefined {
    return attempt("open a body", () => this.#bodies.open(sha256));
  }

  /** @throws {StoreFullError} If there is no room, for even an empty file. */
  createBody(): BodyWriter {
    return this.#bodies.create();
  }

  summary(): StoreSummary {
    return summarise(this.#totals);
  }

  async scrub(after: string, limit: number): Promise<ScrubResult> {
    this.#bodies.expire();
    const step = attempt(
      "check the records",
      () => this.#scrubber.scrubRecords({ after, limit, totals: this.#totals }),
    );
    this.#totals = step.totals;
    return await this.#scrubber.scrubBodies(step);
  }

  /** Closes the store, and all bodies that are open. */
  close(): void {
    this.#isClosed = true;
    this.#scrubber.close();
    this.#held.dispose();
  }

  #tryWrite(batch: readonly RecordWrite[]): Written {
    const action = `write a batch of ${batch.length}`;
    if (!this.#room.isFull) {
      const written = ifRoom(action, () => this.#writeAll(batch, { isFull: false }));
      if (written !== undefined) return written;
      this.#room.release();
    }
    const write = () => this.#writeAll(batch, { isFull: true });
    return ifRoom(action, () => this.#insist(action, write)) ??
      { outcomes: batch.map(() => ({ outcome: "full" })), replaced: new Set() };
  }

  /** Does what must not fail: on the room in reserve, if there is no other. */
  #insist<Result>(action: string, body: () => Result): Result {
    const done = ifRoom(action, () => ({ result: body() }));
    if (done !== undefined) return done.result;
    this.#room.release();
    return attempt(action, body);
  }

  #writeAll(batch: readonly RecordWrite[], { isFull }: { isFull: boolean }): Written {
    return this.#change((changes) => {
      const state = { isFull, held: this.#totals, changes, replaced: new Set<string>() };
      const outcomes = batch.map((write) => this.#writeOne(write, state));
      return { outcomes, replaced: this.#bodies.drop(state.replaced) };
    });
  }

  /** Does `body`, which notes what records it changes, in one transaction with the totals. */
  #change<Result>(body: (changes: RecordChange[]) => Result): Result {
    const changes: RecordChange[] = [];
    const { result, totals } = this.#transactions.commit(() => {
      const result = body(changes);
      if (changes.length === 0) return { result, totals: this.#totals };
      const totals = changeTotals(this.#totals, changes);
      this.#server.saveTotals(totals);
      return { result, totals };
    });
    this.#totals = totals;
    this.#bodies.noteCommit();
    this.#scrubber.noteChanges(changes);
    return result;
  }

  #writeOne(write: RecordWrite, batch: Batch): WriteOutcome {
    assertInlineBody(write);
    const { record, body } = write;
    const previous = this.#records.look(record.name);
    const hasBody = (sha256: string) => this.#bodies.has(sha256);
    const newer = findSuperseding(write, { previous, hasBody });
    if (newer !== undefined) return { outcome: "superseded", previous: newer };
    if (batch.isFull && !record.deleted) return { outcome: "full" };
    const growth = growthOf(record, previous);
    if (!this.#quota.takes(batch.held, growth)) return { outcome: "full" };
    if (needsStoredBody(write) && !this.#bodies.hasFor(record)) return { outcome: "bodyMissing" };

    if (body !== undefined) this.#bodies.put(record.sha256, body);
    this.#records.put(record, previous);
    batch.changes.push({ name: record.name, previous, record });
    batch.held = sumOf(batch.held, growth);
    const replaced = keptBody(previous);
    if (replaced !== undefined) batch.replaced.add(replaced);
    return previous === undefined ? { outcome: "stored" } : { outcome: "stored", previous };
  }
}

/** Divides a batch, mostly into one part: a transaction has a bound, in bytes. */
function transactionsOf(batch: readonly RecordWrite[]): RecordWrite[][] {
  const parts: RecordWrite[][] = [];
  let bytes = Infinity;
  for (const write of batch) {
    const size = write.body?.length ?? 0;
    bytes += size;
    if (bytes <= transactionBytesMax) {
      parts.at(-1)?.push(write);
    } else {
      parts.push([write]);
      bytes = size;
    }
  }
  return parts;
}
