/**
 * The node: one server of the ring, as a deterministic state machine.
 *
 * `step` takes one input and returns effects, and that is all that ever happens here: no I/O, no clock,
 * no randomness, no waiting. So a whole ring runs in one process, in virtual time, from one seed.
 *
 * The parts, each in its file: the list and the circle it makes (`membership.ts`), what this server
 * says of itself and others (`roster.ts`), who is alive (`checks.ts`), coming and going
 * (`entrance.ts`), messages that go round (`circles.ts`), this server's own (`rounds.ts`), what clients
 * ask (`replication.ts`) and when it is refused (`write_gate.ts`), looking for it (`finder.ts`), storing it
 * (`applier.ts`), catching up (`repair.ts`, `returns.ts`), mending (`mender.ts`), dropping tombstones
 * (`collector.ts`), what to do about strangers (`strangers.ts`), and whom not to believe
 * (`credibility.ts`).
 */
import type { Address } from "./address.ts";
import { Applier } from "./applier.ts";
import { assertNever } from "./assert.ts";
import { checkIntervalDefaultMs, Checks, suspectAfter } from "./checks.ts";
import { Circles } from "./circles.ts";
import { isCredible } from "./credibility.ts";
import { Effects } from "./effects.ts";
import { Collector } from "./collector.ts";
import { Entrance } from "./entrance.ts";
import { Finder } from "./finder.ts";
import type { Member, MemberId } from "./member.ts";
import { Membership } from "./membership.ts";
import { Mender } from "./mender.ts";
import type { Forward, MemberMessage, Refuse } from "./message.ts";
import { Repair } from "./repair.ts";
import { Replication } from "./replication.ts";
import { Returns } from "./returns.ts";
import { Roster } from "./roster.ts";
import { Rounds } from "./rounds.ts";
import { Saving } from "./saving.ts";
import { StampClock } from "./stamp.ts";
import type { Effect, Input, Link, Now, StoredRing } from "./step.ts";
import { Strangers } from "./strangers.ts";
import { WriteGate } from "./write_gate.ts";

/** What a node is made of. */
export interface NodeOptions {
  readonly id: MemberId;
  /** What other members are told. */
  readonly address: Address;
  /** Where this server's web front is, as `http://host:port/`, if it has one. */
  readonly web?: string;
  readonly stored: StoredRing;
  /** The digest of the store's files at the start. */
  readonly files: string;
  /** Random, new at every start: makes the numbers of this life's circles unique. */
  readonly boot: string;
  /** SHA-256 of a text as UTF-8, in lower-case hexadecimal digits. */
  readonly sha256: (text: string) => string;
  /** Insert this server after the one at this address. */
  readonly previous?: Address;
  /** How often the successor is checked, in milliseconds. */
  readonly checkIntervalMs?: number;
  /** How many servers must have a write on disk before it is acknowledged; 1 if absent. */
  readonly minCopies?: number;
}

/** A shorter pause than this may also be a long turn of the event loop, in milliseconds. */
export const pauseMsMin = 3000;

/** One server of the ring. */
export class Node {
  readonly #id: MemberId;
  readonly #effects = new Effects();
  readonly #membership: Membership;
  readonly #circles: Circles;
  readonly #rounds: Rounds;
  readonly #roster: Roster;
  readonly #checks: Checks;
  readonly #entrance: Entrance;
  readonly #returns: Returns;
  readonly #repair: Repair;
  readonly #replication: Replication;
  readonly #finder: Finder;
  readonly #mender: Mender;
  readonly #collector: Collector;
  readonly #strangers: Strangers;
  readonly #saving: Saving;
  /** The parts that have something to do when its time has come, in this order. */
  readonly #timed: readonly { readonly dueAt: number; wake(): void }[];
  #files: string;
  readonly #checkIntervalMs: number;
  #steppedAt = Infinity;
  #shownCircle = "";
  /** The version of the list at which the circle was looked at. */
  #shownVersion = -1;
  #wakeAt = Infinity;

  constructor(options: NodeOptions) {
    const { id: self, address, stored, boot, previous, web } = options;
    this.#id = self;
    this.#files = options.files;
    this.#checkIntervalMs = options.checkIntervalMs ?? checkIntervalDefaultMs;
    const effects = this.#effects;
    const membership = this.#membership = new Membership(self, options.sha256);
    const clock = new StampClock(self, stored.highestStamp);
    const applier = new Applier(effects, clock);
    const files = () => this.#files;
    const circles = this.#circles = new Circles({
      self,
      boot,
      membership,
      effects,
      clock,
      onReturn: (circle, payload) => {
        if (payload.type === "FORWARD") this.#rounds.handleReturn(circle, payload.errand);
      },
    });
    const roster = this.#roster = new Roster({
      self,
      membership,
      circles,
      effects,
      incarnation: stored.incarnation,
      web,
      onHeldGone: (by) => this.#repair.owe(by),
    });
    this.#saving = new Saving({ membership, roster, clock });
    this.#strangers = new Strangers({ self, membership, roster, effects });
    const rounds = this.#rounds = new Rounds({ self, membership, circles, effects });
    const gate = new WriteGate({
      membership,
      effects,
      minCopies: options.minCopies ?? 1,
    });
    const finder = this.#finder = new Finder({ self, membership, circles, rounds, effects });
    const mender = this.#mender = new Mender({ self, membership, finder, applier, effects });
    this.#replication = new Replication({
      self,
      membership,
      roster,
      circles,
      rounds,
      finder,
      mender,
      applier,
      clock,
      effects,
      gate,
    });
    const returns = this.#returns = new Returns({ self, membership, effects });
    const repair = this.#repair = new Repair({
      self,
      membership,
      roster,
      returns,
      applier,
      effects,
      files,
    });
    this.#collector = new Collector({
      self,
      membership,
      circles,
      rounds,
      applier,
      repair,
      clock,
      effects,
      files,
    });
    const checks = this.#checks = new Checks({
      self,
      membership,
      roster,
      circles,
      effects,
      files,
      gate,
      intervalMs: this.#checkIntervalMs,
      onFiles: (member, theirs) => repair.observe(member, theirs),
    });
    this.#entrance = new Entrance({
      self,
      address,
      previous,
      remembered: stored.members,
      membership,
      roster,
      checks,
      clock,
      effects,
      isTelling: () => circles.hopsUnderWay > 0,
    });
    this.#timed = [checks, circles, rounds, this.#entrance, returns, repair, this.#collector];
  }

  /** Every member known, in the order of the circle from this server on; dead ones included. */
  get members(): readonly Member[] {
    return this.#membership.fromSelf;
  }

  /** The live members, from this server on. */
  get circle(): readonly Member[] {
    return this.#membership.circle;
  }

  /** Whether this server holds everything that it should, as far as it knows. */
  get isCurrent(): boolean {
    return this.#membership.self?.status === "alive";
  }

  /** While this server catches up: how many records of another server it has compared with its own. */
  get compared(): number | undefined {
    return this.#membership.self?.status === "joining" ? this.#repair.compared : undefined;
  }

  /** Why this server takes no PUT now, in one sentence; absent if it does. */
  get putRefusal(): string | undefined {
    return this.#replication.refusal("PUT");
  }

  /** Takes one input; returns what the shell is to do, in this order. */
  step(input: Input, now: Now): readonly Effect[] {
    this.#effects.begin(now);
    this.#noticePause(now);
    this.#handle(input);
    this.#wakeParts();
    this.#settle();
    return this.#effects.end(this.#saving.take());
  }

  /**
   * A server that was itself stopped may have been held dead, and have missed writes: before it answers
   * from what it holds, it catches up. Its ticks come once an interval, so that a gap tells.
   */
  #noticePause({ monotonic }: Now): void {
    const pauseMs = monotonic - this.#steppedAt;
    this.#steppedAt = monotonic;
    if (pauseMs < Math.max(pauseMsMin, suspectAfter * this.#checkIntervalMs)) return;
    this.#effects.note("warning", `This server was stopped for ${Math.round(pauseMs / 1000)} s`);
    this.#roster.lapse();
  }

  #handle(input: Input): void {
    switch (input.type) {
      case "start":
        return this.#entrance.start();
      case "message":
        return this.#handleMessage(input.message, input.link);
      case "unreachable":
        return this.#checks.handleUnreachable(input.address, input.reason);
      case "request":
        return this.#replication.handleRequest(input.request, input.ask);
      case "written":
      case "collected":
        this.#files = input.files;
        return this.#effects.resume(input.token, input);
      case "looked":
      case "digested":
      case "compared":
      case "fetched":
        return this.#effects.resume(input.token, input);
      case "damaged":
        this.#files = input.files;
        return this.#mender.handleDamaged(input.request, input.names);
      case "collect":
        return this.#collector.handleRequest(input.request);
      case "forget":
        return this.#roster.forget(input.member);
      case "leave":
        return this.#entrance.leave();
      case "wake":
        this.#wakeAt = Infinity;
        return;
      default:
        assertNever(input);
    }
  }

  #handleMessage(message: MemberMessage, link: Link): void {
    if (message.type === "INSERT") return this.#entrance.handleInsert(message, link);
    if (!this.#strangers.admits(message, link)) return;
    if (!isCredible(message, this.#effects.now.wall)) return;
    switch (message.type) {
      case "INSERTED":
        return this.#entrance.handleInserted(message);
      case "CHECK":
        return this.#checks.handleCheck(message, link);
      case "CHECKED":
        return this.#checks.handleChecked(message);
      case "ASK":
        return this.#checks.handleAsk(message);
      case "VOUCH":
        return this.#checks.handleVouch(message);
      case "UPDATE":
        // A newcomer remembers no ring that it may never be in, unless this list has its place.
        if (this.#membership.self === undefined) this.#entrance.handleInserted(message);
        if (this.#membership.self === undefined) return;
        this.#acknowledge(message, link);
        return this.#roster.handleUpdate(message);
      case "FORWARD":
        this.#acknowledge(message, link);
        // Before it is counted, as with a REPORT.
        if (message.members !== undefined) this.#roster.merge(message.members, message.from);
        return this.#handleForward(message);
      case "ACK":
        return this.#circles.handleAck(message);
      case "REPORT":
        // Before it is counted: whoever is new in the list is waited for as well.
        if (message.members !== undefined) this.#roster.merge(message.members, message.from);
        return this.#rounds.handleReport(message);
      case "COMPARE":
        return this.#repair.handleCompare(message, link);
      case "PAGE":
        return this.#repair.handlePage(message);
      case "MISSED":
        return this.#repair.handleMissed(message);
      case "REFUSE":
        return this.#handleRefuse(message);
      default:
        assertNever(message);
    }
  }

  /** Does what a circle asks, and passes it on; or, as its creator, takes it back. */
  #handleForward(message: Forward): void {
    const { circle, errand } = message;
    if (circle.creator === this.#id) return this.#rounds.handleReturn(circle, errand);
    const sighting = this.#circles.observe(circle);
    if (sighting === "repeated") {
      const list = message.members === undefined ? {} : { members: this.#membership.all };
      return this.#circles.relay(circle, { type: "FORWARD", errand, ...list });
    }
    switch (errand.type) {
      case "WRITE":
        return this.#replication.handleWrite(message, { errand, sighting });
      case "FIND":
        return this.#finder.handleFind(circle, errand);
      case "SURVEY":
        return this.#collector.handleSurvey(circle, errand);
      case "COLLECT":
        return this.#collector.handleCollect(circle, errand);
      default:
        assertNever(errand);
    }
  }

  /** The receiver of a hop is from now on the one that has to pass it on. */
  #acknowledge(message: { from: MemberId; hop: number }, link: Link): void {
    const { from: to, hop } = message;
    this.#effects.reply(link, { type: "ACK", from: this.#id, to, hop });
  }

  #handleRefuse(message: Refuse): void {
    if (message.status === 409) return this.#roster.handleDisputed(message);
    if (message.status === 421) return this.#checks.handleMisdirected(message);
    if (message.intended === "") return this.#entrance.handleRefused(message);
    this.#strangers.introduce(message.from);
  }

  #wakeParts(): void {
    const now = this.#effects.now.monotonic;
    for (const part of this.#timed) {
      if (part.dueAt <= now) part.wake();
    }
  }

  /** Lets every part draw its conclusions from a list that has changed. */
  #settle(): void {
    let version;
    do {
      version = this.#membership.version;
      if (version !== this.#saving.version) {
        this.#circles.reroute();
        this.#rounds.reconsider();
      }
      this.#returns.settle();
      if (this.#entrance.isInside) this.#repair.settle();
      this.#entrance.settle();
    } while (version !== this.#membership.version);
    this.#showCircle();
    this.#setAlarm();
  }

  #showCircle(): void {
    if (this.#membership.version === this.#shownVersion) return;
    this.#shownVersion = this.#membership.version;
    const members = this.#membership.circle;
    const shown = members.map((member) => member.address).join(" ");
    if (shown === this.#shownCircle || members.length === 0) return;
    this.#shownCircle = shown;
    this.#effects.add({ type: "circle", members });
  }

  #setAlarm(): void {
    let at = Infinity;
    for (const part of this.#timed) at = Math.min(at, part.dueAt);
    if (at >= this.#wakeAt) return;
    this.#wakeAt = at;
    this.#effects.add({ type: "wake", at });
  }
}
