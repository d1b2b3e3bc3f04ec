/**
 * The entrance: how a server comes into the ring, back into it, and out of it.
 *
 * A newcomer asks a member to insert it (INSERT); that member chooses the position right after itself,
 * adds the newcomer to the list as joining, answers with the list and tells the ring; and with a stamp,
 * above which the newcomer makes its own, wherever its clock is. A newcomer asks again until it is
 * answered: whoever inserted it already answers with the same list. A server that
 * was in a ring before keeps its id and position, and needs no one to insert it: it tells whom it
 * remembers that it is there again, with a raised incarnation.
 */
import type { Address } from "./address.ts";
import type { Checks } from "./checks.ts";
import type { Effects } from "./effects.ts";
import { type Member, type MemberId, membersMax } from "./member.ts";
import type { Membership } from "./membership.ts";
import type { Insert, Inserted, Refuse, Update } from "./message.ts";
import { firstPosition, positionBetween } from "./position.ts";
import type { Roster } from "./roster.ts";
import type { StampClock } from "./stamp.ts";
import type { Link } from "./step.ts";

/** How often an INSERT is sent again while nobody answers, in milliseconds. */
export const insertRetryMs = 500;
/** After how long a server that nobody answers gives up asking, in milliseconds. */
export const insertTimeoutMs = 10_000;
/** After how long a server that leaves stops, even if nobody has acknowledged it, in milliseconds. */
export const leaveTimeoutMs = 2000;

/** What {@linkcode Entrance} is made of. */
export interface EntranceOptions {
  readonly self: MemberId;
  readonly address: Address;
  readonly previous: Address | undefined;
  readonly remembered: readonly Member[];
  readonly membership: Membership;
  readonly roster: Roster;
  readonly checks: Checks;
  readonly clock: StampClock;
  readonly effects: Effects;
  /** Whether a circular message of this server is still under way. */
  readonly isTelling: () => boolean;
}

type Stage =
  | { readonly name: "outside" }
  | { readonly name: "entering" }
  | { readonly name: "inside" }
  | { readonly name: "leaving"; readonly stopAt: number }
  | { readonly name: "stopped" };

/** One server's way in and out. */
export class Entrance {
  readonly #options: EntranceOptions;
  #stage: Stage = { name: "outside" };
  /** While the previous server has not answered: it may be on its way in itself. */
  #asking: { retryAt: number; readonly giveUpAt: number; asked: number } | undefined;

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  /** The monotonic time at which {@linkcode wake} has something to do. */
  get dueAt(): number {
    const stopAt = this.#stage.name === "leaving" ? this.#stage.stopAt : Infinity;
    return Math.min(stopAt, this.#asking?.retryAt ?? Infinity);
  }

  /** Whether this server is on its way out, or gone. */
  get isLeaving(): boolean {
    return this.#stage.name === "leaving" || this.#stage.name === "stopped";
  }

  /** Whether this server is on the list, and takes part. */
  get isInside(): boolean {
    return this.#stage.name === "inside";
  }

  /** Begins: as the first server of a ring, as a newcomer, or as one that returns. */
  start(): void {
    const { self, address, previous, remembered, membership, roster } = this.#options;
    roster.begin();
    const own = remembered.find((member) => member.id === self);
    const others = remembered.filter((member) => member.id !== self);
    if (own !== undefined && own.position !== "" && (others.length > 0 || previous === undefined)) {
      membership.merge(others);
      const status = others.some(isRemembered) ? "joining" : "alive";
      roster.enter({ status, address, position: own.position });
      return this.#return();
    }
    if (previous !== undefined) {
      this.#stage = { name: "entering" };
      return this.#ask();
    }
    roster.enter({ status: "alive", address, position: firstPosition });
    this.#enter();
  }

  /** Inserts a newcomer after this server. */
  handleInsert(message: Insert, link: Link): void {
    const { self, membership, roster, clock, effects } = this.#options;
    const own = membership.self;
    if (message.from === self) {
      if (message.address !== this.#options.address) return roster.dispute(message.address);
      return this.#refuse(
        message,
        link,
        `A server cannot be inserted after itself: ${message.address} is this server`,
      );
    }
    // Not (any more) a member: the newcomer asks again, and gives up when nobody answers.
    if (own === undefined || !this.isInside) return;
    const known = membership.get(message.from);
    if (known === undefined || known.incarnation < message.incarnation) {
      if (known === undefined && membership.all.length >= membersMax) {
        return this.#refuse(
          message,
          link,
          `The ring has ${membersMax} members, and no room for more`,
        );
      }
      const position = message.position || known?.position || this.#placeFor(message.from, own);
      if (position === undefined) {
        return this.#refuse(message, link, "There is no place left after this server; try another");
      }
      const { from: id, incarnation, address } = message;
      roster.merge([{ id, incarnation, status: "joining", address, position }], id);
      roster.announce();
    }
    effects.reply(link, {
      type: "INSERTED",
      from: self,
      to: message.from,
      stamp: clock.latest,
      members: membership.all,
    });
  }

  /**
   * Takes the place that a member has given to this server, and tells of in INSERTED; or in an UPDATE,
   * if that member died too soon, or its answer was lost.
   */
  handleInserted(message: Inserted | Update): void {
    const { self, address, membership, roster, clock, effects } = this.#options;
    const isEntering = this.#stage.name === "entering";
    const own = isEntering ? message.members.find(({ id }) => id === self) : membership.self;
    if (own === undefined) return;
    this.#asking = undefined;
    // No SURVEY has told it: a write below what was forgone then would be taken for one of the past.
    clock.forgo(message.stamp, effects.now.wall);
    if (isEntering) roster.enter({ status: "joining", address, position: own.position });
    roster.merge(message.members, message.from);
    if (isEntering) this.#enter();
  }

  /** Gives up if it was our INSERT that was refused. */
  handleRefused(message: Refuse): void {
    if (this.#asking !== undefined && message.intended === "") this.#giveUp(message.error);
  }

  /** Leaves the ring: tells it, and stops when a member knows. */
  leave(): void {
    const { membership, roster, effects } = this.#options;
    if (this.isLeaving) return;
    const wasAlone = membership.others.length === 0;
    const tell = membership.others;
    this.#asking = undefined;
    roster.leave();
    this.#stage = { name: "leaving", stopAt: effects.now.monotonic + leaveTimeoutMs };
    if (wasAlone) return this.#stop();
    // Two of them, as one may just have died.
    for (const member of tell.slice(0, 2)) roster.announce(member.id);
  }

  /** Looks whether there is something to do: called after every input. */
  settle(): void {
    if (this.#stage.name === "leaving" && !this.#options.isTelling()) this.#stop();
  }

  wake(): void {
    const now = this.#options.effects.now.monotonic;
    if (now < this.dueAt) return;
    if (this.#stage.name === "leaving") return this.#stop();
    this.#askAgain();
  }

  /** A position between this server and the next record. */
  #placeFor(id: MemberId, own: Member): string | undefined {
    const high = this.#options.membership.positionAfter(own.position);
    return positionBetween({ low: own.position, high }, id);
  }

  #return(): void {
    const { previous, checks, membership, roster, effects } = this.#options;
    this.#enter();
    roster.announce();
    checks.probeAll();
    const others = membership.all.length - 1;
    if (others > 0) effects.note("info", `Back in a ring with ${others} servers that it remembers`);
    if (previous === undefined) return;
    if (!membership.all.some((member) => member.address === previous)) {
      effects.note(
        "warning",
        `It remembers no ${previous}: if that is in another ring, both become one`,
      );
    }
    this.#ask();
  }

  #ask(): void {
    const now = this.#options.effects.now.monotonic;
    this.#asking = { retryAt: now, giveUpAt: now + insertTimeoutMs, asked: 0 };
    this.#askAgain();
  }

  #askAgain(): void {
    const { self, address, previous, membership, roster, effects } = this.#options;
    const asking = this.#asking;
    if (asking === undefined || previous === undefined) return;
    const now = effects.now.monotonic;
    const seconds = insertTimeoutMs / 1000;
    if (now >= asking.giveUpAt) {
      return this.#giveUp(`No server answered at ${previous} for ${seconds} s`);
    }
    if (asking.asked++ === 1) {
      effects.note("warning", `No answer from ${previous} yet; trying for ${seconds} s`);
    }
    asking.retryAt = now + insertRetryMs;
    effects.send(previous, {
      type: "INSERT",
      from: self,
      incarnation: roster.incarnation,
      address,
      position: membership.self?.position ?? "",
    });
  }

  #enter(): void {
    this.#stage = { name: "inside" };
    this.#options.checks.start();
  }

  #refuse(message: Insert, link: Link, error: string): void {
    const { self, effects } = this.#options;
    effects.reply(link, {
      type: "REFUSE",
      from: self,
      to: message.from,
      status: 403,
      intended: "",
      error,
    });
  }

  /** A newcomer has no ring without it; one that returns goes on with the ring that it remembers. */
  #giveUp(text: string): void {
    const { effects } = this.#options;
    this.#asking = undefined;
    if (this.#stage.name !== "entering") return effects.note("warning", text);
    this.#stage = { name: "stopped" };
    effects.add({ type: "stop", reason: "noPrevious", text });
  }

  #stop(): void {
    this.#stage = { name: "stopped" };
    this.#options.effects.add({
      type: "stop",
      reason: "left",
      text: "This server has left the ring",
    });
  }
}

/** Whether a member that was remembered may be there still. */
function isRemembered(member: Member): boolean {
  return member.status !== "left";
}
