/**
 * Rounds: a server's own FORWARD circles, sent again until they are settled or out of time.
 *
 * A round keeps what each server is known to have done, from reports and from the envelope when it is
 * back. It is evaluated at every news, and when the list changes: a member that has died is no longer
 * waited for, one that has come is.
 */
import { type Circles, mergeDeed, type Payload } from "./circles.ts";
import type { Effects } from "./effects.ts";
import type { MemberId } from "./member.ts";
import type { Membership } from "./membership.ts";
import type { Circle, CircleName, Deed, Errand, Report, Visit } from "./message.ts";

/** After how long a creator sends a circle again, in milliseconds. */
export const resendMs = 1000;

/** Every which attempt goes to all other servers. */
const resendsForAll = 3;

/** What a FORWARD circle carries. */
export type ForwardPayload = Extract<Payload, { type: "FORWARD" }>;

/** One of this server's circles. */
export interface Round {
  readonly circle: CircleName;
  readonly payload: ForwardPayload;
  /** The members that it was for at any time. */
  readonly asked: Set<MemberId>;
  /** What each server is known to have done. */
  readonly deeds: Map<MemberId, Deed>;
  readonly plan: RoundPlan;
  readonly deadline: number;
  attempt: number;
  /** When to send the circle again; in the order of the rounds, as each waits equally long. */
  dueAt: number;
}

/** How a round ends. */
export interface RoundPlan {
  readonly timeoutMs: number;
  /**
   * Looks whether the round is settled, and if so ends it and returns true. It is given what has just
   * come back, if it is that.
   */
  readonly evaluate: (returned?: Returned) => boolean;
  /** Called instead when the time is over. */
  readonly expire: () => void;
}

/** A circle that is back at its creator. */
export interface Returned {
  readonly circle: Circle;
  readonly errand: Errand;
}

/** What {@linkcode Rounds} is made of. */
export interface RoundsOptions {
  readonly self: MemberId;
  readonly membership: Membership;
  readonly circles: Circles;
  readonly effects: Effects;
}

/** The circles of one server. */
export class Rounds {
  readonly #options: RoundsOptions;
  /** By the number of the circle, in the order of `dueAt`. */
  readonly #rounds = new Map<number, Round>();

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** The monotonic time at which {@linkcode wake} has something to do. */
  get dueAt(): number {
    for (const round of this.#rounds.values()) return round.dueAt;
    return Infinity;
  }

  /** Makes a round; `send` sets it going. */
  begin(payload: ForwardPayload, plan: RoundPlan): Round {
    const { circles, effects } = this.#options;
    const now = effects.now.monotonic;
    const round: Round = {
      circle: circles.name(),
      payload,
      asked: new Set(),
      deeds: new Map(),
      plan,
      deadline: now + plan.timeoutMs,
      attempt: 0,
      dueAt: now + resendMs,
    };
    this.#rounds.set(round.circle.sequence, round);
    return round;
  }

  /**
   * Sends a round to whoever has not yet said what it did; now and then to all others, as one of those
   * that are done may reach a member that this server cannot.
   */
  send(round: Round): void {
    const { self, membership, circles } = this.#options;
    for (const { id } of membership.others) round.asked.add(id);
    const visited: Visit[] = [{ id: self, deed: round.deeds.get(self) ?? "passed" }];
    const isForAll = round.attempt % resendsForAll === resendsForAll - 1;
    for (const [id, deed] of round.deeds) {
      if (!isForAll && id !== self && isFinal(deed)) visited.push({ id, deed });
    }
    const circle = { ...round.circle, attempt: round.attempt, visited };
    circles.pass(circle, this.#withList(round.payload));
  }

  /** Whether anything that a client has asked here is under way. */
  get isServing(): boolean {
    return [...this.#rounds.values()].some(({ payload: { errand } }) =>
      errand.type === "WRITE" || errand.type === "FIND"
    );
  }

  /** Notes what this server itself has done. */
  noteOwn(round: Round, deed: Deed): void {
    note(round, [{ id: this.#options.self, deed }]);
    this.#evaluate(round);
  }

  /** Notes what another server has done. */
  handleReport(message: Report): void {
    const round = this.#find(message.circle);
    if (round === undefined) return;
    note(round, [{ id: message.from, deed: message.deed }]);
    this.#evaluate(round);
  }

  /** A circle of this server is back, or has nowhere to go. */
  handleReturn(circle: Circle, errand: Errand): void {
    const round = this.#find(circle);
    if (round === undefined) return;
    note(round, circle.visited);
    if (this.#evaluate(round, { circle, errand })) return;
    // Whoever could not reach this server has reached it now: nobody else needs to try.
    const { self, membership, circles } = this.#options;
    const visited = circle.visited.filter(({ id, deed }) => id !== self || deed !== "skipped");
    const rest = { ...round.circle, attempt: round.attempt, visited };
    // Somebody has come into the ring behind the circle's back, or was skipped by one of the others.
    if (circles.next(rest) === undefined) return;
    // What collects something goes on with it; a WRITE with its body, which did not come back.
    const payload = errand.type === "WRITE"
      ? this.#withList(round.payload)
      : { type: "FORWARD" as const, errand };
    for (const { id } of membership.others) round.asked.add(id);
    circles.pass(rest, payload);
  }

  /** Looks again at all rounds: the list has changed. */
  reconsider(): void {
    for (const round of [...this.#rounds.values()]) this.#evaluate(round);
  }

  /** Whether every member that this server holds live has said what it did. */
  isSettled(round: Round): boolean {
    const { self, membership } = this.#options;
    return isFinal(round.deeds.get(self)) &&
      membership.others.every(({ id }) => isFinal(round.deeds.get(id)));
  }

  /** How many live members are known to have the write on disk. */
  copies(round: Round): number {
    const { self, membership } = this.#options;
    const ids = [self, ...membership.others.map((member) => member.id)];
    return ids.filter((id) => round.deeds.get(id) === "stored").length;
  }

  /** Whether nobody has the write, not even one that has died since. */
  hasFailed(round: Round): boolean {
    const ids = [this.#options.self, ...round.asked, ...round.deeds.keys()];
    return ids.every((id) => round.deeds.get(id) === "failed");
  }

  /** Sends again what is due, and ends what is out of time. */
  wake(): void {
    const now = this.#options.effects.now.monotonic;
    for (const round of [...this.#rounds.values()]) {
      if (round.dueAt > now) return;
      if (now < round.deadline) this.#resend(round);
      else {
        this.#rounds.delete(round.circle.sequence);
        this.#options.effects.add({ type: "refused", bound: "circle_time" });
        round.plan.expire();
      }
    }
  }

  /** Says in a WRITE which list this server has: who knows of somebody else is to say so. */
  #withList(payload: ForwardPayload): ForwardPayload {
    const { errand } = payload;
    if (errand.type !== "WRITE") return payload;
    return { ...payload, errand: { ...errand, list: this.#options.membership.digest } };
  }

  #resend(round: Round): void {
    const { sequence } = round.circle;
    round.attempt++;
    round.dueAt = this.#options.effects.now.monotonic + resendMs;
    this.#rounds.delete(sequence);
    this.#rounds.set(sequence, round);
    this.send(round);
  }

  #find(circle: CircleName): Round | undefined {
    const round = this.#rounds.get(circle.sequence);
    return round?.circle.boot === circle.boot ? round : undefined;
  }

  #evaluate(round: Round, returned?: Returned): boolean {
    const { sequence } = round.circle;
    if (this.#rounds.get(sequence) !== round) return true;
    if (!round.plan.evaluate(returned)) return false;
    this.#rounds.delete(sequence);
    return true;
  }
}

function note(round: Round, visits: readonly Visit[]): void {
  for (const { id, deed } of visits) {
    round.deeds.set(id, mergeDeed(round.deeds.get(id), deed));
  }
}

function isFinal(deed: Deed | undefined): boolean {
  return deed === "stored" || deed === "failed";
}
