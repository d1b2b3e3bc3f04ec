/**
 * Every write there was and what clients were told of it, so that no answer may be false.
 *
 * A write that was acknowledged is held by the servers that its creator believed live, on disk, at
 * that moment, but for those that said they could not store it. A GET that is asked later answers with
 * that write or a newer one: at each of those servers as long as it keeps its disk; and, on a network
 * that loses nothing, if the ring was one then, at each that could not store it, was away or was paused,
 * once it is in touch with one of those that have it.
 */
import type { FileRecord } from "../../lib/ring/file_record.ts";
import { isLive, type Member, type MemberId } from "../../lib/ring/member.ts";
import type { CircleName } from "../../lib/ring/message.ts";
import type { Stamp } from "../../lib/ring/stamp.ts";
import type { Answering } from "./checks.ts";
import type { Disk } from "./disk.ts";
import { assertCheck } from "./failure.ts";
import type { Process } from "./process.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** What a server knew when it was asked. */
export interface Knowledge {
  /** The stamp of the record that it had of that name. */
  readonly stamp: Stamp | undefined;
  /** The members that it held live. */
  readonly live: ReadonlySet<MemberId>;
  /** How far its wall clock was off, in milliseconds. */
  readonly clockError: number;
}

/** A write that some client was told is done. */
export interface Acknowledgement {
  readonly record: FileRecord;
  readonly at: number;
  /** The disks that had it when it was acknowledged. */
  readonly holders: readonly Disk[];
  /** Those of the servers that the creator counted on. */
  readonly believed: ReadonlySet<Disk>;
  /** Whether these were all servers that ran and were not paused: the ring was one. */
  readonly isWhole: boolean;
}

/** What was written and acknowledged in a world. */
export class History {
  readonly acknowledged: Acknowledgement[] = [];
  readonly #world: World;
  readonly #records = new Map<Stamp, FileRecord>();
  readonly #damaged = new Set<Stamp>();
  readonly #answered = new Set<Stamp>();
  /** The write that each circle carries. */
  readonly #carried = new Map<string, Stamp>();
  /** The disks that did not take a write. */
  readonly #failed = new Map<Stamp, Set<Disk>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A circle carries a write. */
  handleForward(circle: CircleName, record: FileRecord): void {
    this.#addRecord(record);
    this.#carried.set(nameOf(circle), record.stamp);
  }

  /** A server reports that it could not store what a circle carries. */
  handleFailed(disk: Disk, circle: CircleName): void {
    this.#noteFailed(disk, this.#carried.get(nameOf(circle)) ?? "");
  }

  /** Whether some client was told that this write is done. */
  isAcknowledged({ stamp }: FileRecord): boolean {
    return this.#answered.has(stamp);
  }

  /** A disk has lost a record or its body. */
  handleDamaged(disk: Disk, { name, sha256 }: FileRecord): void {
    // One body may be that of several records, and what they replaced is not there either.
    const sharing = disk.records.filter((record) => record.sha256 === sha256);
    const names = new Set([name, ...sharing.map((record) => record.name)]);
    for (const record of this.#records.values()) {
      if (!names.has(record.name) && record.sha256 !== sha256) continue;
      this.#noteFailed(disk, record.stamp);
      this.#damaged.add(record.stamp);
    }
  }

  /** Whether a write was damaged on some disk. */
  wasDamaged({ stamp }: FileRecord): boolean {
    return this.#damaged.has(stamp);
  }

  /** Whether a disk has this write, or a newer one to the same name, if only to have dropped that. */
  holds(disk: Disk, write: FileRecord): boolean {
    const record = disk.lookDurable(write.name);
    if (record === undefined) return this.#world.checks.tombstones.wasDropped(write);
    return record.stamp >= write.stamp && (record.deleted === true || disk.hasBody(record.sha256));
  }

  /** There was no room for a record. */
  handleFull(disk: Disk, { stamp }: FileRecord): void {
    this.#noteFailed(disk, stamp);
  }

  /** A server wants a record on its disk; one that it has made itself is above all it has there. */
  handleStore(disk: Disk, record: FileRecord): void {
    const { stamp } = record;
    const isNew = !this.#records.has(stamp);
    assertCheck(
      !isNew || stamp.endsWith(disk.id),
      "stamps",
      () => `A write to "${record.name}" came out of nowhere, with the stamp ${stamp}`,
    );
    assertCheck(
      !isNew || stamp > disk.highestStamp,
      "stamps",
      () => `Stamp ${stamp} was made by a server that has ${disk.highestStamp} on its disk`,
    );
    this.#addRecord(record);
  }

  /** A record was seen: a stamp names one write only. */
  #addRecord(record: FileRecord): void {
    const known = this.#records.get(record.stamp);
    if (known === record) return;
    assertCheck(
      known === undefined || isSameRecord(known, record),
      "stamps",
      () => `Stamp ${record.stamp} names a write to "${record.name}" and another one`,
    );
    this.#records.set(record.stamp, record);
  }

  /** A PUT or a DELETE is answered: what is acknowledged must be on every disk that it claims. */
  handleWrite(server: Server, answering: Answering): void {
    const { ask, answer, knew, process } = answering;
    const { status, copies } = answer;
    if (status !== 200 && status !== 201) return;
    const record = this.#acknowledgedRecord(server, answering);
    const { stamp } = record;
    this.#answered.add(stamp);
    assertCheck(
      stamp > (knew.stamp ?? ""),
      "order",
      () => `${server.name} acknowledged "${ask.item}" below ${knew.stamp}, which it had before`,
    );
    this.#assertOrder(server, { answering, record });
    const holders = this.#disks().filter((disk) => this.holds(disk, record));
    const believed = this.#believed(process);
    this.#world.checks.testimony.assertAllHeard(server, { answering, believed });
    for (const disk of believed) {
      assertCheck(
        holders.includes(disk) || this.#hasFailed(disk, stamp),
        "durable",
        () =>
          `${server.name} acknowledged "${ask.item}" when ` +
          `${this.#world.trace.nameOf(disk.id)} did not have it on disk`,
      );
    }
    for (const disk of believed) this.#assertLapsed(disk, record);
    const { minCopies } = this.#world;
    const counted = [...believed, ...this.#givenUpBy(server, believed)];
    // What is damaged was on the disk, perhaps, when it was counted.
    const most = counted.filter((disk) => holders.includes(disk) || disk.wasDamaged).length;
    const least = believed.filter((disk) => !this.#hasFailed(disk, stamp)).length;
    assertCheck(
      copies !== undefined && copies >= Math.max(minCopies, least) && copies <= most,
      "durable",
      () =>
        `${server.name} claimed ${copies} copies of "${ask.item}"; there are ${least}–${most}, ` +
        `and ${minCopies} were asked for`,
    );
    if (least < most) {
      this.#world.statistics.countSituation("a write is acknowledged with fewer copies");
    }
    const { now } = this.#world;
    const isWhole = this.#world.servers.every(({ running, disk }) =>
      running === undefined || believed.includes(disk)
    );
    this.acknowledged.push({ record, at: now, holders, believed: new Set(believed), isWhole });
  }

  /**
   * A server says that it has everything: on a network that loses nothing it has what was acknowledged
   * and is held by those that it knows to be alive.
   */
  handleAlive(server: Server, members: readonly Member[]): void {
    if (!this.#world.network.wasReliable || this.#wasDamaged()) return;
    const sources = this.#world.servers.filter((other) =>
      other !== server && other.process?.isAlive === true &&
      members.some((member) => isCurrent(member, other))
    );
    for (const { record } of this.acknowledged) {
      const isKnown = sources.some(({ disk }) => {
        const held = disk.look(record.name);
        return held !== undefined && held.stamp >= record.stamp && this.isAcknowledged(held);
      });
      if (!isKnown) continue;
      assertCheck(
        this.holds(server.disk, record),
        "reads",
        () =>
          `${server.name} says that it is alive, and does not have "${record.name}" ${record.stamp}`,
      );
    }
  }

  /** A server that could not store a write that is acknowledged says that it is not alive. */
  #assertLapsed(disk: Disk, record: FileRecord): void {
    const server = this.#world.servers.find((server) => server.disk === disk);
    if (server?.process?.isAlive !== true || disk.wasDamaged) return;
    // Whoever was cut off has been on its own, and learns only now that it has missed something.
    if (!this.#world.network.wasReliable) return;
    assertCheck(
      this.holds(disk, record),
      "reads",
      () => `${server.name} is alive without "${record.name}", for which it had no room`,
    );
  }

  /** A write is newer than all that were acknowledged before it was asked for. */
  #assertOrder(
    server: Server,
    { answering, record }: { answering: Answering; record: FileRecord },
  ): void {
    for (const acknowledgement of this.acknowledged) {
      const { record: before, at } = acknowledgement;
      if (before.name !== record.name || at >= answering.askedAt) continue;
      if (!acknowledgement.believed.has(server.disk)) continue;
      assertCheck(
        record.stamp > before.stamp,
        "order",
        () =>
          `${server.name} acknowledged "${record.name}" at ${record.stamp}, ` +
          `after ${before.stamp} was acknowledged`,
      );
    }
  }

  /** The write that an answer is about, which must be the one that was asked for. */
  #acknowledgedRecord(server: Server, { ask, answer: { stamp = "" } }: Answering): FileRecord {
    const record = this.#records.get(stamp);
    assertCheck(
      record !== undefined,
      "answers",
      () => `${server.name} acknowledged a write to "${ask.item}" with the stamp ${stamp}`,
    );
    assertCheck(
      record.name === ask.item && (record.deleted === true) === (ask.type === "DELETE") &&
        (ask.type !== "PUT" || (record.sha256 === ask.sha256 && record.size === ask.size)),
      "answers",
      () => `${server.name} acknowledged ${ask.type} "${ask.item}" with another's write`,
    );
    assertCheck(
      !this.#answered.has(stamp),
      "answers",
      () => `Two requests were acknowledged with the stamp ${stamp}`,
    );
    return record;
  }

  /** A GET is answered, or a DELETE with 404: with what was acknowledged before it was asked, or with something newer. */
  handleRead(server: Server, answering: Answering): void {
    const { ask, askedAt, answer } = answering;
    const { status, stamp = "" } = answer;
    if (status !== 200 && status !== 404) return;
    if (status === 200) this.#assertBody(server, { item: ask.item, stamp });
    for (const acknowledgement of this.acknowledged) {
      const { record, at } = acknowledgement;
      if (record.name !== ask.item || at >= askedAt) continue;
      if (!this.#isOwed(server, { answering, acknowledgement })) continue;
      assertCheck(
        status === 200 ? stamp >= record.stamp : record.deleted || this.#isDeletedAfter(record),
        "reads",
        () =>
          `${server.name} answered ${ask.type} "${ask.item}" with ${status} ${stamp},` +
          ` after ${record.stamp} was acknowledged`,
      );
    }
  }

  /** Whether a server that answers a GET has to know of a write. */
  #isOwed(
    { disk }: Server,
    { answering, acknowledgement }: { answering: Answering; acknowledgement: Acknowledgement },
  ): boolean {
    const { process, knew } = answering;
    const { at, holders, believed, isWhole } = acknowledgement;
    if (disk.wasDamaged) return false;
    if (believed.has(disk) && holders.includes(disk)) return true;
    if (this.#world.isCalm && process.isAlive) return true;
    if (!this.#wasDamaged() && this.#world.checks.isUnited) {
      return this.#world.servers.some((holder) => holder.isUp && holders.includes(holder.disk));
    }
    if (!isWhole || !this.#world.network.wasReliable || this.#wasDamaged()) return false;
    const live = new Set(process.members.filter(isLive).map(({ id }) => id));
    return this.#world.servers.some((holder) =>
      holders.includes(holder.disk) && runsSince(at, holder) &&
      knew.live.has(holder.disk.id) && live.has(holder.disk.id) &&
      (believed.has(disk) || process.startedAt > at && hasRemembered(process, holder) ||
        process.disturbedAt > at && isListed(process, holder))
    );
  }

  /** The disks of the members that a process holds live, and its own. */
  #believed(process: Process): readonly Disk[] {
    const live = new Set(process.members.filter(isLive).map(({ id }) => id));
    return this.#disks().filter((disk) => live.has(disk.id) || disk.id === process.id);
  }

  /** The disks of the members that a process gives up at this moment, perhaps after it has counted them. */
  #givenUpBy(server: Server, believed: readonly Disk[]): readonly Disk[] {
    const before = this.#world.checks.listBefore(server).filter(isLive);
    return this.#disks().filter((disk) =>
      !believed.includes(disk) && before.some(({ id }) => id === disk.id)
    );
  }

  #wasDamaged(): boolean {
    return this.#disks().some((disk) => disk.wasDamaged);
  }

  #disks(): readonly Disk[] {
    return [...this.#world.servers.map(({ disk }) => disk), ...this.#world.retired];
  }

  #noteFailed(disk: Disk, stamp: Stamp): void {
    const disks = this.#failed.get(stamp) ?? new Set();
    this.#failed.set(stamp, disks.add(disk));
  }

  #hasFailed(disk: Disk, stamp: Stamp): boolean {
    return this.#failed.get(stamp)?.has(disk) ?? false;
  }

  /** Whether any delete of that name, acknowledged or not, is newer. */
  #isDeletedAfter({ name, stamp }: FileRecord): boolean {
    for (const record of this.#records.values()) {
      if (record.name === name && record.deleted && record.stamp > stamp) return true;
    }
    return false;
  }

  #assertBody(server: Server, { item, stamp }: { item: string; stamp: Stamp }): void {
    const record = this.#records.get(stamp);
    assertCheck(
      record !== undefined && record.name === item && !record.deleted,
      "reads",
      () => `${server.name} answered GET "${item}" with ${stamp}, which is no write to it`,
    );
    assertCheck(
      server.disk.hasBody(record.sha256),
      "reads",
      () => `${server.name} answered GET "${item}" with 200 and does not have its body`,
    );
  }
}

function runsSince(at: number, { process, isUp }: Server): boolean {
  return isUp && process !== undefined && process.startedAt < at;
}

/** Whether a process that started knew where another server is. */
function hasRemembered({ remembered }: Process, server: Server): boolean {
  return remembered.some((member) => isAt(member, server));
}

/** Whether a process knows where another server is. */
function isListed({ members }: Process, server: Server): boolean {
  return members.some((member) => isAt(member, server));
}

function isAt(member: Member, { disk, address }: Server): boolean {
  return member.id === disk.id && member.address === address && isLive(member);
}

/** Whether a record of a server is what that says of itself now. */
function isCurrent({ id, incarnation, status }: Member, { disk, process }: Server): boolean {
  return process?.members.some((own) =>
    own.id === disk.id && own.id === id && own.incarnation === incarnation && own.status === status
  ) === true;
}

function nameOf({ creator, boot, sequence }: CircleName): string {
  return `${creator} ${boot} ${sequence}`;
}

function isSameRecord(a: FileRecord, b: FileRecord): boolean {
  return a.name === b.name && a.stamp === b.stamp && a.sha256 === b.sha256 && a.size === b.size &&
    a.contentType === b.contentType && a.deleted === b.deleted;
}
