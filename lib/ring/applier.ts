/**
 * The applier: makes this server hold a record, with its body.
 *
 * Applying is idempotent and commutes: the greater stamp wins, whatever comes first. A record is never
 * stored without its body; the store says when it has none, and then it is fetched from another member.
 */
import type { Address } from "./address.ts";
import type { Effects } from "./effects.ts";
import type { FileRecord } from "./file_record.ts";
import type { StampClock } from "./stamp.ts";
import type { RecordWrite, WriteOutcome } from "./step.ts";

/** How many bodies a server fetches at the same time. */
export const fetchesMax = 16;

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

/** Applies records on one server. */
export class Applier {
  readonly #effects: Effects;
  readonly #clock: StampClock;
  /** The applications under way, in the order in which they began. */
  readonly #open = new Set<number>();
  readonly #waiting: { readonly last: number; readonly then: () => void }[] = [];
  readonly #fetchQueue: (() => void)[] = [];
  #fetching = 0;
  #last = 0;

  constructor(effects: Effects, clock: StampClock) {
    this.#effects = effects;
    this.#clock = clock;
  }

  /** Makes a record durable here, its body too, unless a newer one is here already. */
  apply(application: Application, then: Then): void {
    const number = ++this.#last;
    this.#open.add(number);
    this.#clock.observe(application.record.stamp);
    this.#write(application, (applied) => {
      this.#open.delete(number);
      then(applied);
      this.#release();
    });
  }

  /** Calls `then` once all applications that have begun by now have ended. */
  whenSettled(then: () => void): void {
    if (this.#open.size === 0) return then();
    this.#waiting.push({ last: this.#last, then });
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
    if (this.#fetching >= fetchesMax) {
      this.#fetchQueue.push(() => this.#fetch(application, then));
      return;
    }
    this.#fetching++;
    const { record, sources, upload } = application;
    this.#effects.fetch({ record, sources, upload }, (ok, body) => {
      this.#fetching--;
      if (ok) this.#effects.write(recordWrite(record, body), (outcome) => then(appliedAs(outcome)));
      else then({ deed: "failed", reason: "bodyMissing" });
      this.#fetchQueue.shift()?.();
    });
  }

  #release(): void {
    const [oldest = Infinity] = this.#open;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (first.last >= oldest) return;
      this.#waiting.shift();
      first.then();
    }
  }
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
