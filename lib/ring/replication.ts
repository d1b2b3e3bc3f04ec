/**
 * Replication: what clients ask, carried out by every server of the ring.
 *
 * The server that a client asks is the creator of a FORWARD circle. A write is passed on at once and
 * stored on all servers at the same time: each passes it on first, stores it, and then reports to the
 * creator. The creator answers when every member that it holds live has reported, or has already said
 * in the envelope, that it has the write on disk. So a write costs one trip round the ring and one disk
 * sync, not one sync for each server. Chain replication (van Renesse and Schneider, 2004) acknowledges
 * at the end of a chain; a circle with two ends at the creator needs no master that knows the chain.
 *
 * A server that joins meanwhile may be known to one server before it is to the creator. Who has
 * another list sends it along with its word, and the creator waits for whoever is new in it as well.
 *
 * A write that was not confirmed in time is sent again, with the same stamp, so that it is the same
 * write wherever it has been before. If that does not help its outcome is unknown, and the client is
 * told just that. A GET that finds nothing here is forwarded as a FIND, which brings back the newest
 * record that any server has.
 */
import { Allowance } from "./allowance.ts";
import type { Applied, Applier } from "./applier.ts";
import type { Circles, Sighting } from "./circles.ts";
import type { Effects } from "./effects.ts";
import { type FileRecord, hasLargeBody } from "./file_record.ts";
import type { MemberId } from "./member.ts";
import type { Membership } from "./membership.ts";
import type { Finder } from "./finder.ts";
import type { Mender } from "./mender.ts";
import type { Circle, Deed, Errand, Forward } from "./message.ts";
import type { FileAnswer } from "./request.ts";
import type { Roster } from "./roster.ts";
import type { ForwardPayload, Round, Rounds } from "./rounds.ts";
import type { StampClock } from "./stamp.ts";
import type { Ask, RequestId } from "./step.ts";
import type { WriteGate } from "./write_gate.ts";

/** How long a write of a small file may take, in milliseconds: a stopped server is dead by then. */
export const writeTimeoutMs = 9000;
/**
 * For how long a server that has missed a write waits for the others at the most, in milliseconds: the size
 * of what it has missed is the creator's word.
 */
export const settleMsMax = 60_000;
/** How fast a large body goes round the ring at the least, in bytes a millisecond (10 MB/s). */
export const transferRateMin = 10_000;
/** How many requests of clients a server has under way at the most. */
export const requestsMax = 4096;
/**
 * How many names that are not here a server looks for on the others in a second: a flood of requests for
 * what nobody has must not become a flood of circles.
 */
export const lookUpsPerSecond = 1000;

type WriteErrand = Extract<Errand, { type: "WRITE" }>;

/** What {@linkcode Replication} is made of. */
export interface ReplicationOptions {
  readonly self: MemberId;
  readonly membership: Membership;
  readonly roster: Roster;
  readonly circles: Circles;
  readonly rounds: Rounds;
  readonly finder: Finder;
  readonly mender: Mender;
  readonly applier: Applier;
  readonly clock: StampClock;
  readonly effects: Effects;
  readonly gate: WriteGate;
}

/** One server's part in what clients ask. */
export class Replication {
  readonly #options: ReplicationOptions;
  readonly #lookUps = new Allowance(lookUpsPerSecond);
  #requests = 0;

  constructor(options: ReplicationOptions) {
    this.#options = options;
  }

  /** Why a request of this type is not taken now, in one sentence; absent if it is. */
  refusal(type: Ask["type"]): string | undefined {
    const { membership, gate } = this.#options;
    if (membership.circle.length === 0) return "This server is not in the ring yet";
    if (this.#hasTooMany) {
      return `This server has ${requestsMax} requests under way; try again`;
    }
    return type === "GET" ? undefined : gate.refusal();
  }

  /** Takes a client's request; the answer may come in a later step. */
  handleRequest(request: RequestId, ask: Ask): void {
    const { effects } = this.#options;
    const { type, item } = ask;
    const error = this.refusal(type);
    if (error !== undefined) {
      if (this.#hasTooMany) effects.add({ type: "refused", bound: "requests" });
      return effects.answer(request, { type, item, status: 503, error });
    }
    this.#requests++;
    const answer = (status: number, rest: Partial<FileAnswer>) => {
      this.#requests--;
      effects.answer(request, { type, item, status, ...rest });
    };
    switch (ask.type) {
      case "GET":
        return this.#get(ask, answer);
      case "PUT":
        return this.#put(ask, answer);
      case "DELETE":
        return this.#delete(ask.item, answer);
    }
  }

  /** Passes another server's write on, stores it, and tells its creator. */
  handleWrite(
    message: Forward,
    { errand, sighting }: { errand: WriteErrand; sighting: Exclude<Sighting, "repeated"> },
  ): void {
    const { membership, circles, applier } = this.#options;
    const { circle } = message;
    if (applier.isPast(errand.record)) return;
    const done = circles.deedFor(circle);
    if (done === "stored") this.#report(circle, errand, done);
    const isDone = done === "stored";
    // Our word brings our list, here as in a REPORT: the creator waits for whoever is new in it.
    const hasNews = isDone && errand.list !== membership.digest;
    const brings = hasNews || message.members !== undefined;
    const plain = forward(errand, message.body);
    const payload = brings ? { ...plain, members: membership.all } : plain;
    circles.visitAndPass(circle, payload, isDone ? done : "passed");
    // What could not be stored may find room now; if not, this server has missed it once more.
    if (sighting === "new" || done === "failed") this.#storeOthers(circle, errand, message);
  }

  get #hasTooMany(): boolean {
    return this.#requests >= requestsMax;
  }

  /** Whether the others may be asked now for a name of which `own` is here: at any time if that is a file. */
  #mayLook(own: FileRecord | undefined): boolean {
    const { membership, effects } = this.#options;
    const isFile = own !== undefined && own.deleted !== true;
    if (isFile || membership.others.length === 0) return true;
    if (this.#lookUps.take(effects.now.monotonic)) return true;
    effects.add({ type: "refused", bound: "look_ups" });
    return false;
  }

  #get({ item, bodyLost }: Extract<Ask, { type: "GET" }>, answer: Answer): void {
    const { self, membership, finder, mender, effects } = this.#options;
    effects.look(item, (own) => {
      const isCurrent = own !== undefined && membership.self?.status === "alive";
      if (isCurrent && bodyLost !== true) return answerWith(own, answer);
      if (!this.#mayLook(own)) return answer(503, { error: tooManyLookUps });
      finder.search(item, own, (search) => {
        if (search.outcome === "unknown") return answer(503, { error: search.error });
        const { find } = search;
        const isHere = find?.holder === self && bodyLost !== true;
        if (find === undefined || isHere || find.record.deleted === true) {
          return answerWith(find?.record, answer);
        }
        mender.bring(find, (brought) => {
          if (brought.outcome === "stored") return answerWith(brought.record, answer);
          answer(brought.reason === "full" ? 507 : 503, { error: brought.error });
        });
      });
    });
  }

  /**
   * Lets a server that may have missed writes of a name hear of them before it writes it: the stamp that
   * it makes must be above theirs, or its write would be acknowledged and lose.
   */
  #afterOthers(item: string, answer: Answer, then: () => void): void {
    const { membership, finder, clock } = this.#options;
    if (membership.self?.status === "alive") return then();
    finder.search(item, undefined, (search) => {
      if (search.outcome === "unknown") return answer(503, { error: search.error });
      if (search.find !== undefined) clock.observe(search.find.record.stamp);
      then();
    });
  }

  #put(ask: Extract<Ask, { type: "PUT" }>, answer: Answer): void {
    this.#afterOthers(ask.item, answer, () => this.#store(ask, answer));
  }

  #store(ask: Extract<Ask, { type: "PUT" }>, answer: Answer): void {
    const { clock, effects } = this.#options;
    const { item: name, sha256, size, contentType, body, upload } = ask;
    const stamp = clock.next(effects.now.wall);
    this.#write({ name, stamp, sha256, size, contentType }, { body, upload }, (result) => {
      if (result.status !== 200) return answer(result.status, { error: result.error });
      const replaced = result.previous !== undefined && result.previous.deleted !== true;
      const { copies } = result;
      answer(replaced ? 200 : 201, { copies, sha256, contentType, stamp });
    });
  }

  #delete(item: string, answer: Answer): void {
    const { finder, effects } = this.#options;
    effects.look(item, (own) => {
      if (own !== undefined && own.deleted !== true) {
        return this.#afterOthers(item, answer, () => this.#bury(item, answer));
      }
      if (!this.#mayLook(own)) return answer(503, { error: tooManyLookUps });
      finder.search(item, own, (search) => {
        if (search.outcome === "unknown") return answer(503, { error: search.error });
        const record = search.find?.record;
        if (record === undefined || record.deleted === true) return answerWith(undefined, answer);
        this.#options.clock.observe(record.stamp);
        this.#bury(item, answer);
      });
    });
  }

  #bury(name: string, answer: Answer): void {
    const { clock, effects } = this.#options;
    const stamp = clock.next(effects.now.wall);
    const tombstone: FileRecord = {
      name,
      stamp,
      sha256: "",
      size: 0,
      contentType: "",
      deleted: true,
    };
    this.#write(tombstone, {}, (result) => {
      if (result.status !== 200) return answer(result.status, { error: result.error });
      answer(200, { copies: result.copies, stamp });
    });
  }

  /** Stores a new record here and on every other server. */
  #write(
    record: FileRecord,
    { body, upload }: { body?: Uint8Array | undefined; upload?: string | undefined },
    then: (result: WriteResult) => void,
  ): void {
    const { self, membership, roster, applier, rounds, gate } = this.#options;
    const errand: WriteErrand = {
      type: "WRITE",
      record,
      holder: self,
      list: membership.digest,
      ...(upload === undefined ? {} : { upload }),
    };
    let own: Applied | undefined;
    let isOver = false;
    const round = rounds.begin(forward(errand, body), {
      timeoutMs: timeoutMsOf(record),
      evaluate: () => {
        if (own === undefined || !rounds.isSettled(round)) return false;
        const copies = rounds.copies(round);
        const hasFailed = rounds.hasFailed(round);
        isOver = true;
        if (own.deed === "failed" && !hasFailed) roster.lapse();
        then(result(copies, { own, record, hasFailed, minCopies: gate.minCopies }));
        return true;
      },
      expire: () => {
        isOver = true;
        if (own?.deed === "failed") roster.lapse();
        then({ status: 504, error: this.#unknown(round, record) });
      },
    });
    applier.apply({ record, body, sources: [] }, (applied) => {
      own = applied;
      if (isOver && applied.deed === "failed") roster.lapse();
      rounds.noteOwn(round, applied.deed);
    });
    rounds.send(round);
  }

  #unknown(round: Round, record: FileRecord): string {
    const { membership, rounds } = this.#options;
    const [copies, members] = [rounds.copies(round), membership.others.length + 1];
    const seconds = Math.round(round.plan.timeoutMs / 1000);
    return `The outcome for ${JSON.stringify(record.name)} is unknown: ` +
      `${copies} of ${members} servers have it after ${seconds} s`;
  }

  /** Stores what another server's circle brings, and tells its creator. */
  #storeOthers(circle: Circle, errand: WriteErrand, message: Forward): void {
    const { membership, roster, circles, applier } = this.#options;
    const sources = [errand.holder, message.from].flatMap((id) =>
      membership.get(id)?.address ?? []
    );
    const { record, upload } = errand;
    applier.apply({ record, body: message.body, sources, upload }, (applied) => {
      circles.setDeed(circle, applied.deed);
      if (applied.deed === "failed") roster.lapse(this.#settledAt(circle, record));
      this.#report(circle, errand, applied.deed);
    });
  }

  /** Until when the creator of a write may still be giving it to others; one that is gone does not. */
  #settledAt({ creator }: Circle, record: FileRecord): number {
    const { membership, effects } = this.#options;
    const isLive = membership.others.some(({ id }) => id === creator);
    const settleMs = isLive ? Math.min(timeoutMsOf(record), settleMsMax) : writeTimeoutMs;
    return effects.now.monotonic + settleMs;
  }

  #report(circle: Circle, errand: WriteErrand, deed: Deed): void {
    if (deed !== "stored" && deed !== "failed") return;
    const { self, membership, effects } = this.#options;
    const creator = membership.get(circle.creator);
    if (creator === undefined) return;
    const { boot, sequence } = circle;
    effects.send(creator.address, {
      type: "REPORT",
      from: self,
      to: creator.id,
      circle: { creator: creator.id, boot, sequence },
      deed,
      ...(errand.list === membership.digest ? {} : { members: membership.all }),
    });
  }
}

const tooManyLookUps = `This server looks for ${lookUpsPerSecond} names a second on the others ` +
  "at the most; try again";

type Answer = (status: number, rest: Partial<FileAnswer>) => void;

type WriteResult =
  | { readonly status: 200; readonly copies: number; readonly previous: FileRecord | undefined }
  | { readonly status: 504 | 507; readonly error: string };

function result(
  copies: number,
  { own, record, hasFailed, minCopies }: {
    own: Applied;
    record: FileRecord;
    hasFailed: boolean;
    minCopies: number;
  },
): WriteResult {
  if (hasFailed) return { status: 507, error: "There is no room left on any server's disk" };
  const least = Math.max(1, minCopies);
  if (copies < least) {
    const name = JSON.stringify(record.name);
    const error = `The outcome for ${name} is unknown: ${copies} of ${least} copies were made`;
    return { status: 504, error };
  }
  return { status: 200, copies, previous: own.deed === "stored" ? own.previous : undefined };
}

function answerWith(record: FileRecord | undefined, answer: Answer): void {
  if (record === undefined || record.deleted === true) {
    return answer(404, { error: "No server has a file of this name" });
  }
  const { size, sha256, contentType, stamp } = record;
  answer(200, { size, sha256, contentType, stamp });
}

/** How long a write may take until its outcome is unknown, in milliseconds. */
function timeoutMsOf(record: FileRecord): number {
  return writeTimeoutMs + (hasLargeBody(record) ? record.size / transferRateMin : 0);
}

/** The body of a large file travels apart from its record. */
function forward(errand: Errand, body: Uint8Array | undefined): ForwardPayload {
  const isInline = body !== undefined && errand.type === "WRITE" && !hasLargeBody(errand.record);
  return isInline ? { type: "FORWARD", errand, body } : { type: "FORWARD", errand };
}
