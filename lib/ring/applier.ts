/**
 * The applier: makes this server hold a record, with its body.
 *
 * Applying is idempotent and commutes: the greater stamp wins, whatever comes first. A record is never
 * stored without its body; the store says when it has none, and then it is fetched from another member.
 */
import type { Address } from "./address.ts";
import type { Effects } from "./effects.ts";
import { type FileRecord, hasLargeBody } from "./file_record.ts";
import { type Stamp, type StampClock, stampZero } from "./stamp.ts";
import type { RecordWrite, WriteOutcome } from "./step.ts";

/** How many small bodies a server fetches at the same time: about a page of records. */
export const smallFetchesMax = 256;
/** How many large bodies a server fetches at the same time: each is a stream to the disk. */
export const largeFetchesMax = 16;

/** A record to apply. */
export interface Application {
  readonly record: FileRecord;
  /** The body, if it is small and came with the record. */
  readonly body?: Uint8Array | undefined;
  /** Who may have the body, tried in turn. */
  readonly sources: readonly Address[];
  /** The transfer in which a large body went ahead of its record. */
  readonly upload?: string | undefined;
}

/** How an application ended. */
export type Applied =
  | {
    readonly deed: "stored";
    readonly previous: FileRecord | undefined;
    readonly changed: boolean;
  }
  | { readonly deed: "failed"; readonly reason: "full" | "bodyMissing" };

type Then = (applied: Applied) => void;

/** Fetches of one kind: some under way, the others waiting for their turn. */
interface Lane {
  readonly max: number;
  running: number;
  readonly waiting: (() => void)[];
}

/** Applies records on one server. */
export class Applier {
  readonly #effects: Effects;
  readonly #clock: StampClock;
  readonly #small = newLane(smallFetchesMax);
  readonly #large = newLane(largeFetchesMax);
  readonly #arriving = newLane(Infinity);
  #open = 0;
  #forgone: Stamp = stampZero;

  constructor(effects: Effects, clock: StampClock) {
    this.#effects = effects;
    this.#clock = clock;
  }

  /** Whether no application is under way. */
  get isIdle(): boolean {
    return this.#open === 0;
  }

  /** Tombstones up to this stamp are dropped: what other servers still have on its way is no news. */
  forgo(stamp: Stamp): void {
    if (stamp > this.#forgone) this.#forgone = stamp;
  }

  /** Whether a write that is going round was settled before tombstones were dropped. */
  isPast({ stamp }: FileRecord): boolean {
    return stamp <= this.#forgone;
  }

  /** Makes a record durable here, its body too, unless a newer one is here already. */
  apply(application: Application, then: Then): void {
    this.#open++;
    this.#clock.observe(application.record.stamp);
    this.#write(application, (applied) => {
      this.#open--;
      // What is stored tells the clock of a later life; what could not be is to be written down for it.
      const { stamp } = application.record;
      if (applied.deed === "failed") this.#clock.forgo(stamp, this.#effects.now.wall);
      then(applied);
    });
  }

  #write(application: Application, then: Then): void {
    const { record, body } = application;
    this.#effects.write(recordWrite(record, body), (outcome) => {
      if (outcome.outcome !== "bodyMissing") return then(appliedAs(outcome));
      if (application.sources.length === 0) return then({ deed: "failed", reason: "bodyMissing" });
      this.#fetch(application, then);
    });
  }

  #fetch(application: Application, then: Then): void {
    const { record, sources, upload } = application;
    // What is arriving already is waited for at once: its creator waits as well.
    const isArriving = upload !== undefined;
    const lane = isArriving ? this.#arriving : hasLargeBody(record) ? this.#large : this.#small;
    if (lane.running >= lane.max) {
      lane.waiting.push(() => this.#fetch(application, then));
      return;
    }
    lane.running++;
    this.#effects.fetch({ record, sources, upload }, (ok, body) => {
      lane.running--;
      if (ok) this.#effects.write(recordWrite(record, body), (outcome) => then(appliedAs(outcome)));
      else then({ deed: "failed", reason: "bodyMissing" });
      lane.waiting.shift()?.();
    });
  }
}

function newLane(max: number): Lane {
  return { max, running: 0, waiting: [] };
}

function recordWrite(record: FileRecord, body: Uint8Array | undefined): RecordWrite {
  return body === undefined ? { record } : { record, body };
}

function appliedAs(outcome: WriteOutcome): Applied {
  switch (outcome.outcome) {
    case "stored":
      return { deed: "stored", previous: outcome.previous, changed: true };
    case "superseded":
      return { deed: "stored", previous: outcome.previous, changed: false };
    case "full":
    case "bodyMissing":
      return { deed: "failed", reason: outcome.outcome };
  }
}
