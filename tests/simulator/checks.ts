/**
 * What must hold at every moment of a simulation. Each check has a name; the end has its own, in
 * `final_checks.ts`.
 *
 * The checks see what no server can: every disk at once, and what each client was promised.
 */
import { compareMember, isLive, type Member, type MemberId } from "../../lib/ring/member.ts";
import type { Compare, Forward, MemberMessage } from "../../lib/ring/message.ts";
import type { FileAnswer } from "../../lib/ring/request.ts";
import type { Ask, Effect, Input, RecordWrite, WriteOutcome } from "../../lib/ring/step.ts";
import { Circulation } from "./circulation.ts";
import { assertCheck } from "./failure.ts";
import { isGood } from "./deadline.ts";
import type { Disk } from "./disk.ts";
import { History, type Knowledge } from "./history.ts";
import type { Process, StopReason } from "./process.ts";
import { Pulls } from "./pulls.ts";
import { Returns } from "./returns.ts";
import { assertService } from "./service.ts";
import type { Server } from "./server.ts";
import { Testimony } from "./testimony.ts";
import { type Drop, Tombstones } from "./tombstones.ts";
import type { World } from "./world.ts";

/** How long lists must have been one before all servers owe all that was acknowledged, in milliseconds. */
const unitedMs = 500;
/** How long who has missed something may not hear of it after a link has healed: MISSED is repeated in it. */
const missedMs = 1_500;

/** An answer on its way to a client. */
export interface Answering {
  readonly ask: Ask;
  /** When the client's request was there. */
  readonly askedAt: number;
  /** What the server knew then. */
  readonly knew: Knowledge;
  readonly answer: FileAnswer;
  /** The process that answers. */
  readonly process: Process;
}

/** A list on a disk, and the one that was there before the moment at which it was saved. */
interface SavedList {
  readonly members: readonly Member[];
  readonly savedAt: number;
  readonly before: readonly Member[];
}

/** Watches a world; every method throws a `SimulationFailure` when something does not hold. */
export class Checks {
  readonly history: History;
  readonly testimony: Testimony;
  readonly tombstones: Tombstones;
  readonly #circulation: Circulation;
  readonly #pulls: Pulls;
  readonly #returns: Returns;
  readonly #world: World;
  /** The highest incarnation that each member has made durable. */
  readonly #incarnations = new Map<MemberId, number>();
  /** The process that saved something last on each disk: each begins with an incarnation of its own. */
  readonly #savers = new Map<Disk, Process>();
  /** The list that was saved last on each disk. */
  readonly #lists = new Map<Disk, SavedList>();
  /** Servers that have read of their own death since they last began to catch up. */
  readonly #heldDead = new Set<Disk>();
  #listChangedAt = 0;
  /** From this time on nothing but CHECKs may be sent. */
  quietFrom = Infinity;

  constructor(world: World) {
    this.#world = world;
    this.history = new History(world);
    this.testimony = new Testimony(world);
    this.tombstones = new Tombstones(world);
    this.#circulation = new Circulation(world);
    this.#pulls = new Pulls(world);
    this.#returns = new Returns(world);
  }

  onInput(server: Server, input: Input): void {
    const { statistics } = this.#world;
    this.#returns.handleInput(server, input);
    if (input.type === "message") this.#noteHeldDead(server, input.message);
    if (input.type === "message") this.#notePull(server, input.message);
    if (input.type === "message" && input.message.type === "INSERT") {
      const joining = this.#world.servers.filter(({ process, running }) =>
        running !== undefined && process !== undefined && !process.isAlive
      );
      if (joining.length > 1) statistics.countSituation("a server joins while others join");
      if (this.#world.servers.some(({ process }) => process?.hasWriteInFlight)) {
        statistics.countSituation("a server joins while a write is in flight");
      }
    }
    if (input.type === "request" && server.process?.members.length === 1) {
      statistics.countSituation("a ring of one serves");
    }
  }

  /** The list that a server had until this moment. */
  listBefore({ disk }: Server): readonly Member[] {
    const list = this.#lists.get(disk);
    return (list?.savedAt === this.#world.now ? list.before : list?.members) ?? [];
  }

  #notePull(server: Server, message: MemberMessage): void {
    if (message.type === "COMPARE") this.#pulls.handleAsked(server, message);
    if (message.type === "PAGE") this.#pulls.handleGiven(server, message);
  }

  /** Whether all servers that run are alive, and their lists have been one for a while. */
  get isUnited(): boolean {
    const { now, quality, servers, network } = this.#world;
    if (!isGood(quality) || network.uncutMs < missedMs) return false;
    if (now < this.#listChangedAt + unitedMs) return false;
    const running = servers.filter(({ isUp }) => isUp);
    const ids = new Set(running.map(({ disk }) => disk.id));
    return running.every(({ process }) => {
      const live = process?.members.filter(isLive) ?? [];
      return process?.isAlive === true && live.length === ids.size &&
        live.every(({ id }) => ids.has(id));
    });
  }

  /** Whether a message says that the server that reads it is dead, and so has missed what others wrote. */
  #noteHeldDead({ disk, process }: Server, message: MemberMessage): void {
    // A stranger is refused, unless it introduces itself.
    const isRead = message.type === "UPDATE" ||
      process?.members.some(({ id }) => id === message.from) === true;
    const told = isRead && "members" in message ? message.members ?? [] : [];
    const own = told.find(({ id }) => id === disk.id);
    const isNews = own !== undefined && own.incarnation >= (this.#incarnations.get(disk.id) ?? 0);
    if (isNews && own.status === "dead") this.#heldDead.add(disk);
  }

  /** A list is made durable: only the owner's incarnation may be higher than ever before. */
  onSave(server: Server, { incarnation, members }: Extract<Effect, { type: "save" }>): void {
    const { disk, name } = server;
    const before = this.#incarnations.get(disk.id) ?? 0;
    const isNew = before > 0 && server.process !== this.#savers.get(disk);
    assertCheck(
      isNew ? incarnation > before : incarnation >= before,
      "incarnations",
      () =>
        `${name} saved incarnation ${incarnation} after ${before}${isNew ? ", at its start" : ""}`,
    );
    if (server.process !== undefined) this.#savers.set(disk, server.process);
    this.#incarnations.set(disk.id, incarnation);
    this.#assertMembers(server, members);
    this.#assertPlaces(server, members);
    this.#assertCaughtUp(server, members);
    this.#assertComplete(server, members);
    this.#assertNothingForgotten(server, members);
    const isStarting = server.process?.startedAt === this.#world.now;
    if (before > 0 && incarnation > before && !isStarting) {
      this.#world.statistics.countSituation(
        "a server reads that it is suspect or dead and denies it",
      );
    }
  }

  onSend(server: Server, message: MemberMessage): void {
    this.#assertQuiet(server, message);
    this.#returns.handleSend(server, message);
    if ("members" in message && message.members) this.#assertMembers(server, message.members);
    switch (message.type) {
      case "INSERT":
        return this.#assertIncarnation(server, message.from, message.incarnation);
      case "UPDATE":
        return this.#circulation.handleHop(server, message);
      case "FORWARD":
        this.#circulation.handleHop(server, message);
        this.#assertLive(server, message);
        if (message.errand.type === "WRITE") {
          this.#assertCeiling(server, message);
          this.testimony.handleForward(message.circle, message.errand.record.stamp);
          return this.history.handleForward(message.circle, message.errand.record);
        }
        if (message.errand.type !== "FIND") return;
        return this.#world.statistics.countSituation("a GET goes round the ring");
      case "COMPARE":
        if (message.after === "") this.#heldDead.delete(server.disk);
        if (message.member.status === "joining") this.#assertLive(server, message);
        return this.#pulls.handleAsking(server, message);
      case "PAGE":
        assertCheck(
          server.process?.isAlive === true || message.partial === true,
          "reads",
          () => `${server.name} is not alive, and gives out a page as if it had everything`,
        );
        return this.#pulls.handleGiving(server, message);
      case "REPORT":
        this.testimony.handleReport(server, message);
        if (message.deed === "failed") this.history.handleFailed(server.disk, message.circle);
    }
  }

  onLook(server: Server, item: string): void {
    this.testimony.handleLook(server, item);
  }

  onWrite(server: Server, { record }: RecordWrite): void {
    this.history.handleStore(server.disk, record);
    this.tombstones.handleStore(server, record);
  }

  onDropped(server: Server, drop: Drop): void {
    this.#world.statistics.countSituation("a tombstone is dropped", drop.dropped.length);
    this.tombstones.handleDropped(server, drop);
  }

  /** A disk has been written: what is there may only become newer. */
  onWritten(
    server: Server,
    { record, outcome }: { record: RecordWrite["record"]; outcome: WriteOutcome },
  ): void {
    const { statistics } = this.#world;
    if (outcome.outcome === "superseded") statistics.countSituation("a write is superseded");
    if (outcome.outcome === "bodyMissing") statistics.countSituation("a write lacks its body");
    if (outcome.outcome === "full") {
      statistics.countSituation("a write finds no room");
      this.history.handleFull(server.disk, record);
    }
    if (outcome.outcome === "stored") this.tombstones.assertNotBack(server, record);
    if (outcome.outcome !== "stored" || outcome.previous === undefined) return;
    const { previous } = outcome;
    assertCheck(
      previous.stamp <= record.stamp,
      "regress",
      () => `${server.name} replaced "${record.name}" by an older record`,
    );
  }

  onAnswer(server: Server, answering: Answering): void {
    const { statistics } = this.#world;
    const { ask, answer } = answering;
    assertCheck(
      answer.type === ask.type && answer.item === ask.item,
      "answers",
      () =>
        `${server.name} answered ${ask.type} "${ask.item}" with ${answer.type} "${answer.item}"`,
    );
    const { type, status } = answer;
    if (type === "GET" && status === 200) statistics.countSituation("a GET is answered 200");
    if (type === "GET" && status === 404) statistics.countSituation("a GET is answered 404");
    if (type === "PUT" && status === 200) statistics.countSituation("a PUT is answered 200");
    if (type === "PUT" && status === 201) statistics.countSituation("a PUT is answered 201");
    if (type === "DELETE" && status === 200) statistics.countSituation("a DELETE is answered 200");
    if (type === "DELETE" && status === 404) statistics.countSituation("a DELETE is answered 404");
    if (type === "GET" && status === 503) statistics.countSituation("a GET is answered 503");
    if (type !== "GET" && status === 503) {
      statistics.countSituation("a write is refused before it is stored");
    }
    if (type !== "GET" && status === 504) statistics.countSituation("a write is answered 504");
    if (type !== "GET" && status === 507) statistics.countSituation("a write is answered 507");
    assertService(this.#world, server, answering);
    if (status === 404) this.testimony.assertAllLooked(server, answering);
    if (type === "GET" || status === 404) this.history.handleRead(server, answering);
    else this.history.handleWrite(server, answering);
  }

  onEnd(_server: Server, process: Process): void {
    if (process.hasWriteInFlight) {
      this.#world.statistics.countSituation("a creator dies with a write in flight");
    }
  }

  onStop(server: Server, reason: StopReason): void {
    const { statistics } = this.#world;
    assertCheck(reason !== "cloned", "members", () => `${server.name} takes itself for a copy`);
    if (reason === "left") {
      this.#assertToldOthers(server);
      statistics.countSituation("a server leaves in time");
    } else statistics.countSituation("a server finds no previous server");
  }

  /** Who leaves stops when somebody knows, if there is anybody who hears it. */
  #assertToldOthers({ process, disk, name }: Server): void {
    const live = new Set(process?.members.filter(isLive).map(({ id }) => id));
    const listeners = this.#world.servers.filter((other) =>
      other.running?.isAlive && live.has(other.disk.id)
    );
    const isKnown = this.#world.servers.some(({ running }) =>
      running?.id !== disk.id && running?.isLeaving === false &&
      running.members.some(({ id, status }) => id === disk.id && status === "left")
    );
    assertCheck(
      isKnown || listeners.length === 0 || !this.#world.isBrisk || !isGood(this.#world.quality),
      "leaving",
      () => `${name} left, and told nobody`,
    );
  }

  /** Who was held dead catches up before it says that it is alive, unless there is nobody else. */
  #assertCaughtUp({ disk, name }: Server, members: readonly Member[]): void {
    const isAlone = !members.some((member) => member.id !== disk.id && isLive(member));
    if (isAlone) this.#heldDead.delete(disk);
    const own = members.find(({ id }) => id === disk.id);
    assertCheck(
      own?.status !== "alive" || !this.#heldDead.has(disk),
      "members",
      () => `${name} was held dead, and says that it is alive before it has caught up`,
    );
  }

  /** Who says that it is alive, and was not before, has all that was acknowledged. */
  #assertComplete(server: Server, members: readonly Member[]): void {
    const { disk } = server;
    const isAlive = (list: readonly Member[]) =>
      list.some(({ id, status }) => id === disk.id && status === "alive");
    const before = this.#lists.get(disk)?.members ?? [];
    if (isAlive(before) && !isAlive(members)) this.#pulls.handleLapsed(server);
    if (isAlive(before) || !isAlive(members)) return;
    this.#pulls.handleAlive(server, members);
    this.#returns.handleAlive(server, members);
    this.history.handleAlive(server, members);
  }

  /** No two members have the same place. */
  #assertPlaces({ name }: Server, members: readonly Member[]): void {
    const places = new Set(members.map(({ position }) => position));
    assertCheck(
      places.size === members.length,
      "places",
      () => `${name} has ${members.length} members at ${places.size} places`,
    );
  }

  /** What a server knows of another never goes back, not even when it starts again. */
  #assertNothingForgotten(server: Server, members: readonly Member[]): void {
    const before = this.#lists.get(server.disk)?.members ?? [];
    this.#returns.handleSave(server, { before, members });
    const now = new Map(members.map((member) => [member.id, member]));
    for (const member of before) {
      // A server that asks to be inserted again waits to be told its own place.
      if (member.id === server.disk.id) continue;
      const later = now.get(member.id);
      assertCheck(
        later === member || (later !== undefined && compareMember(later, member) >= 0),
        "members",
        () => `${server.name} forgot what it knew of ${this.#world.trace.nameOf(member.id)}`,
      );
    }
    if (this.#lists.get(server.disk)?.members !== members) this.#listChangedAt = this.#world.now;
    const savedAt = this.#world.now;
    this.#lists.set(server.disk, { members, savedAt, before: this.listBefore(server) });
  }

  #assertMembers(server: Server, members: readonly Member[]): void {
    for (const { id, incarnation } of members) this.#assertIncarnation(server, id, incarnation);
  }

  /** Nobody may say more of a member than the member itself has made durable. */
  #assertIncarnation(server: Server, id: MemberId, incarnation: number): void {
    const own = this.#incarnations.get(id) ?? 0;
    assertCheck(
      incarnation <= own,
      "incarnations",
      () =>
        `${server.name} speaks of ${this.#world.trace.nameOf(id)} at incarnation ${incarnation}` +
        ` when it has saved ${own}`,
    );
  }

  /** What clients ask, and what a joining server lacks, is not asked of those that were gone before. */
  #assertLive({ disk, name }: Server, { type, to }: Forward | Compare): void {
    const list = this.#lists.get(disk);
    const member = list?.members.find(({ id }) => id === to);
    assertCheck(
      member === undefined || isLive(member) || list?.savedAt === this.#world.now,
      type === "FORWARD" ? "circles" : "pulls",
      () => `${name} sends a ${type} to ${this.#world.trace.nameOf(to)}, ${member?.status}`,
    );
  }

  /** A stamp of its own that a server tells is below the ceiling that it has stored. */
  #assertCeiling({ disk, name }: Server, { circle, errand }: Forward): void {
    if (circle.creator !== disk.id || errand.type !== "WRITE") return;
    const { stamp } = errand.record;
    assertCheck(
      stamp <= disk.load().highestStamp,
      "stamps",
      () => `${name} tells of ${stamp}, above ${disk.load().highestStamp}, which it has stored`,
    );
  }

  #assertQuiet(server: Server, message: MemberMessage): void {
    if (this.#world.now < this.quietFrom) return;
    assertCheck(
      message.type === "CHECK" || message.type === "CHECKED" || message.type === "REFUSE" ||
        this.#world.isBodyLost,
      "quiet",
      () => `${server.name} sent ${this.#world.trace.message(message)} when all should be quiet`,
    );
  }
}
