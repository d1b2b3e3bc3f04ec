/**
 * What happened in a simulated world, one readable line an event. All lines go into a hash, by which
 * two runs of a seed are compared; the last ones are kept, to be shown when a check fails.
 */
import type { Member, MemberId } from "../../lib/ring/member.ts";
import type { CircleName, Errand, MemberMessage } from "../../lib/ring/message.ts";
import { type Stamp, stampMillis } from "../../lib/ring/stamp.ts";
import type { Input } from "../../lib/ring/step.ts";

/** How many lines are kept for a failure. */
export const traceLinesMax = 80;

/** The lines of one simulation. */
export class Trace {
  readonly #last: string[] = [];
  readonly #names = new Map<MemberId, string>();
  readonly #listener: ((line: string) => void) | undefined;
  #low = 0x811c9dc5;
  #high = 0xc9dc5118;
  #lines = 0;

  /** `listener` is given every line. */
  constructor(listener?: (line: string) => void) {
    this.#listener = listener;
  }

  /** The hash of all lines so far, as 16 hexadecimal digits. */
  get hash(): string {
    return hexWord(this.#high) + hexWord(this.#low);
  }

  get lines(): number {
    return this.#lines;
  }

  /** The last lines, at most {@linkcode traceLinesMax}. */
  get last(): readonly string[] {
    const start = this.#lines % traceLinesMax;
    return this.#lines <= traceLinesMax
      ? [...this.#last]
      : [...this.#last.slice(start), ...this.#last.slice(0, start)];
  }

  /** Has a member appear in the lines under a short name. */
  name(id: MemberId, name: string): void {
    this.#names.set(id, name);
  }

  /** Adds a line about `who` at the virtual time `now`, in milliseconds. */
  line(now: number, who: string, text: string): void {
    const line = `${(now / 1000).toFixed(3).padStart(8)} ${who.padEnd(3)} ${text}`;
    this.#digest(line);
    this.#last[this.#lines++ % traceLinesMax] = line;
    this.#listener?.(line);
  }

  /** A member's short name. */
  nameOf(id: MemberId): string {
    return this.#names.get(id) ?? (id === "" ? "?" : id.slice(0, 6));
  }

  /** A list as `A1 B2! C1+`: names, incarnations, and a sign for all but `alive`. */
  list(members: readonly Member[]): string {
    const signs = { joining: "~", alive: "", suspect: "?", dead: "!", left: "-", forgotten: "x" };
    return members.map((member) =>
      `${this.nameOf(member.id)}${member.incarnation}${signs[member.status]}`
    ).join(" ");
  }

  /** A stamp as milliseconds, counter and the short name of its server. */
  stamp(stamp: Stamp): string {
    return `${stampMillis(stamp) % 1e7}.${parseInt(stamp.slice(13, 17), 16)}@${
      this.nameOf(stamp.slice(18))
    }`;
  }

  /** An input of the core in few words. */
  input(input: Input): string {
    switch (input.type) {
      case "message": {
        const { link, message } = input;
        return `${this.nameOf(message.from)} (link ${link}) ${this.message(message)}`;
      }
      case "unreachable":
        return `unreachable ${input.address} ${input.reason}`;
      case "request":
        return `request ${input.request} ${input.ask.type} "${input.ask.item}"`;
      case "written":
        return `written ${input.token} ${input.outcome.outcome}`;
      case "looked":
        return `looked ${input.token} ${input.record ? this.stamp(input.record.stamp) : "nothing"}`;
      case "digested":
        return `digested ${input.token}`;
      case "compared":
        return `compared ${input.token} ${input.records.length}`;
      case "collected":
        return `collected ${input.token} ${input.dropped}`;
      case "collect":
        return `collect ${input.request}`;
      case "damaged":
        return `damaged ${input.names.map((name) => `"${name}"`).join(" ")}`;
      case "forget":
        return `forget ${this.nameOf(input.member)}`;
      case "fetched":
        return `fetched ${input.token} ${input.ok}`;
      case "start":
      case "wake":
      case "leave":
        return input.type;
    }
  }

  /** A message in few words. */
  message(message: MemberMessage): string {
    switch (message.type) {
      case "INSERT":
        return `INSERT ${this.nameOf(message.from)}${message.incarnation} ${message.address}`;
      case "INSERTED":
        return `INSERTED [${this.list(message.members)}]`;
      case "CHECK":
        return `CHECK ${message.sequence}`;
      case "CHECKED":
        return `CHECKED ${message.sequence}${
          message.members === undefined ? "" : ` [${this.list(message.members)}]`
        }`;
      case "ASK":
      case "VOUCH":
        return `${message.type} ${this.nameOf(message.suspect)}`;
      case "UPDATE":
        return `UPDATE ${this.#circle(message)} [${this.list(message.members)}]`;
      case "FORWARD":
        return `FORWARD ${this.#circle(message)} ${this.#errand(message.errand)}`;
      case "ACK":
        return `ACK hop ${message.hop}`;
      case "REPORT":
        return `REPORT ${this.#circleName(message.circle)} ${message.deed}`;
      case "COMPARE":
        return `COMPARE ${message.sequence} after "${message.after}"`;
      case "PAGE":
        return `PAGE ${message.sequence} of ${message.records.length}${
          message.partial ? ", partial" : ""
        }`;
      case "MISSED":
        return "MISSED";
      case "REFUSE":
        return `REFUSE ${message.status} ${message.error}`;
    }
  }

  #circle({ hop, circle }: Extract<MemberMessage, { type: "UPDATE" | "FORWARD" }>): string {
    const visited = circle.visited.map(({ id, deed }) => this.nameOf(id) + deed[0]).join(" ");
    return `${this.#circleName(circle)} try ${circle.attempt} hop ${hop} (${visited})`;
  }

  #circleName({ creator, sequence }: CircleName): string {
    return `${this.nameOf(creator)}/${sequence}`;
  }

  #errand(errand: Errand): string {
    if (errand.type === "FIND") return `FIND "${errand.item}"`;
    if (errand.type !== "WRITE") return `${errand.type} up to ${this.stamp(errand.upTo)}`;
    const { name, stamp, deleted } = errand.record;
    return `${deleted ? "DELETE" : "WRITE"} "${name}" ${this.stamp(stamp)}`;
  }

  /** FNV-1a in two lanes. */
  #digest(line: string): void {
    let low = this.#low;
    let high = this.#high;
    for (let i = 0; i < line.length; i++) {
      low = Math.imul(low ^ line.charCodeAt(i), 0x01000193);
      high = Math.imul(high ^ line.charCodeAt(i), 0x85ebca6b);
    }
    this.#low = low;
    this.#high = high;
  }
}

function hexWord(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
