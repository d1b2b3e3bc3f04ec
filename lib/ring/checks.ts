/**
 * CHECK: is the successor alive, and do we agree?
 *
 * Every server checks its successor once an interval. Only an answer proves life: a connect to a
 * stopped process succeeds. A host that refuses is proof of death, after one more try at once.
 * Silence is not: after `suspectAfter` missed answers the member is suspect, another member is asked to
 * check it (a link may fail one way only), and after `deadAfter` it is dead. From the first missed
 * answer on every other member is checked as well, so that two adjacent dead servers, or all but one,
 * take no longer than one. The suspicion and the asking of others are SWIM's (Das et al., 2002).
 *
 * The answer carries the other's list if the two differ. Members that are dead or have left are checked
 * too, half of them every `probeIntervalMs`, for ever: without that a healed partition would stay two
 * rings, and so would servers that came back one after the other and remember nobody who is there. The
 * live members beyond the successor take their turns among them, so that their clocks are known.
 */
import type { Address } from "./address.ts";
import type { Circles } from "./circles.ts";
import type { Effects } from "./effects.ts";
import { isLive, type Member, type MemberId } from "./member.ts";
import type { Membership } from "./membership.ts";
import type { Ask, Check, Checked, Refuse, Vouch } from "./message.ts";
import type { Roster } from "./roster.ts";
import type { Link } from "./step.ts";
import type { WriteGate } from "./write_gate.ts";

/** How often the successor is checked unless told otherwise, in milliseconds. */
export const checkIntervalDefaultMs = 1000;
/** After how many missed answers, one an interval, a member is suspect. */
export const suspectAfter = 3;
/** After how many missed answers a member is dead. */
export const deadAfter = 5;
/** How soon a member is checked again whose connections break, after the first time, in milliseconds. */
export const recheckDelayMs = 50;
/** How often some of the members that are gone, or not next to this one, are probed, in milliseconds. */
export const probeIntervalMs = 3000;
/** How many of them are probed at a time at the most: of up to twice as many, each every other time. */
export const probesMax = 8;

interface Watch {
  /** Whether a CHECK is without an answer since the last tick. */
  waiting: boolean;
  missed: number;
  /** How often its host refused since it last answered. */
  refused: number;
  /** Whether it was checked again at once, in this interval, because a connection broke. */
  rechecked: boolean;
}

/** What {@linkcode Checks} is made of. */
export interface ChecksOptions {
  readonly self: MemberId;
  readonly membership: Membership;
  readonly roster: Roster;
  readonly circles: Circles;
  readonly effects: Effects;
  readonly gate: WriteGate;
  readonly intervalMs: number;
  /** The digest of this server's files. */
  readonly files: () => string;
  /** Called with the digest of another member's files whenever it tells. */
  readonly onFiles: (member: MemberId, files: string) => void;
}

/** Who is alive, as one server finds out. */
export class Checks {
  readonly #options: ChecksOptions;
  readonly #watches = new Map<MemberId, Watch>();
  /** When to check a member again whose connections break; in the order of the times. */
  readonly #rechecks = new Map<MemberId, number>();
  /** Who asked for a CHECK of a suspect. */
  readonly #askers = new Map<MemberId, MemberId>();
  #sequence = 0;
  #tickAt = Infinity;
  #probeAt = Infinity;
  #probed = 0;
  #toldAt = -Infinity;

  constructor(options: ChecksOptions) {
    this.#options = options;
  }

  /** The monotonic time at which {@linkcode wake} has something to do. */
  get dueAt(): number {
    const [recheckAt = Infinity] = this.#rechecks.values();
    return Math.min(this.#tickAt, this.#probeAt, recheckAt);
  }

  /** Begins to check, at once. */
  start(): void {
    const now = this.#options.effects.now.monotonic;
    this.#tickAt = now;
    this.#probeAt = now + probeIntervalMs;
  }

  wake(): void {
    const now = this.#options.effects.now.monotonic;
    if (now >= this.#tickAt) this.#tick(now);
    if (now >= this.#probeAt) this.#probe(now);
    for (const [id, at] of [...this.#rechecks]) {
      if (at > now) return;
      this.#rechecks.delete(id);
      const member = this.#options.membership.get(id);
      if (member !== undefined && isLive(member)) this.#send(member);
    }
  }

  /** Checks every member that is gone at once: a server that returns looks for its ring. */
  probeAll(): void {
    for (const member of this.#gone()) this.#send(member);
  }

  handleCheck(message: Check, link: Link): void {
    const { self, membership, effects, gate, files, onFiles } = this.#options;
    const differs = message.list !== membership.digest;
    effects.reply(link, {
      type: "CHECKED",
      from: self,
      to: message.from,
      sequence: message.sequence,
      list: membership.digest,
      files: files(),
      wall: effects.now.wall,
      ...(differs ? { members: membership.all } : {}),
    });
    gate.observe(message.from, message.wall);
    onFiles(message.from, message.files);
  }

  handleChecked(message: Checked): void {
    const { membership, roster, gate, onFiles } = this.#options;
    this.#hearFrom(message.from);
    this.#vouch(message.from);
    gate.observe(message.from, message.wall);
    if (message.members !== undefined) {
      roster.merge(message.members, message.from);
      // What is left of the difference is news for the other side.
      if (membership.digest !== message.list) this.#tell(message.from);
    }
    onFiles(message.from, message.files);
  }

  /**
   * Sends the list round the ring, through a member that has another. Once in an interval is enough for
   * those on the circle: on a bad network all of them differ for a while.
   */
  #tell(id: MemberId): void {
    const { membership, roster, effects, intervalMs } = this.#options;
    const member = membership.get(id);
    const now = effects.now.monotonic;
    if (member !== undefined && isLive(member)) {
      if (now < this.#toldAt + intervalMs) return;
      this.#toldAt = now;
    }
    roster.announce(id);
  }

  handleAsk(message: Ask): void {
    const suspect = this.#options.membership.get(message.suspect);
    if (suspect === undefined || suspect.id === this.#options.self) return;
    this.#askers.set(suspect.id, message.from);
    this.#send(suspect);
  }

  handleVouch(message: Vouch): void {
    this.#hearFrom(message.suspect);
  }

  /** Somebody else answers at a member's address: the member is not there any more. */
  handleMisdirected(message: Refuse): void {
    if (message.intended !== "") this.#declareDead(message.intended);
  }

  /** Deals with an address that refused, or broke the connection. */
  handleUnreachable(address: Address, reason: "refused" | "closed"): void {
    const { membership, circles } = this.#options;
    for (const member of membership.others) {
      if (member.address !== address) continue;
      if (reason === "refused") this.#refusedBy(member);
      else this.#recheck(member);
      circles.handleUnreachable(member.id, reason);
    }
  }

  #tick(now: number): void {
    const { membership, intervalMs } = this.#options;
    // A server that was itself stopped for a while has no right to a verdict on others' silence.
    const wasPaused = now > this.#tickAt + intervalMs;
    this.#tickAt = now + intervalMs;
    const judged = this.#targets();
    if (!wasPaused) { for (const member of judged) this.#judge(member); }
    const targets = this.#targets();
    this.#forgetOthers(targets);
    for (const member of targets) {
      if (membership.get(member.id) === undefined) continue;
      this.#watch(member.id).rechecked = false;
      this.#send(member);
    }
  }

  /** The successor, and every other member while the successor does not answer. */
  #targets(): readonly Member[] {
    const { membership } = this.#options;
    const { successor } = membership;
    if (successor === undefined) return [];
    const missed = this.#watches.get(successor.id)?.missed ?? 0;
    return missed > 0 ? membership.others : [successor];
  }

  #judge(member: Member): void {
    const { roster } = this.#options;
    const watch = this.#watch(member.id);
    if (!watch.waiting) return;
    watch.missed++;
    if (watch.missed >= deadAfter) return this.#declareDead(member.id);
    if (watch.missed < suspectAfter) return;
    roster.declare(member.id, "suspect");
    this.#askAnother(member);
  }

  #askAnother(suspect: Member): void {
    const { self, membership, effects } = this.#options;
    const helpers = membership.others.filter((member) =>
      member.id !== suspect.id && this.#watch(member.id).missed === 0
    );
    const helper = helpers[this.#sequence % Math.max(1, helpers.length)];
    if (helper === undefined) return;
    effects.send(helper.address, { type: "ASK", from: self, to: helper.id, suspect: suspect.id });
  }

  #vouch(suspect: MemberId): void {
    const { self, membership, effects } = this.#options;
    const asker = membership.get(this.#askers.get(suspect) ?? "");
    this.#askers.delete(suspect);
    if (asker === undefined) return;
    effects.send(asker.address, { type: "VOUCH", from: self, to: asker.id, suspect });
  }

  #refusedBy(member: Member): void {
    const watch = this.#watch(member.id);
    watch.refused++;
    if (watch.refused >= 2) this.#declareDead(member.id);
    else this.#send(member);
  }

  #recheck(member: Member): void {
    const watch = this.#watch(member.id);
    if (!watch.rechecked) {
      watch.rechecked = true;
      return this.#send(member);
    }
    // A process that dies may close its connections before it stops listening.
    if (this.#rechecks.has(member.id)) return;
    this.#rechecks.set(member.id, this.#options.effects.now.monotonic + recheckDelayMs);
  }

  /** Declares a member dead, and turns to the next one without waiting for the next tick. */
  #declareDead(id: MemberId): void {
    const { self, membership, roster } = this.#options;
    if (id === self) return;
    const before = membership.successor?.id;
    roster.declare(id, "dead");
    this.#watches.delete(id);
    const successor = membership.successor;
    if (successor !== undefined && successor.id !== before) this.#send(successor);
  }

  #probe(now: number): void {
    this.#probeAt = now + probeIntervalMs;
    const { successor, others } = this.#options.membership;
    const seldom = [...others.filter((member) => member !== successor), ...this.#gone()];
    // So few that are gone that two rings become one within 10 s, however many are gone for good.
    for (let left = Math.min(probesMax, Math.ceil(seldom.length / 2)); left > 0; left--) {
      const member = seldom[this.#probed++ % seldom.length];
      if (member !== undefined) this.#send(member);
    }
  }

  #gone(): readonly Member[] {
    return this.#options.membership.all.filter((member) =>
      !isLive(member) && member.status !== "forgotten" && member.id !== this.#options.self
    );
  }

  #send(member: Member): void {
    const { self, membership, effects, files } = this.#options;
    this.#watch(member.id).waiting = true;
    effects.send(member.address, {
      type: "CHECK",
      from: self,
      to: member.id,
      sequence: ++this.#sequence,
      list: membership.digest,
      files: files(),
      wall: effects.now.wall,
    });
  }

  #hearFrom(id: MemberId): void {
    const watch = this.#watches.get(id);
    if (watch === undefined) return;
    watch.waiting = false;
    watch.missed = 0;
    watch.refused = 0;
  }

  #watch(id: MemberId): Watch {
    let watch = this.#watches.get(id);
    if (watch === undefined) {
      watch = { waiting: false, missed: 0, refused: 0, rechecked: false };
      this.#watches.set(id, watch);
    }
    return watch;
  }

  #forgetOthers(targets: readonly Member[]): void {
    const kept = new Set(targets.map((member) => member.id));
    for (const id of [...this.#watches.keys()]) {
      if (!kept.has(id)) this.#watches.delete(id);
    }
  }
}
