/**
 * Scrubs a store on disk: looks for what has changed behind its back, and removes it.
 *
 * Removed, a record or a body is simply missing, which every part of the store and of the ring knows
 * how to mend; marked as damaged it would be a third state everywhere, to be kept across restarts.
 *
 * Records are checked at once, a step at a time; bodies one after the other, and the large ones are
 * read in the background. A body is read when the first name that refers to it comes by.
 */
import { assert } from "../ring/assert.ts";
import { emptySha256, type FileRecord } from "../ring/file_record.ts";
import { keptBody, sha256Of } from "./body.ts";
import { attempt } from "./disk_error.ts";
import type { LargeBodies } from "./large_bodies.ts";
import type { RecordPage, RecordTable } from "./record_table.ts";
import { equalTotals, higherStamp, type RecordChange, type RecordTotals } from "./record_totals.ts";
import { advancePass, newPass, noteChanges, type ScrubPass } from "./scrub_pass.ts";
import type { ServerTable } from "./server_table.ts";
import type { SmallBodies } from "./small_bodies.ts";
import type { ScrubResult } from "./store.ts";
import type { Transactions } from "./transaction.ts";
import { nextTurn } from "./turn.ts";

/** How many bytes of small bodies are hashed before others have their turn: some milliseconds. */
const turnBytesMax = 1024 * 1024;

/** The parts of a store that are scrubbed. */
export interface ScrubberParts {
  readonly transactions: Transactions;
  readonly server: ServerTable;
  readonly records: RecordTable;
  readonly small: SmallBodies;
  readonly large: LargeBodies;
}

/** Records that have been checked; their bodies are to follow. */
export interface ScrubStep {
  readonly records: readonly FileRecord[];
  /** The names of records that were damaged. */
  readonly damaged: readonly string[];
  /** What the records of the store come to now. */
  readonly totals: RecordTotals;
  readonly totalsRepaired: boolean;
  readonly next?: string;
}

/** Scrubs one store. */
export class Scrubber {
  readonly #parts: ScrubberParts;
  #isClosed = false;
  /** The pass that counts all records, if there is one. */
  #pass: ScrubPass | undefined;

  constructor(parts: ScrubberParts) {
    this.#parts = parts;
  }

  /** Checks the next records, and at the end what all of them come to, against `totals`. */
  scrubRecords(
    { after, limit, totals }: { after: string; limit: number; totals: RecordTotals },
  ): ScrubStep {
    assert(Number.isInteger(limit) && limit > 0, `a scrub is limited to ${limit} records`);
    if (after === "") this.#pass = newPass;
    else if (after !== this.#pass?.upTo) this.#pass = undefined;

    const { records, damaged, isLast } = this.#nextRecords(after, limit);
    const step = { records, damaged: damaged.map(({ name }) => name) };
    const next = records.at(-1)?.name;
    const pass = this.#pass && advancePass(this.#pass, { records, upTo: next ?? after });
    this.#pass = isLast ? undefined : pass;
    if (!isLast && next !== undefined) return { ...step, totals, totalsRepaired: false, next };
    return { ...step, ...this.#checkTotals(totals, pass?.totals) };
  }

  /** Counts what has been written or dropped between two steps. */
  noteChanges(changes: readonly RecordChange[]): void {
    this.#pass &&= noteChanges(this.#pass, changes);
  }

  /** Checks the bodies of these records. */
  async scrubBodies({ records, damaged, totalsRepaired, next }: ScrubStep): Promise<ScrubResult> {
    const names = [...damaged];
    let bytes = 0;
    for (const record of records) {
      if (this.#isClosed) break;
      if (await this.#isBodyDamaged(record)) names.push(record.name);
      bytes += record.size;
      if (bytes < turnBytesMax) continue;
      bytes = 0;
      await nextTurn();
    }
    if (this.#isClosed) return { damaged: [], totalsRepaired: false };
    return { damaged: names, totalsRepaired, ...(next === undefined ? {} : { next }) };
  }

  /** Ends what is under way: the parts are about to be closed. */
  close(): void {
    this.#isClosed = true;
  }

  /** At least one sound record, unless none is left: a damaged name is no place to go on from. */
  #nextRecords(after: string, limit: number): RecordPage {
    const damaged = [];
    for (;;) {
      const page = this.#parts.records.page(after, limit);
      this.#mendTable(page);
      damaged.push(...page.damaged);
      if (page.isLast || page.records.length > 0) return { ...page, damaged };
    }
  }

  /** Removes damaged rows, and makes the indexes anew if one does not have all that it should. */
  #mendTable({ records, damaged }: RecordPage): void {
    const { transactions, records: table } = this.#parts;
    if (damaged.length > 0) transactions.run(() => table.removeDamaged(damaged));
    else if (!records.every((record) => table.isIndexed(record))) {
      transactions.run(() => table.reindex());
    }
  }

  #checkTotals(
    totals: RecordTotals,
    counted: RecordTotals | undefined,
  ): { totals: RecordTotals; totalsRepaired: boolean } {
    const { transactions, server } = this.#parts;
    const isRight = counted === undefined ||
      (equalTotals(totals, counted) && equalTotals(server.totals(), counted));
    if (isRight) return { totals, totalsRepaired: false };
    // Not even a record that was lost lets the highest stamp sink: a stamp must never come twice.
    const highestStamp = higherStamp(totals.highestStamp, counted.highestStamp);
    const repaired = { ...counted, highestStamp };
    transactions.run(() => server.saveTotals(repaired));
    return { totals: repaired, totalsRepaired: true };
  }

  async #isBodyDamaged(record: FileRecord): Promise<boolean> {
    const { records, large } = this.#parts;
    const sha256 = keptBody(record);
    if (sha256 === undefined || sha256 === emptySha256) return false;
    if (records.look(record.name)?.stamp !== record.stamp) return false;
    if (this.#isFirst(record) && !this.#scrubSmall(sha256)) {
      await this.#whileOpen(() => large.scrub(sha256));
    }
    // The record may have been replaced meanwhile, and its body removed.
    return !this.#isClosed && !this.#hasBody(sha256) &&
      records.look(record.name)?.stamp === record.stamp;
  }

  /** Whether no record before this one has its body. */
  #isFirst({ name, sha256 }: FileRecord): boolean {
    return this.#parts.records.firstWith(sha256) === name;
  }

  /** Whether there is such a small body, and it is sound; one that is not is removed. */
  #scrubSmall(sha256: string): boolean {
    const { transactions, small } = this.#parts;
    return attempt("check a body", () => {
      if (!small.has(sha256)) return false;
      const bytes = small.get(sha256);
      if (bytes !== undefined && sha256Of(bytes) === sha256) return true;
      transactions.run(() => small.remove(sha256));
      return false;
    });
  }

  #hasBody(sha256: string): boolean {
    return this.#parts.small.has(sha256) || this.#parts.large.has(sha256);
  }

  /** Waits for `body`; to close the store closes the files that it reads, which is no failure. */
  async #whileOpen(body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } catch (error) {
      if (!this.#isClosed) throw error;
    }
  }
}
