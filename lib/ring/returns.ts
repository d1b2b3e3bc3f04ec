/**
 * Returns: who is back that this server held gone, and is told so.
 *
 * Servers that held each other gone, as on the two sides of a partition, have each taken writes that the
 * other has missed. Neither can see that in the list: by the time they meet, both may have started again
 * and be alive. So whoever sees a member back that it held gone tells it MISSED, several times unless that
 * member catches up, and begins to compare with it (`repair.ts`). Who is held gone is on disk, with the
 * list. A member that a server which counts as a copy, or once did, has never heard of is told the same:
 * it may come from a ring of its own, or have joined on the other side.
 */
import type { Effects } from "./effects.ts";
import { isLive, type MemberId } from "./member.ts";
import type { Membership } from "./membership.ts";

/** How soon a member that is back, and does not compare, is told so again, in milliseconds. */
export const missedRetryMs = 1000;
/** How often it is told so at the most: a link may fail one way only. */
export const missedTellsMax = 5;

interface Back {
  tells: number;
  dueAt: number;
}

/** What {@linkcode Returns} is made of. */
export interface ReturnsOptions {
  readonly self: MemberId;
  readonly membership: Membership;
  readonly effects: Effects;
}

/** Who comes back, as one server sees it. */
export class Returns {
  readonly #options: ReturnsOptions;
  readonly #gone = new Set<MemberId>();
  #live = new Set<MemberId>();
  /** The members that are back, and are told so. */
  readonly #back = new Map<MemberId, Back>();
  #version = -1;
  /** Whether this server may have what others have missed: it is a copy, or once was. */
  #wasCopy = false;

  constructor(options: ReturnsOptions) {
    this.#options = options;
  }

  /** The monotonic time at which {@linkcode wake} has something to do. */
  get dueAt(): number {
    return Math.min(Infinity, ...[...this.#back.values()].map(({ dueAt }) => dueAt));
  }

  /** Looks who is gone and who is back: called after every input. */
  settle(): void {
    const { membership, effects } = this.#options;
    if (membership.version === this.#version) return;
    const isFirst = this.#version === -1;
    this.#version = membership.version;
    this.#wasCopy ||= membership.self?.status === "alive";
    for (const { id } of membership.others.filter(({ id }) => !this.#live.has(id))) {
      const isBack = this.#gone.delete(id) || this.#wasCopy;
      if (isBack) this.#back.set(id, { tells: 0, dueAt: effects.now.monotonic });
    }
    this.#live = new Set(membership.others.map(({ id }) => id));
    // Who remembers others at its start may have been a copy in a life before.
    if (isFirst && membership.others.length > 0) this.#wasCopy = true;
    for (const member of membership.all.filter((member) => !isLive(member))) {
      this.#gone.add(member.id);
      this.#back.delete(member.id);
    }
    this.wake();
  }

  /** Tells those who are back what they have not acted upon. */
  wake(): void {
    const { self, membership, effects } = this.#options;
    const now = effects.now.monotonic;
    for (const [id, { tells, dueAt }] of [...this.#back]) {
      const member = membership.get(id);
      if (dueAt > now || member === undefined) continue;
      effects.send(member.address, { type: "MISSED", from: self, to: id });
      if (tells + 1 === missedTellsMax) this.#back.delete(id);
      else this.#back.set(id, { tells: tells + 1, dueAt: now + missedRetryMs });
    }
  }

  /**
   * A member is asked to compare, and so can be reached: it is told at once what may have been lost on the
   * way to it, unless that was in this very step.
   */
  remind(id: MemberId): void {
    const { self, membership, effects } = this.#options;
    const [back, member] = [this.#back.get(id), membership.get(id)];
    if (back === undefined || member === undefined) return;
    if (back.dueAt === effects.now.monotonic + missedRetryMs) return;
    effects.send(member.address, { type: "MISSED", from: self, to: id });
  }

  /** A member that catches up compares with this server: what it has missed is among what it is given. */
  handleCompare(id: MemberId): void {
    this.#gone.delete(id);
    this.#back.delete(id);
    this.#live.add(id);
  }
}
