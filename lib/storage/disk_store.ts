/**
 * A {@linkcode Store} on disk, in one directory:
 *
 * ```
 * ring.lock             held by the one process that has the store open
 * ring.db               SQLite: this server, the list, the records, bodies that came with their records
 * bodies/2c/2cf24d…     bodies that were streamed, by their SHA-256
 * bodies/tmp/           bodies on their way in
 * ```
 *
 * A record is written only when its body is durable, and a body is removed only when it is durable
 * that no record refers to it. So a crash, wherever it comes, leaves bodies without a record at worst,
 * and those are swept when the store is opened.
 */
import type { DatabaseSync } from "node:sqlite";
import type { FileRecord } from "../ring/file_record.ts";
import type { Member, MemberId } from "../ring/member.ts";
import type { RecordWrite, StoredRing, WriteOutcome } from "../ring/step.ts";
import { AwaitedBodies } from "./awaited_bodies.ts";
import { assertInlineBody, BytesReader, emptySha256, keptBody, needsStoredBody } from "./body.ts";
import { lockDirectory, makeDirectory } from "./data_directory.ts";
import { diskError, openError } from "./disk_error.ts";
import { LargeBodies } from "./large_bodies.ts";
import { RecordTable } from "./record_table.ts";
import { type RecordTotals, replaceRecord, summarise } from "./record_totals.ts";
import { type DatabaseOptions, openDatabase } from "./schema.ts";
import { ServerTable } from "./server_table.ts";
import { SmallBodies } from "./small_bodies.ts";
import {
  type BodyReader,
  type BodyWriter,
  type ScanOptions,
  type Store,
  StoreFullError,
  type StoreSummary,
} from "./store.ts";
import { Transactions } from "./transaction.ts";

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
 * there is no room; if what is there is not a store, or that of a newer ring.
 */
export function openDiskStore(directory: string, options: DatabaseOptions = {}): DiskStore {
  const held = new DisposableStack();
  try {
    makeDirectory(directory);
    held.use(lockDirectory(directory));
    const bodies = held.adopt(new LargeBodies(`${directory}/bodies`), (bodies) => bodies.close());
    const database = openDatabase(`${directory}/ring.db`, options);
    held.defer(() => database.close());
    return new DiskStore(database, { bodies, held });
  } catch (error) {
    held.dispose();
    throw openError(directory, error);
  }
}

/** What a batch has come to while it is written. */
interface Batch {
  totals: RecordTotals;
  /** The bodies of records that were replaced. */
  readonly replaced: Set<string>;
}

/** Keeps everything on disk; {@linkcode openDiskStore} makes one. */
export class DiskStore implements Store {
  readonly id: MemberId;
  readonly #transactions: Transactions;
  readonly #server: ServerTable;
  readonly #records: RecordTable;
  readonly #small: SmallBodies;
  readonly #large: LargeBodies;
  readonly #awaited = new AwaitedBodies();
  readonly #held: DisposableStack;
  #totals: RecordTotals;

  /** Takes what is `held`, and lets go of it in `close`. */
  constructor(
    database: DatabaseSync,
    { bodies, held }: { bodies: LargeBodies; held: DisposableStack },
  ) {
    this.#held = held;
    this.#transactions = new Transactions(database);
    this.#server = new ServerTable(database);
    this.#records = new RecordTable(database);
    this.#small = new SmallBodies(database);
    this.#large = bodies;
    this.id = this.#server.id();
    this.#totals = this.#server.totals();
    bodies.sweep((sha256) => this.#records.refersTo(sha256));
  }

  load(): StoredRing {
    return {
      incarnation: this.#server.incarnation(),
      members: this.#server.members(),
      highestStamp: this.#totals.highestStamp,
    };
  }

  /**
   * @throws {StoreFullError} If there is no room.
   * @throws {StoreFailedError} If the disk fails, as all that writes here does.
   */
  save(ring: { incarnation: number; members: readonly Member[] }): void {
    attempt("save the list", () => this.#transactions.run(() => this.#server.save(ring)));
  }

  look(name: string): FileRecord | undefined {
    return attempt("read a record", () => this.#records.look(name));
  }

  scan(options: ScanOptions): FileRecord[] {
    return attempt("read the records", () => this.#records.scan(options));
  }

  /** @throws {StoreFailedError} If the disk fails: whether the batch is stored is then unknown. */
  write(batch: readonly RecordWrite[]): WriteOutcome[] {
    if (batch.length === 0) return [];
    const replaced = new Set<string>();
    const outcomes = this.#tryWrite(batch, replaced);
    this.#settle(batch, { outcomes, released: replaced });
    return outcomes;
  }

  hasBody(sha256: string): boolean {
    return attempt(
      "look for a body",
      () => sha256 === emptySha256 || this.#small.has(sha256) || this.#large.has(sha256),
    );
  }

  openBody(sha256: string): BodyReader | undefined {
    if (sha256 === emptySha256) return new BytesReader(new Uint8Array(0));
    return attempt("open a body", () => {
      const bytes = this.#small.get(sha256);
      return bytes === undefined ? this.#large.open(sha256) : new BytesReader(bytes);
    });
  }

  /** @throws {StoreFullError} If there is no room for even an empty file. */
  createBody(): BodyWriter {
    return this.#large.create((sha256) => this.#awaited.add(sha256));
  }

  summary(): StoreSummary {
    return summarise(this.#totals);
  }

  /** Closes the store, and all bodies that are open. */
  close(): void {
    this.#held.dispose();
  }

  #tryWrite(batch: readonly RecordWrite[], replaced: Set<string>): WriteOutcome[] {
    try {
      return attempt(`write a batch of ${batch.length}`, () => this.#writeAll(batch, replaced));
    } catch (error) {
      if (!(error instanceof StoreFullError)) throw error;
      replaced.clear();
      return batch.map(() => ({ outcome: "full" }));
    }
  }

  /** Leaves in `replaced` only the bodies that may be files. */
  #writeAll(batch: readonly RecordWrite[], replaced: Set<string>): WriteOutcome[] {
    const state: Batch = { totals: this.#totals, replaced };
    const outcomes = this.#transactions.run(() => {
      const outcomes = batch.map((write) => this.#writeOne(write, state));
      for (const sha256 of replaced) {
        const isNeeded = this.#records.refersTo(sha256);
        if (isNeeded || this.#small.remove(sha256)) replaced.delete(sha256);
      }
      if (state.totals !== this.#totals) this.#server.saveTotals(state.totals);
      return outcomes;
    });
    this.#totals = state.totals;
    return outcomes;
  }

  #writeOne(write: RecordWrite, batch: Batch): WriteOutcome {
    assertInlineBody(write);
    const { record, body } = write;
    const previous = this.#records.look(record.name);
    if (previous !== undefined && previous.stamp >= record.stamp) {
      return { outcome: "superseded", previous };
    }
    if (needsStoredBody(write) && !this.hasBody(record.sha256)) return { outcome: "bodyMissing" };

    if (body !== undefined && body.length > 0) this.#small.put(record.sha256, body);
    this.#records.put(record);
    batch.totals = replaceRecord(batch.totals, { previous, record });
    const replaced = keptBody(previous);
    if (replaced !== undefined) batch.replaced.add(replaced);
    return previous === undefined ? { outcome: "stored" } : { outcome: "stored", previous };
  }

  /**
   * Removes the files that nobody needs now that the batch is durable: of records that it replaced,
   * and of records that came to nothing.
   */
  #settle(
    batch: readonly RecordWrite[],
    { outcomes, released }: { outcomes: readonly WriteOutcome[]; released: Set<string> },
  ): void {
    batch.forEach((write, i) => {
      if (!needsStoredBody(write) || outcomes[i]?.outcome === "bodyMissing") return;
      this.#awaited.settle(write.record.sha256);
      released.add(write.record.sha256);
    });
    attempt("remove bodies", () => {
      for (const sha256 of released) {
        if (this.#awaited.has(sha256) || this.#records.refersTo(sha256)) continue;
        this.#large.remove(sha256);
      }
    });
  }
}

/** @throws {StoreFullError|StoreFailedError} If the disk is full, or fails. */
function attempt<Result>(action: string, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    throw diskError(action, error);
  }
}
