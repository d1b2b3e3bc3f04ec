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
 * A write that was not confirmed in time is sent again, with the same stamp, so that it is the same
 * write wherever it has been before. If that does not help its outcome is unknown, and the client is
 * told just that. A GET that finds nothing here is forwarded as a FIND, which brings back the newest
 * record that any server has.
 */
import type { Applied, Applier } from "./applier.ts";
import type { Circles } from "./circles.ts";
import type { Effects } from "./effects.ts";
import { type FileRecord, hasLargeBody } from "./file_record.ts";
import type { MemberId } from "./member.ts";
import type { Membership } from "./membership.ts";
import type { Circle, Deed, Errand, FileAnswer, Find, Forward } from "./message.ts";
import type { Roster } from "./roster.ts";
import type { ForwardPayload, Round, Rounds } from "./rounds.ts";
import type { StampClock } from "./stamp.ts";
import type { Ask, RequestId } from "./step.ts";
import type { WriteGate } from "./write_gate.ts";

/** How long a write of a small file may take, in milliseconds: a stopped server is dead by then. */
export const writeTimeoutMs = 9000;
/** How long a FIND may take, in milliseconds. */
export const findTimeoutMs = 5000;
/** How fast a large body goes round the ring at the least, in bytes a millisecond (10 MB/s). */
export const transferRateMin = 10_000;
/** How many requests of clients a server has under way at the most. */
export const requestsMax = 4096;

type WriteErrand = Extract<Errand, { type: "WRITE" }>;
type FindErrand = Extract<Errand, { type: "FIND" }>;

/** What {@linkcode Replication} is made of. */
export interface ReplicationOptions {
  readonly self: MemberId;
  readonly membership: Membership;
  readonly roster: Roster;
  readonly circles: Circles;
  readonly rounds: Rounds;
  readonly applier: Applier;
  readonly clock: StampClock;
  readonly effects: Effects;
  readonly gate: WriteGate;
}

/** One server's part in what clients ask. */
export class Replication {
  readonly #options: ReplicationOptions;
  #requests = 0;

  constructor(options: ReplicationOptions) {
    this.#options = options;
  }

  /** Why a request of this type is not taken now, in one sentence; absent if it is. */
  refusal(type: Ask["type"]): string | undefined {
    const { membership, gate } = this.#options;
    if (membership.circle.length === 0) return "This server is not in the ring yet";
    if (this.#requests >= requestsMax) {
      return `This server has ${requestsMax} requests under way; try again`;
    }
    return type === "GET" ? undefined : gate.refusal();
  }

  /** Takes a client's request; the answer may come in a later step. */
  handleRequest(request: RequestId, ask: Ask): void {
    const { effects } = this.#options;
    const { type, item } = ask;
    const error = this.refusal(type);
    if (error !== undefined) return effects.answer(request, { type, item, status: 503, error });
    this.#requests++;
    const answer = (status: number, rest: Partial<FileAnswer>) => {
      this.#requests--;
      effects.answer(request, { type, item, status, ...rest });
    };
    switch (ask.type) {
      case "GET":
        return this.#get(ask.item, answer);
      case "PUT":
        return this.#put(ask, answer);
      case "DELETE":
        return this.#delete(ask.item, answer);
    }
  }

  /** Does what a circle asks, and passes it on; or, as its creator, takes it back. */
  handleForward(message: Forward): void {
    const { self, circles, rounds } = this.#options;
    const { circle, errand } = message;
    if (circle.creator === self) return rounds.handleReturn(circle, errand);
    const sighting = circles.observe(circle);
    if (sighting === "repeated") return;
    if (errand.type === "FIND") return this.#find(circle, errand);
    if (sighting === "again") this.#report(circle, circles.deedFor(circle));
    const payload = forward(errand, message.body);
    circles.visitAndPass(circle, payload);
    if (sighting === "new") this.#storeOthers(circle, errand, message);
  }

  #get(item: string, answer: Answer): void {
    const { self, membership, effects } = this.#options;
    effects.look(item, (own) => {
      const isCurrent = own !== undefined && membership.self?.status === "alive";
      if (isCurrent) return answerWith(own, answer);
      this.#search(item, own, (search) => {
        if (search.outcome === "unknown") return answer(503, { error: search.error });
        const { find } = search;
        if (find === undefined || find.holder === self || find.record.deleted === true) {
          return answerWith(find?.record, answer);
        }
        this.#bring(find, answer);
      });
    });
  }

  /** Brings a file here that another server has, and answers with it. */
  #bring(find: Find, answer: Answer): void {
    const { membership, applier } = this.#options;
    const holder = membership.get(find.holder);
    const sources = holder === undefined ? [] : [holder.address];
    applier.apply({ record: find.record, sources }, (applied) => {
      if (applied.deed === "stored") return answerWith(newest(find.record, applied), answer);
      const name = JSON.stringify(find.record.name);
      const where = holder?.address ?? "a server that has left";
      answer(applied.reason === "full" ? 507 : 503, {
        error: `Cannot get ${name} from ${where}, the only server found to have it`,
      });
    });
  }

  /**
   * Lets a server that may have missed writes of a name hear of them before it writes it: the stamp that
   * it makes must be above theirs, or its write would be acknowledged and lose.
   */
  #afterOthers(item: string, answer: Answer, then: () => void): void {
    const { membership, clock } = this.#options;
    if (membership.self?.status === "alive") return then();
    this.#search(item, undefined, (search) => {
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
    const { effects } = this.#options;
    effects.look(item, (own) => {
      if (own !== undefined && own.deleted !== true) {
        return this.#afterOthers(item, answer, () => this.#bury(item, answer));
      }
      this.#search(item, own, (search) => {
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
    const { self, roster, applier, rounds, gate } = this.#options;
    const errand: WriteErrand = {
      type: "WRITE",
      record,
      holder: self,
      ...(upload === undefined ? {} : { upload }),
    };
    const transferMs = hasLargeBody(record) ? record.size / transferRateMin : 0;
    const timeoutMs = writeTimeoutMs + transferMs;
    let own: Applied | undefined;
    const round = rounds.begin(forward(errand, body), {
      timeoutMs,
      evaluate: () => {
        if (own === undefined || !rounds.isSettled(round)) return false;
        const copies = rounds.copies(round);
        if (own.deed === "failed" && copies > 0) roster.lapse();
        then(result(copies, { own, record, minCopies: gate.minCopies }));
        return true;
      },
      expire: () => then({ status: 504, error: this.#unknown(round, record) }),
    });
    applier.apply({ record, body, sources: [] }, (applied) => {
      own = applied;
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

  /** Looks for the newest record of a name on all servers; `own` is the one that is here. */
  #search(
    item: string,
    own: FileRecord | undefined,
    then: (search: Search) => void,
  ): void {
    const { self, membership, rounds } = this.#options;
    const mine = own === undefined ? undefined : { record: own, holder: self };
    if (membership.others.length === 0) return then({ outcome: "known", find: mine });
    const errand: FindErrand = {
      type: "FIND",
      item,
      ...(mine === undefined ? {} : { found: mine }),
    };
    const round = rounds.begin(forward(errand, undefined), {
      timeoutMs: findTimeoutMs,
      evaluate: (returned) => {
        if (returned === undefined || !this.#hasAskedAll(returned.circle)) return false;
        then({ outcome: "known", find: returned.found });
        return true;
      },
      expire: () => {
        const name = JSON.stringify(item);
        const error = `Cannot tell whether there is a file ${name}: not every server has answered`;
        then({ outcome: "unknown", error });
      },
    });
    rounds.send(round);
  }

  /** Whether a circle that is back has been at every live member. */
  #hasAskedAll(circle: Circle): boolean {
    const asked = new Set(
      circle.visited.filter((visit) => visit.deed !== "skipped").map((visit) => visit.id),
    );
    return this.#options.membership.others.every((member) => asked.has(member.id));
  }

  /** Adds what is known here of a name to a FIND, and passes it on. */
  #find(circle: Circle, errand: FindErrand): void {
    const { self, circles, effects } = this.#options;
    effects.look(errand.item, (own) => {
      const isNewer = own !== undefined &&
        (errand.found === undefined || own.stamp > errand.found.record.stamp);
      const found = isNewer ? { record: own, holder: self } : errand.found;
      const next = { ...errand, ...(found === undefined ? {} : { found }) };
      circles.visitAndPass(circle, forward(next, undefined));
    });
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
      if (applied.deed === "failed") roster.lapse();
      this.#report(circle, applied.deed);
    });
  }

  #report(circle: Circle, deed: Deed): void {
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
    });
  }
}

type Answer = (status: number, rest: Partial<FileAnswer>) => void;

type WriteResult =
  | { readonly status: 200; readonly copies: number; readonly previous: FileRecord | undefined }
  | { readonly status: 504 | 507; readonly error: string };

type Search =
  | { readonly outcome: "known"; readonly find: Find | undefined }
  | { readonly outcome: "unknown"; readonly error: string };

function result(
  copies: number,
  { own, record, minCopies }: { own: Applied; record: FileRecord; minCopies: number },
): WriteResult {
  if (copies === 0) return { status: 507, error: "There is no room left on any server's disk" };
  if (copies < minCopies) {
    const name = JSON.stringify(record.name);
    const error = `The outcome for ${name} is unknown: ${copies} of ${minCopies} copies were made`;
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

/** What is stored once `record` has been applied: it, or something newer. */
function newest(record: FileRecord, applied: Extract<Applied, { deed: "stored" }>): FileRecord {
  return applied.changed || applied.previous === undefined ? record : applied.previous;
}

/** The body of a large file travels apart from its record. */
function forward(errand: Errand, body: Uint8Array | undefined): ForwardPayload {
  const isInline = body !== undefined && errand.type === "WRITE" && !hasLargeBody(errand.record);
  return isInline ? { type: "FORWARD", errand, body } : { type: "FORWARD", errand };
}
