/**
 * Every write there was and what clients were told of it, so that no answer may be false.
 *
 * A write that was acknowledged is held by the servers that its creator believed live, on disk, at
 * that moment; a GET at one of them, asked later, answers with that write or a newer one.
 */
import type { FileRecord } from "../../lib/ring/file_record.ts";
import type { Stamp } from "../../lib/ring/stamp.ts";
import type { Answering } from "./checks.ts";
import { assertCheck } from "./failure.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** A write that some client was told is done. */
export interface Acknowledgement {
  readonly record: FileRecord;
  readonly at: number;
  /** The servers that had it on disk when it was acknowledged. */
  readonly holders: readonly Server[];
  /** The servers, among these, that the creator counted on. */
  readonly believed: ReadonlySet<Server>;
}

/** What was written and acknowledged in a world. */
export class History {
  readonly acknowledged: Acknowledgement[] = [];
  readonly #world: World;
  readonly #records = new Map<Stamp, FileRecord>();
  readonly #answered = new Set<Stamp>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A record was seen: a stamp names one write only. */
  addRecord(record: FileRecord): void {
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
  handleWrite(server: Server, { ask, answer, process }: Answering): void {
    const { status, stamp, copies } = answer;
    if (status !== 200 && status !== 201) return;
    const record = this.#records.get(stamp ?? "");
    assertCheck(
      record !== undefined && stamp !== undefined,
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
    this.#answered.add(stamp);
    const live = new Set(
      process.members
        .filter((member) => member.status === "alive" || member.status === "suspect")
        .map((member) => member.id),
    );
    const holders = this.#world.servers.filter((each) => holds(each, record));
    const believed = this.#world.servers.filter(({ disk }) => live.has(disk.id));
    for (const each of believed) {
      assertCheck(
        holders.includes(each),
        "durable",
        () => `${server.name} acknowledged "${ask.item}" when ${each.name} did not have it on disk`,
      );
    }
    assertCheck(
      copies !== undefined && copies >= 1 && copies <= holders.length,
      "durable",
      () => `${server.name} claimed ${copies} copies of "${ask.item}"; there are ${holders.length}`,
    );
    const { now } = this.#world;
    this.acknowledged.push({ record, at: now, holders, believed: new Set(believed) });
  }

  /** A GET is answered: with what was acknowledged before it was asked, or with something newer. */
  handleRead(server: Server, { ask, askedAt, answer, process }: Answering): void {
    const { status, stamp = "" } = answer;
    if (status !== 200 && status !== 404) return;
    if (status === 200) this.#assertBody(server, { item: ask.item, stamp });
    const isCopy = this.#world.isCalm && process.isAlive;
    for (const { record, at, believed } of this.acknowledged) {
      if (record.name !== ask.item || at >= askedAt) continue;
      if (!isCopy && !believed.has(server)) continue;
      assertCheck(
        status === 200 ? stamp >= record.stamp : record.deleted || this.#isDeletedAfter(record),
        "reads",
        () =>
          `${server.name} answered GET "${ask.item}" with ${status} ${stamp},` +
          ` after ${record.stamp} was acknowledged`,
      );
    }
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

/** Whether a server has this write on disk, or a newer one to the same name. */
export function holds({ disk }: Server, { name, stamp }: FileRecord): boolean {
  const record = disk.look(name);
  return record !== undefined && record.stamp >= stamp &&
    (record.deleted === true || disk.hasBody(record.sha256));
}

function isSameRecord(a: FileRecord, b: FileRecord): boolean {
  return a.name === b.name && a.stamp === b.stamp && a.sha256 === b.sha256 && a.size === b.size &&
    a.contentType === b.contentType && a.deleted === b.deleted;
}
