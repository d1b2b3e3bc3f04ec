/**
 * The roster: this server's own record, its verdicts on others, and the UPDATE circles that tell both.
 *
 * Only the owner raises an incarnation. A server that reads of itself that it is suspect, dead or has
 * left raises its own above that and says so; one that was held dead has missed writes, and is joining
 * until it has caught up. The list is saved before anything that follows from it is sent (`node.ts`).
 */
import type { Address } from "./address.ts";
import { assert } from "./assert.ts";
import type { Circles } from "./circles.ts";
import { isCredibleNews } from "./credibility.ts";
import type { Effects } from "./effects.ts";
import { compareMember, isLive, type Member, type MemberId } from "./member.ts";
import type { Membership } from "./membership.ts";
import type { Refuse, Update } from "./message.ts";

/** What {@linkcode Roster} is made of. */
export interface RosterOptions {
  readonly self: MemberId;
  readonly membership: Membership;
  readonly circles: Circles;
  readonly effects: Effects;
  /** Where this server's web front is, if it has one. */
  readonly web: string | undefined;
  /** The incarnation that was saved last. */
  readonly incarnation: number;
  /** Called when a member tells that this server is gone: it has gone on without it. */
  readonly onHeldGone: (by: MemberId) => void;
}

/** What this server says of itself and of others. */
export class Roster {
  readonly #options: RosterOptions;
  #incarnation: number;
  #lapses = 0;
  #unsettledUntil = -Infinity;
  /** When this life began, in milliseconds since 1970, and with which incarnation. */
  #since = 0;
  #begunWith: number;
  /** The members whose lists have shown that they know of this life. */
  readonly #knownBy = new Set<MemberId>();

  constructor(options: RosterOptions) {
    this.#options = options;
    this.#incarnation = options.incarnation;
    this.#begunWith = options.incarnation;
  }

  /** This server's incarnation. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /** How often this server may have missed a write: what it pulled before is not enough then. */
  get lapses(): number {
    return this.#lapses;
  }

  /** The monotonic time from which on other servers have what this one has missed, if anybody has. */
  get unsettledUntil(): number {
    return this.#unsettledUntil;
  }

  /** Begins a new life. */
  begin(): void {
    this.#incarnation++;
    this.#since = this.#options.effects.now.wall;
    this.#begunWith = this.#incarnation;
  }

  /** Enters this server's own record in the list, above whatever others say of it. */
  enter(own: Pick<Member, "status" | "address" | "position">): void {
    const { self, membership, web } = this.#options;
    const known = membership.self;
    const record = {
      id: self,
      incarnation: this.#incarnation,
      ...own,
      ...(web === undefined ? {} : { web }),
    };
    if (known !== undefined && compareMember(known, record) > 0) {
      this.#incarnation = known.incarnation + 1;
    }
    membership.merge([{ ...record, incarnation: this.#incarnation }]);
  }

  /** Says that this server now holds every file. */
  becomeAlive(): void {
    const own = this.#options.membership.self;
    if (own?.status !== "joining") return;
    this.enter({ ...place(own), status: "alive" });
    this.announce();
  }

  /**
   * Says that this server may have missed writes: it may not answer from what it holds until it has
   * caught up. A write that is still going round reaches the others by `settledAt` at the latest.
   */
  lapse(settledAt = -Infinity): void {
    this.#lapses++;
    this.#unsettledUntil = Math.max(this.#unsettledUntil, settledAt);
    const own = this.#options.membership.self;
    if (own?.status !== "alive") return;
    this.#incarnation++;
    this.enter({ ...place(own), status: "joining" });
    this.announce();
  }

  /** Says that this server leaves. */
  leave(): void {
    const own = this.#options.membership.self;
    if (own === undefined || !isLive(own)) return;
    this.enter({ ...place(own), status: "left" });
  }

  /** Passes a verdict on another member and tells the ring. */
  declare(id: MemberId, status: "suspect" | "dead"): void {
    const { self, membership, effects } = this.#options;
    assert(id !== self, `a server passed the verdict ${status} on itself`);
    const member = membership.get(id);
    if (member === undefined || !membership.merge([{ ...member, status }])) return;
    effects.note("warning", `${member.address} is ${status}`);
    this.announce();
  }

  /** Takes a member that is gone off the list for good, and tells the ring. */
  forget(id: MemberId): void {
    const { membership } = this.#options;
    const member = membership.get(id);
    if (member === undefined || isLive(member)) return;
    if (membership.merge([{ ...member, status: "forgotten" }])) this.announce();
  }

  /** Takes over what is newer in the list of `from`, and answers if it speaks ill of this server. */
  merge(told: readonly Member[], from: MemberId): void {
    const { membership, onHeldGone } = this.#options;
    const members = told.filter((member) => isCredibleNews(member, membership.get(member.id)));
    this.#readOwn(members, from);
    const before = membership.self;
    if (!membership.merge(members)) return;
    const own = membership.self;
    if (before === undefined || own === undefined || own === before) return;
    // Whoever leaves stands by it: a raised incarnation would bring it back.
    if (isLive(own) && own.address !== before.address) this.dispute(own.address);
    const heldDead = !isLive(own) && isLive(before);
    if (heldDead) {
      this.#lapses++;
      onHeldGone(from);
    }
    this.enter({ ...place(before), status: heldDead ? "joining" : before.status });
    if (before.status !== "left") this.announce();
  }

  /** A member that holds the life before this one gone has gone on without it, and does not say so yet. */
  #readOwn(members: readonly Member[], from: MemberId): void {
    const { self, onHeldGone } = this.#options;
    const own = members.find(({ id }) => id === self);
    if (own === undefined) return;
    if (own.incarnation >= this.#begunWith) this.#knownBy.add(from);
    if (isLive(own) || this.#knownBy.has(from)) return;
    onHeldGone(from);
    this.lapse();
  }

  /**
   * Tells a server that claims to be this one, from another address, since when this one has run. It
   * was started on a copy of the data directory, or this one was; the younger one stops.
   */
  dispute(address: Address): void {
    const { self, effects } = this.#options;
    effects.send(address, {
      type: "REFUSE",
      from: self,
      to: self,
      status: 409,
      intended: self,
      since: this.#since,
      error: "Another server of the ring has this identity: the data directory is a copy",
    });
  }

  /** Gives way to a server of the same identity that has run for longer. */
  handleDisputed({ from, since = Infinity, error }: Refuse): void {
    const { self, effects } = this.#options;
    if (from === self && since < this.#since) {
      effects.add({ type: "stop", reason: "cloned", text: error });
    }
  }

  /** Sends the list round the ring; `via` a certain member first, to tell a circle apart from ours. */
  announce(via?: MemberId): void {
    const { self, membership, circles } = this.#options;
    const circle = {
      ...circles.name(),
      attempt: 0,
      visited: [{ id: self, deed: "stored" as const }],
    };
    const payload = { type: "UPDATE" as const, members: membership.all };
    if (via === undefined) circles.pass(circle, payload);
    else circles.passTo(via, circle, payload);
  }

  /** Merges the list that an UPDATE carries, and passes it on, with what is known here. */
  handleUpdate(message: Update): void {
    const { self, membership, circles } = this.#options;
    this.merge(message.members, message.from);
    if (message.circle.creator === self) return;
    if (circles.observe(message.circle) !== "new") return;
    circles.setDeed(message.circle, "stored");
    circles.visitAndPass(message.circle, { type: "UPDATE", members: membership.all });
  }
}

function place(member: Member): Pick<Member, "address" | "position"> {
  return { address: member.address, position: member.position };
}
