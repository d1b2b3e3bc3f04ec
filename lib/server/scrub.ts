/**
 * The scrub: a server reads and checks all that it holds, over and over, and has what was damaged
 * brought back from another server.
 *
 * What nobody reads may rot unnoticed until no server has a sound copy left. So a pass goes through
 * everything in small steps, at a bounded rate, and a new one begins when it is through. A VERIFY is a
 * pass at once. The store keeps account of one pass only: steps and VERIFYs follow each other, and
 * after a VERIFY the background begins anew.
 */
import { verifyNamesMax } from "../protocol/decode_answer.ts";
import { nameError } from "../protocol/name.ts";
import { logger } from "../log.ts";
import type { FileRecord } from "../ring/file_record.ts";
import type { VerifyAnswer } from "../ring/request.ts";
import { isPassing } from "../storage/disk_error.ts";
import { type Store, StoreFullError } from "../storage/store.ts";
import { nextTurn } from "../storage/turn.ts";

/** How often a pass begins at the most, unless told otherwise, in milliseconds. */
export const scrubIntervalDefaultMs = 30_000;

/** How much the background reads in a second: 500 MB in 36 s. */
const bytesPerSecond = 14_000_000;

/** What it takes to check a record is reckoned as reading so much of a body, in bytes. */
const recordBytes = 8192;

/** A step ends before it comes to more than this, unless its first record does. */
const stepBytesMax = 1024 * 1024;

/** How many records are checked in one step at the most. */
const stepRecordsMax = 64;

/** The shortest pause between two steps, in milliseconds. */
const pauseMsMin = 10;

/** How many names that are lost are remembered, not to be logged again at every pass. */
const lostNamesMax = 1024;

const log = logger("scrub");

/** What {@linkcode Scrub} is made of. */
export interface ScrubOptions {
  readonly store: Pick<Store, "scan" | "scrub">;
  /**
   * Has what was under these names brought back; returns those that could not be had, `undefined` if
   * the server stops before that is known. Without names, only the digest of the store has changed.
   */
  readonly mend: (names: readonly string[]) => Promise<readonly string[] | undefined>;
  /** The disk failed. */
  readonly onFatal: (error: unknown) => void;
  /** How often a pass begins at the most, in milliseconds. */
  readonly intervalMs?: number;
}

/** What one step came across. */
interface Step {
  readonly checked: number;
  /** What it is reckoned to have read, in bytes. */
  readonly bytes: number;
  readonly damaged: readonly string[];
  readonly lost: readonly string[];
  /** Where the next step goes on; absent at the end of the pass. */
  readonly next?: string;
}

/** Checks what one server holds. */
export class Scrub {
  readonly #options: ScrubOptions;
  readonly #intervalMs: number;
  /** Names that were logged as lost. */
  readonly #lost = new Set<string>();
  /** Where the background goes on. */
  #after = "";
  #passBegan = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Resolves when the store is left alone. */
  #last: Promise<void> = Promise.resolve();
  #waiting: Promise<VerifyAnswer> | undefined;
  #closed = false;

  constructor(options: ScrubOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? scrubIntervalDefaultMs;
  }

  /** Begins the first pass an interval from now. */
  start(): void {
    this.#sleep(this.#intervalMs);
  }

  /**
   * Checks everything at once, and tells what that found when it is mended. Whoever asks while others
   * are waiting for their turn shares it with them; what is under way has left names behind already.
   */
  verify(): Promise<VerifyAnswer> {
    this.#waiting ??= this.#inTurn(() => {
      this.#waiting = undefined;
      return this.#verify();
    });
    return this.#waiting;
  }

  /** Begins nothing more; resolves when what is under way has ended. */
  close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    return this.#last;
  }

  /** Does `work`, which never rejects, when what came before it has ended. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(work);
    this.#last = done.then(() => {});
    return done;
  }

  #sleep(milliseconds: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#inTurn(() => this.#goOn()), milliseconds);
  }

  /** One step of the background, and the pause after it. */
  async #goOn(): Promise<void> {
    if (this.#closed) return;
    const began = performance.now();
    if (this.#after === "") this.#passBegan = began;
    let bytes = 0;
    try {
      const step = await this.#step(this.#after);
      this.#after = step.next ?? "";
      bytes = step.bytes;
    } catch (error) {
      this.#after = "";
      const reason = this.#obstacle(error);
      if (reason === undefined) return;
      log.warn(`Cannot check what is stored, for now: ${reason}`);
    }
    const now = performance.now();
    // A disk that is slow for others' sake gets at least half of the time for them.
    const pauseMs = Math.max(pauseMsMin, now - began, began + 1000 * bytes / bytesPerSecond - now);
    const untilPassMs = this.#after === "" ? this.#passBegan + this.#intervalMs - now : 0;
    this.#sleep(Math.max(pauseMs, untilPassMs));
  }

  async #verify(): Promise<VerifyAnswer> {
    this.#after = "";
    const steps = new Findings();
    try {
      for (let after: string | undefined = ""; after !== undefined && !this.#closed;) {
        const step = await this.#step(after);
        steps.add(step);
        after = step.next;
        await nextTurn();
      }
    } catch (error) {
      const reason = this.#obstacle(error);
      if (reason !== undefined) return refusal(`Cannot check everything now: ${reason}`);
    }
    return this.#closed ? refusal("This server stops") : steps.answer();
  }

  async #step(after: string): Promise<Step> {
    const { store } = this.#options;
    // Read and counted in the same turn in which the store begins to check them.
    const records = store.scan({ after, limit: stepRecordsMax, tombstones: true });
    const { damaged, totalsRepaired, next } = await store.scrub(after, limitOf(records));
    if (totalsRepaired) log.warn("The totals of this store were wrong, and were put right");
    const end = next === undefined ? -1 : records.findIndex(({ name }) => name === next);
    const checked = end === -1 ? records : records.slice(0, end + 1);
    return {
      checked: new Set([...checked.map(({ name }) => name), ...damaged]).size,
      bytes: bytesOf(checked),
      damaged,
      lost: damaged.length > 0 || totalsRepaired ? await this.#mend(damaged) : [],
      ...(next === undefined ? {} : { next }),
    };
  }

  /** Returns the names of what could not be brought back. */
  async #mend(damaged: readonly string[]): Promise<readonly string[]> {
    // What no file can be named was not its name: its neighbours find out by the digest that it is gone.
    const names = damaged.filter((name) => nameError(name) === undefined);
    const lost = await this.#options.mend(names);
    if (lost === undefined) return [];
    for (const name of damaged) this.#report(name, lost.includes(name));
    return lost;
  }

  #report(name: string, isLost: boolean): void {
    const text = `${JSON.stringify(name)} was damaged or missing on this disk`;
    if (!isLost) {
      this.#lost.delete(name);
      return log.warn(`${text}, and was repaired`);
    }
    if (this.#lost.has(name)) return;
    if (this.#lost.size < lostNamesMax) this.#lost.add(name);
    log.warn(`${text}, and no other server could give it`);
  }

  /** Why a step could not be done now; `undefined` if the server cannot go on, which it is told. */
  #obstacle(error: unknown): string | undefined {
    if (error instanceof StoreFullError) return "there is no room on the disk";
    if (isPassing(error)) return "there are too many open files";
    this.#closed = true;
    this.#options.onFatal(error);
    return undefined;
  }
}

/** What a VERIFY has found so far. */
class Findings {
  readonly #damaged: string[] = [];
  readonly #lost: string[] = [];
  #checked = 0;
  #damagedCount = 0;
  #lostCount = 0;

  add({ checked, damaged, lost }: Step): void {
    this.#checked += checked;
    this.#damagedCount += damaged.length;
    this.#lostCount += lost.length;
    addNames(this.#damaged, damaged);
    addNames(this.#lost, lost);
  }

  answer(): VerifyAnswer {
    return {
      type: "VERIFY",
      status: 200,
      checked: this.#checked,
      damaged: this.#damaged,
      damagedCount: this.#damagedCount,
      lost: this.#lost,
      lostCount: this.#lostCount,
    };
  }
}

/** Adds the names that an answer has room for. */
function addNames(list: string[], names: readonly string[]): void {
  const valid = names.filter((name) => nameError(name) === undefined);
  list.push(...valid.slice(0, verifyNamesMax - list.length));
}

function refusal(error: string): VerifyAnswer {
  return { type: "VERIFY", status: 503, error };
}

/** How many of these records, which follow each other, make a step. */
function limitOf(records: readonly FileRecord[]): number {
  let bytes = 0;
  const count = records.findIndex((record) => (bytes += bytesOf([record])) > stepBytesMax);
  return count === -1 ? stepRecordsMax : Math.max(1, count);
}

function bytesOf(records: readonly FileRecord[]): number {
  return records.reduce((sum, { size }) => sum + size + recordBytes, 0);
}
