/**
 * Activity: what happens in a server, as it happens. It is counted, for `/_ring/metrics`, and told to
 * whoever listens, for `/_ring/events` and the page. A server sees its own hops only: whoever wants to
 * see a circle go all the way round listens at every server.
 */
import type { FileRecord } from "../ring/file_record.ts";
import type { Member, MemberId } from "../ring/member.ts";
import type { MemberMessage } from "../ring/message.ts";
import { Histogram } from "./histogram.ts";
import { Refusals } from "./refusals.ts";
import { Traffic } from "./traffic.ts";

/** How many CHECKs without an answer are remembered. */
const checksMax = 1024;

/** Something that happened. */
export type RingEvent =
  /** The list has changed; in the order of the circle, from this server on. */
  | { readonly type: "list"; readonly members: readonly Member[] }
  /** A message between two servers. */
  | {
    readonly type: "hop";
    readonly direction: "sent" | "received";
    /** CHECK, CHECKED, FORWARD, UPDATE, … */
    readonly message: MemberMessage["type"];
    /** What a FORWARD is about: WRITE, FIND, SURVEY or COLLECT. */
    readonly errand?: string;
    /** The name of the file that it is about. */
    readonly item?: string;
    readonly from: MemberId;
    readonly to: MemberId;
    /** Names the circle, in the whole ring. */
    readonly circle?: string;
    readonly creator?: MemberId;
  }
  /** A file was put, replaced or deleted in this server's store, whoever asked for it. */
  | { readonly type: "file"; readonly record: FileRecord; readonly isNew: boolean }
  /** A CHECK was answered after so many milliseconds. */
  | { readonly type: "check"; readonly to: MemberId; readonly milliseconds: number }
  /** A sentence for people. */
  | { readonly type: "note"; readonly level: "info" | "warning"; readonly text: string };

/** Hears of what happens; it must not throw. */
export type Listener = (event: RingEvent) => void;

/** What happens in one server. */
export class Activity {
  readonly #listeners = new Set<Listener>();
  readonly #checks = new Map<string, number>();
  /** How many messages were sent, and received, by type. */
  readonly sent = new Map<string, number>();
  readonly received = new Map<string, number>();
  /** How many circles this server has begun, by what they are about. */
  readonly circles = new Map<string, number>();
  /** How many records came from other servers by comparing. */
  repaired = 0;
  /** How many records and bodies were found damaged. */
  damaged = 0;
  /** How long CHECKs take, in seconds. */
  readonly checkSeconds = new Histogram();
  /** What was refused, or given up, as a bound was reached. */
  readonly refusals = new Refusals();
  /** What goes through the web front. */
  readonly traffic = new Traffic(this.refusals);
  /** When this began, in milliseconds of `performance.now()`. */
  readonly begunAt = performance.now();

  /** Tells `listener` of everything until the function returned is called. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  noteSent(message: MemberMessage, now: number): void {
    increment(this.sent, message.type);
    const isCircle = message.type === "FORWARD" || message.type === "UPDATE";
    const isFirst = isCircle && message.circle.creator === message.from &&
      message.circle.attempt === 0;
    if (isFirst) increment(this.circles, subjectOf(message));
    if (message.type === "CHECK") this.#noteCheck(`${message.to} ${message.sequence}`, now);
    this.#tellHop("sent", message);
  }

  noteReceived(message: MemberMessage, now: number): void {
    increment(this.received, message.type);
    if (message.type === "PAGE") this.repaired += message.records.length;
    if (message.type === "CHECKED") this.#noteChecked(message.from, message.sequence, now);
    this.#tellHop("received", message);
  }

  noteStored(record: FileRecord, previous: FileRecord | undefined): void {
    const isNew = previous === undefined || previous.deleted === true;
    if (this.#listeners.size > 0) this.#tell({ type: "file", record, isNew });
  }

  /** Tells of anything else. */
  note(event: Extract<RingEvent, { type: "list" | "note" }>): void {
    this.#tell(event);
  }

  #noteCheck(key: string, now: number): void {
    // A probe of one that is gone is answered by nobody.
    if (this.#checks.size >= checksMax) this.#checks.clear();
    this.#checks.set(key, now);
  }

  #noteChecked(to: MemberId, sequence: number, now: number): void {
    const key = `${to} ${sequence}`;
    const sentAt = this.#checks.get(key);
    if (sentAt === undefined) return;
    this.#checks.delete(key);
    const milliseconds = now - sentAt;
    this.checkSeconds.add(milliseconds / 1000);
    this.#tell({ type: "check", to, milliseconds });
  }

  #tellHop(direction: "sent" | "received", message: MemberMessage): void {
    if (this.#listeners.size === 0 || !("to" in message)) return;
    const { type, from, to } = message;
    const circle = "circle" in message ? message.circle : undefined;
    const errand = message.type === "FORWARD" ? message.errand : undefined;
    const item = errand?.type === "WRITE" ? errand.record.name : undefined;
    this.#tell({
      type: "hop",
      direction,
      message: type,
      from,
      to,
      ...(errand === undefined ? {} : { errand: errand.type }),
      ...(item === undefined ? {} : { item }),
      ...(circle === undefined ? {} : {
        circle: `${circle.creator}-${circle.boot}-${circle.sequence}`,
        creator: circle.creator,
      }),
    });
  }

  #tell(event: RingEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function subjectOf(message: MemberMessage): string {
  return message.type === "FORWARD" ? message.errand.type : message.type;
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
