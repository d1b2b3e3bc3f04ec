/**
 * What clients did and were told, and whether that can be true.
 *
 * Every body is unlike any other, so its SHA-256 names the write that it comes from. While faults go on,
 * no server shows less than it must (`floors.ts`); when the ring is whole again, every server has all
 * that was acknowledged before. At the end each name has the acknowledged write with the greatest
 * stamp, or one with a greater stamp of which no client knows the outcome.
 */
import type { FileRecord } from "../../lib/ring/file_record.ts";
import type { Stamp } from "../../lib/ring/stamp.ts";
import { Floors, type Group } from "./floors.ts";

/** How an operation ended for the client. */
export type Outcome =
  /** Done: 200 or 201. */
  | "done"
  /** 404. */
  | "notFound"
  /** It was certainly not done. */
  | "refused"
  /** It may have been done or not. */
  | "unknown"
  /** The answer makes no sense: wrong bytes, for example. */
  | "broken";

/** One operation of a client, when it has ended. */
export interface Operation {
  readonly type: "GET" | "PUT" | "DELETE";
  readonly name: string;
  /** The server that was asked, by number from 0. */
  readonly server: number;
  /** Milliseconds on the clock of `performance.now()`. */
  readonly start: number;
  readonly end: number;
  readonly outcome: Outcome;
  /** Of what was put, or of what was got. */
  readonly sha256?: string;
  readonly stamp?: Stamp;
  readonly copies?: number;
  readonly error?: string;
}

/** What one name holds at the end; a deletion leaves nothing. */
type Final = Pick<FileRecord, "stamp" | "sha256">;

interface NameHistory {
  /** SHA-256 of every body that was ever sent, whatever became of it. */
  readonly sent: Set<string>;
  /** Of those whose outcome is unknown, or is not known yet. */
  readonly uncertain: Set<string>;
  readonly acknowledged: Operation[];
  /** DELETEs whose outcome is unknown, or is not known yet. */
  uncertainDeletes: number;
}

/** All operations of a run. */
export class History {
  readonly operations: Operation[] = [];
  readonly #names = new Map<string, NameHistory>();
  readonly #stamps = new Set<Stamp>();
  readonly #floors: Floors;
  readonly #onViolation: (text: string) => void;

  constructor(servers: number, onViolation: (text: string) => void) {
    this.#floors = new Floors(servers);
    this.#onViolation = onViolation;
  }

  /** Every name that was ever put. */
  get names(): readonly string[] {
    return [...this.#names.keys()];
  }

  /** Whether a PUT of that name was ever sent. */
  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** So many names, or fewer, whose writes were acknowledged last: the latest first. */
  lastWritten(count: number): readonly string[] {
    const names = new Set<string>();
    for (const { type, name, outcome } of this.operations.toReversed()) {
      if (names.size === count) break;
      if (type !== "GET" && outcome === "done") names.add(name);
    }
    return [...names];
  }

  /** A PUT of these bytes is about to be sent. */
  beginPut(name: string, sha256: string): void {
    const history = this.#of(name);
    history.sent.add(sha256);
    history.uncertain.add(sha256);
  }

  /** A DELETE is about to be sent. */
  beginDelete(name: string): void {
    this.#of(name).uncertainDeletes++;
  }

  /** A fault is about to begin; it `divides` if servers that run may not hear of what others do. */
  noteFault({ divides }: { readonly divides: boolean }, now: number): void {
    this.#floors.noteFault({ divides, now });
  }

  /** From now on only these servers run and hear each other, group by group; all do if absent. */
  noteGroups(groups: readonly Group[] | undefined, now: number): void {
    this.#floors.noteGroups(groups, now);
  }

  /** A server's disk is lost: what it has shown binds it no more, nor do operations under way. */
  wipe(server: number, now: number): void {
    this.#floors.wipe(server, now);
  }

  /** All servers are alive, as all say: from now on each shows whatever is acknowledged by now. */
  noteWhole(now: number): void {
    const stamps = [...this.#names].flatMap(([name, { acknowledged }]) => {
      const stamp = lastAcknowledged(acknowledged)?.stamp;
      return stamp === undefined ? [] : [[name, stamp] as const];
    });
    this.#floors.noteWhole(new Map(stamps), now);
  }

  /** An operation has ended. */
  add(operation: Operation): void {
    this.operations.push(operation);
    if (operation.outcome === "broken") {
      this.#violate(operation, `was answered with what cannot be: ${operation.error}`);
    }
    if (operation.type !== "GET") this.#addWrite(operation);
    // A DELETE that finds nothing has looked, as a GET does.
    if (operation.type === "GET" || operation.outcome === "notFound") this.#addRead(operation);
  }

  /** Whether what a name holds at the end can be: the reason why not, or `undefined`. */
  judge(name: string, final: Final | undefined): string | undefined {
    const history = this.#of(name);
    const last = lastAcknowledged(history.acknowledged);
    if (final === undefined) {
      if (last === undefined || last.type === "DELETE") return undefined;
      if (history.uncertainDeletes > 0) return undefined;
      return `"${name}" is gone, but ${last.stamp} was acknowledged and nobody deleted it after that`;
    }
    if (last !== undefined && final.stamp < (last.stamp ?? "")) {
      const what = last.type === "DELETE" ? "is back after its deletion" : "is an older write than";
      return `"${name}" is ${final.stamp}: it ${what} ${last.stamp}, which was acknowledged`;
    }
    if (final.stamp === last?.stamp) {
      if (final.sha256 === last.sha256) return undefined;
      return `"${name}" has the stamp ${final.stamp} but not the bytes that were put`;
    }
    if (history.uncertain.has(final.sha256)) return undefined;
    const where = history.sent.has(final.sha256)
      ? "of a PUT that was refused, or acknowledged with another stamp"
      : "that nobody put";
    return `"${name}" is ${final.stamp}, with bytes ${where}`;
  }

  #addWrite(operation: Operation): void {
    const { name, outcome, sha256, stamp, copies = 0 } = operation;
    const history = this.#of(name);
    if (outcome !== "unknown") {
      if (sha256 !== undefined) history.uncertain.delete(sha256);
      if (operation.type === "DELETE") history.uncertainDeletes--;
    }
    if (outcome !== "done") return;
    if (stamp === undefined) return this.#violate(operation, "was acknowledged without a stamp");
    if (this.#stamps.has(stamp)) this.#violate(operation, `has the stamp of another, ${stamp}`);
    this.#stamps.add(stamp);
    const copiesMax = this.#floors.copiesMax(operation);
    if (copies < 1 || copies > copiesMax) {
      this.#violate(operation, `claims ${copies} copies where ${copiesMax} servers can have one`);
    }
    history.acknowledged.push(operation);
    this.#floors.addWrite({ ...operation, stamp }, copies);
  }

  #addRead(operation: Operation): void {
    const { name, outcome, sha256 = "", stamp = "" } = operation;
    if (outcome !== "done" && outcome !== "notFound") return;
    const history = this.#of(name);
    if (outcome === "done" && !history.sent.has(sha256)) {
      this.#violate(operation, `showed bytes that nobody put, ${sha256}`);
    }
    const floor = this.#floors.at(operation);
    if (floor !== undefined) {
      if (outcome === "done" && stamp < floor) {
        this.#violate(operation, `showed ${stamp} after ${floor}`);
      }
      if (outcome === "notFound" && !isDeletedAfter(history, floor)) {
        this.#violate(operation, `found nothing after ${floor}, which nobody deleted`);
      }
    }
    if (outcome === "done") this.#floors.addRead({ ...operation, stamp });
  }

  #violate({ type, name, server }: Operation, text: string): void {
    this.#onViolation(`${type} "${name}" at server ${server + 1} ${text}`);
  }

  #of(name: string): NameHistory {
    let history = this.#names.get(name);
    if (history === undefined) {
      history = {
        sent: new Set(),
        uncertain: new Set(),
        acknowledged: [],
        uncertainDeletes: 0,
      };
      this.#names.set(name, history);
    }
    return history;
  }
}

function isDeletedAfter({ acknowledged, uncertainDeletes }: NameHistory, stamp: Stamp): boolean {
  return uncertainDeletes > 0 ||
    acknowledged.some((operation) =>
      operation.type === "DELETE" && (operation.stamp ?? "") >= stamp
    );
}

function lastAcknowledged(operations: readonly Operation[]): Operation | undefined {
  let last: Operation | undefined;
  for (const operation of operations) {
    if (last === undefined || (operation.stamp ?? "") > (last.stamp ?? "")) last = operation;
  }
  return last;
}
