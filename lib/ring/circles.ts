/**
 * Circular messages: how a message goes round the ring once, and reaches every live server.
 *
 * The envelope lists the servers that it has visited. Whoever has it passes it to the next live member
 * that it has not visited; when there is none, back to its creator. `visited` only grows, so a circle
 * ends whatever happens to the list meanwhile, and also when its creator has died.
 *
 * A hop is acknowledged by the receiver, which from then on has to pass the message on. A hop without
 * an acknowledgement is tried once more and then passed to the next member, the silent one marked as
 * skipped. When nobody else is left, whoever has the message tries those that one other has skipped, as
 * a link may fail one way only; a creator that cannot be reached is reached through one more member.
 *
 * If a server dies between acknowledging and passing on, the circle is lost; the creator
 * alone sends it again, with the next `attempt`. A server that sees an attempt twice acknowledges it
 * and does nothing else, so a repeated message is never a second circle.
 */
import type { Effects } from "./effects.ts";
import { isLive, type Member, type MemberId } from "./member.ts";
import type { Membership } from "./membership.ts";
import type { StampClock } from "./stamp.ts";
import {
  type Ack,
  type Circle,
  type CircleName,
  type Deed,
  type Forward,
  type MemberMessage,
  type Update,
  type Visit,
  visitsMax,
} from "./message.ts";

/** How long a hop may go without an acknowledgement, in milliseconds. */
export const hopTimeoutMs = 500;
/** How often a hop is tried before the member is skipped. */
export const hopTriesMax = 2;
/** How many members that do not answer a server tries at the most before it gives up returning a circle. */
const couriersMax = 2;
/** How many circles a server remembers to have seen. */
export const seenCirclesMax = 16_384;

/** What a circular message carries. */
export type Payload =
  | { readonly type: "UPDATE"; readonly members: readonly Member[] }
  | Pick<Forward, "type" | "errand" | "members" | "body">;

/** Whether a circle is new to this server, sent again by its creator, or a mere repetition. */
export type Sighting = "new" | "again" | "repeated";

interface Hop {
  readonly to: MemberId;
  readonly circle: Circle;
  readonly payload: Payload;
  readonly tries: number;
  readonly dueAt: number;
}

interface Seen {
  attempt: number;
  deed: Deed;
}

/** What {@linkcode Circles} is made of. */
export interface CirclesOptions {
  readonly self: MemberId;
  readonly boot: string;
  readonly membership: Membership;
  readonly effects: Effects;
  readonly clock: Pick<StampClock, "latest">;
  /** Called when a circle of this server has nowhere left to go. */
  readonly onReturn: (circle: Circle, payload: Payload) => void;
}

/** The circular messages that pass through one server. */
export class Circles {
  readonly #options: CirclesOptions;
  /** In the order of `dueAt`, as each hop waits equally long. */
  readonly #hops = new Map<number, Hop>();
  readonly #seen = new Map<string, Seen>();
  #lastHop = 0;
  #lastSequence = 0;

  constructor(options: CirclesOptions) {
    this.#options = options;
  }

  /** Names a new circle of this server. */
  name(): CircleName {
    const { self, boot } = this.#options;
    return { creator: self, boot, sequence: ++this.#lastSequence };
  }

  /** The monotonic time at which {@linkcode wake} has something to do. */
  get dueAt(): number {
    for (const hop of this.#hops.values()) return hop.dueAt;
    return Infinity;
  }

  /** How many hops wait for an acknowledgement. */
  get hopsUnderWay(): number {
    return this.#hops.size;
  }

  /** Whether a WRITE waits for an acknowledgement. */
  get isCarryingWrites(): boolean {
    return [...this.#hops.values()].some(({ payload }) =>
      payload.type === "FORWARD" && payload.errand.type === "WRITE"
    );
  }

  /** Notes that a circle is here, and tells whether it was here before. */
  observe(circle: Circle): Sighting {
    const key = circleKey(circle);
    const seen = this.#seen.get(key);
    if (seen === undefined) {
      this.#forgetOldest();
      this.#seen.set(key, { attempt: circle.attempt, deed: "passed" });
      return "new";
    }
    if (circle.attempt <= seen.attempt) return "repeated";
    seen.attempt = circle.attempt;
    return "again";
  }

  /** What this server has done for a circle that it has seen. */
  deedFor(circle: CircleName): Deed {
    return this.#seen.get(circleKey(circle))?.deed ?? "passed";
  }

  /** Notes what this server has done for a circle that it has seen. */
  setDeed(circle: CircleName, deed: Deed): void {
    const seen = this.#seen.get(circleKey(circle));
    if (seen !== undefined) seen.deed = deed;
  }

  /** Passes a circle on, this server's own deed added. */
  visitAndPass(circle: Circle, payload: Payload, deed: Deed = this.deedFor(circle)): void {
    const { self } = this.#options;
    const others = circle.visited.filter((visit) => visit.id !== self);
    const visited = [...others, { id: self, deed }];
    this.pass({ ...circle, visited }, payload);
  }

  /** Where a circle goes next: to a live member that it has not visited, or who one other has skipped. */
  next(circle: Circle): Member | undefined {
    const { self, membership } = this.#options;
    const visited = new Set(circle.visited.map((visit) => visit.id));
    return membership.others.find(({ id }) => !visited.has(id)) ??
      membership.others.find(({ id }) => id !== circle.creator && isDetour(circle, id, self));
  }

  /** Passes a circle on, or back to its creator when there is nowhere else. */
  pass(circle: Circle, payload: Payload): void {
    const { self, onReturn } = this.#options;
    // No ring has so many servers: passed on, it would be refused, and take the connection with it.
    if (circle.visited.length > visitsMax) return;
    const next = this.next(circle);
    if (next !== undefined) return this.#send(next.id, circle, payload);
    if (circle.creator === self) return onReturn(circle, payload);
    this.#return(circle, withoutBody(payload));
  }

  /** Passes a circle that was here before on to its creator, if the sender could not. */
  relay(circle: Circle, payload: Payload): void {
    if (isDetour(circle, circle.creator, this.#options.self)) this.#return(circle, payload);
  }

  /** Sends a circle to a member of the creator's choice first, live or not. */
  passTo(first: MemberId, circle: Circle, payload: Payload): void {
    this.#send(first, circle, payload);
  }

  handleAck({ from, hop }: Ack): void {
    if (this.#hops.get(hop)?.to === from) this.#hops.delete(hop);
  }

  /** Deals with the hops to a member that could not be reached. */
  handleUnreachable(member: MemberId, reason: "refused" | "closed"): void {
    for (const [number, hop] of [...this.#hops]) {
      if (hop.to !== member) continue;
      if (reason === "refused") this.#skip(number, hop);
      else if (hop.tries < hopTriesMax) this.#retry(number, hop);
    }
  }

  /** Finds another way for hops to members that have left the circle. */
  reroute(): void {
    const { membership } = this.#options;
    for (const [number, hop] of [...this.#hops]) {
      const member = membership.get(hop.to);
      if (member !== undefined && isLive(member)) continue;
      this.#skip(number, hop);
    }
  }

  /** Retries or skips the hops that were not acknowledged in time. */
  wake(): void {
    const now = this.#options.effects.now.monotonic;
    for (const [number, hop] of [...this.#hops]) {
      if (hop.dueAt > now) return;
      if (this.#isOutdated(number, hop)) this.#hops.delete(number);
      else if (hop.tries < hopTriesMax) this.#retry(number, hop);
      else this.#skip(number, hop);
    }
  }

  /** Passes a circle back to its creator; or, who has tried that alone, to a member that tries it too. */
  #return(circle: Circle, payload: Payload): void {
    const { self, membership } = this.#options;
    const creator = membership.get(circle.creator);
    if (creator === undefined || !isLive(creator)) return;
    const skips = skipsOf(circle, creator.id);
    if (skips.length > 1) return;
    if (skips.length === 0 || isDetour(circle, creator.id, self)) {
      return this.#send(creator.id, circle, payload);
    }
    // Whoever is heard by nobody does not try them all; and an UPDATE has done its work by now.
    const tried = circle.visited.filter(({ by }) => by === self).length;
    if (tried > couriersMax || payload.type === "UPDATE") return;
    const isReachable = ({ id }: Member) => id !== creator.id && skipsOf(circle, id).length === 0;
    const courier = membership.others.find(isReachable);
    if (courier !== undefined) this.#send(courier.id, circle, payload);
  }

  /** Whether a newer list is on its way to the same member: it says all that this one does. */
  #isOutdated(number: number, { to, payload }: Hop): boolean {
    if (payload.type !== "UPDATE") return false;
    for (const [later, hop] of this.#hops) {
      if (later > number && hop.to === to && hop.payload.type === "UPDATE") return true;
    }
    return false;
  }

  #retry(number: number, hop: Hop): void {
    this.#hops.delete(number);
    this.#deliver(number, { ...hop, tries: hop.tries + 1 });
  }

  #skip(number: number, hop: Hop): void {
    this.#hops.delete(number);
    const skipped: Visit = { id: hop.to, deed: "skipped", by: this.#options.self };
    this.pass({ ...hop.circle, visited: [...hop.circle.visited, skipped] }, hop.payload);
  }

  #send(to: MemberId, circle: Circle, payload: Payload): void {
    this.#deliver(++this.#lastHop, { to, circle, payload, tries: 1, dueAt: 0 });
  }

  #deliver(number: number, hop: Hop): void {
    const { self, membership, effects, clock } = this.#options;
    const member = membership.get(hop.to);
    if (member === undefined) return;
    this.#hops.set(number, { ...hop, dueAt: effects.now.monotonic + hopTimeoutMs });
    effects.send(member.address, hopMessage({ from: self, number, hop, clock }));
  }

  #forgetOldest(): void {
    if (this.#seen.size < seenCirclesMax) return;
    for (const oldest of this.#seen.keys()) {
      this.#seen.delete(oldest);
      return;
    }
  }
}

/** Writes the name of a circle as a key. */
export function circleKey({ creator, boot, sequence }: CircleName): string {
  return `${creator}/${boot}/${sequence}`;
}

/** The greater of two deeds: what a server is known to have done. */
export function mergeDeed(a: Deed | undefined, b: Deed): Deed {
  if (a === undefined) return b;
  return deedRank[a] >= deedRank[b] ? a : b;
}

const deedRank: Readonly<Record<Deed, number>> = { skipped: 0, passed: 1, failed: 2, stored: 3 };

function hopMessage(
  { from, number, hop, clock }: {
    from: MemberId;
    number: number;
    hop: Hop;
    clock: Pick<StampClock, "latest">;
  },
): MemberMessage {
  const envelope = { from, to: hop.to, hop: number, circle: hop.circle };
  const { payload } = hop;
  return payload.type === "UPDATE"
    ? {
      ...envelope,
      type: "UPDATE",
      stamp: clock.latest,
      members: payload.members,
    } satisfies Update
    : { ...envelope, ...payload } satisfies Forward;
}

/** The times that a member has not acknowledged a circle. */
function skipsOf(circle: Circle, id: MemberId): readonly Visit[] {
  return circle.visited.filter((visit) => visit.id === id && visit.deed === "skipped");
}

/** Whether a member was skipped by one other server alone, and `self` may reach it. */
function isDetour(circle: Circle, id: MemberId, self: MemberId): boolean {
  const skips = skipsOf(circle, id);
  return skips.length === 1 && skips[0]?.by !== self;
}

function withoutBody(payload: Payload): Payload {
  if (payload.type === "UPDATE") return payload;
  const { type, errand, members } = payload;
  return members === undefined ? { type, errand } : { type, errand, members };
}
