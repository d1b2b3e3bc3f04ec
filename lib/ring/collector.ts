/**
 * The collector: drops tombstones, once no server can bring back what they stand for.
 *
 * A tombstone may go when every server of the list has it on disk. Two circles see to that. A SURVEY asks
 * each server whether it is alive, with which list and which files, and whether anything older is still
 * on its way into its store; it also brings a stamp, above which every server makes its stamps from then
 * on. If all of them have the same list and the same files, every tombstone up to that stamp is on every
 * disk, and a COLLECT has it dropped. A server that misses the COLLECT keeps its tombstones and spreads
 * them again: that costs room until the next time, and no file comes back.
 *
 * A member that is dead, or has left, may hold what was deleted: while there is one, nothing is dropped.
 */
import type { Applier } from "./applier.ts";
import type { Circles } from "./circles.ts";
import type { Effects } from "./effects.ts";
import { hasAskedAll } from "./finder.ts";
import { type Member, type MemberId, membersMax } from "./member.ts";
import type { Membership } from "./membership.ts";
import type { Circle, Deed, Errand, Survey } from "./message.ts";
import type { CollectAnswer } from "./request.ts";
import type { Repair } from "./repair.ts";
import type { Rounds } from "./rounds.ts";
import type { Stamp, StampClock } from "./stamp.ts";
import type { RequestId } from "./step.ts";

/** How long a SURVEY, and then a COLLECT, may take, in milliseconds. */
export const collectTimeoutMs = 5000;
/** How many surveys may find servers that differ, as under writes, before the collection is given up. */
export const surveysMax = 10;
/** After how long servers that differ are asked again, in milliseconds. */
export const surveyPauseMs = 500;
/** How many tombstones are dropped in one transaction. */
export const collectRecordsMax = 256;

type SurveyErrand = Extract<Errand, { type: "SURVEY" }>;
type CollectErrand = Extract<Errand, { type: "COLLECT" }>;

/** What {@linkcode Collector} is made of. */
export interface CollectorOptions {
  readonly self: MemberId;
  readonly membership: Membership;
  readonly circles: Circles;
  readonly rounds: Rounds;
  readonly applier: Applier;
  readonly repair: Repair;
  readonly clock: StampClock;
  readonly effects: Effects;
  readonly files: () => string;
}

interface Collection {
  readonly request: RequestId;
  readonly upTo: Stamp;
  surveys: number;
  /** When to ask again; Infinity while an answer is awaited. */
  retryAt: number;
}

/** Drops tombstones, as the creator of the circles and for other servers. */
export class Collector {
  readonly #options: CollectorOptions;
  #collection: Collection | undefined;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** The monotonic time at which {@linkcode wake} has something to do. */
  get dueAt(): number {
    return this.#collection?.retryAt ?? Infinity;
  }

  wake(): void {
    const collection = this.#collection;
    if (collection !== undefined) this.#survey(collection);
  }

  /** Begins to drop what tombstones there are now. */
  handleRequest(request: RequestId): void {
    const { membership, clock, effects } = this.#options;
    if (membership.circle.length === 0) {
      return this.#answer(request, { status: 503, error: "This server is not in the ring yet" });
    }
    if (this.#collection !== undefined) {
      return this.#answer(request, { status: 503, error: "Tombstones are being dropped already" });
    }
    const upTo = clock.next(effects.now.wall);
    this.#survey(this.#collection = { request, upTo, surveys: 0, retryAt: Infinity });
  }

  /** Adds what this server has to say to another's SURVEY, and passes it on. */
  handleSurvey(circle: Circle, errand: SurveyErrand): void {
    const surveys = errand.surveys.filter(({ id }) => id !== this.#options.self);
    const { clock, effects } = this.#options;
    if (surveys.length >= membersMax) return;
    clock.forgo(errand.upTo, effects.now.wall);
    this.#options.circles.visitAndPass(circle, {
      type: "FORWARD",
      errand: { ...errand, surveys: [...surveys, this.#own()] },
    });
  }

  /** Passes another server's COLLECT on, drops what it says, and tells the creator by the envelope. */
  handleCollect(circle: Circle, errand: CollectErrand): void {
    const { membership, circles, applier, repair, clock } = this.#options;
    const pass = (deed: Deed) => {
      circles.visitAndPass(circle, { type: "FORWARD", errand }, deed);
    };
    // Who was surveyed makes its stamps above this one; else later writes would be taken for past ones.
    const isReady = errand.list === membership.digest && clock.isAbove(errand.upTo) &&
      applier.isIdle && !repair.isPulling;
    if (!isReady) return pass("failed");
    applier.forgo(errand.upTo);
    this.#drop(errand.upTo, () => pass("stored"));
  }

  #own(): Survey {
    const { self, membership, circles, rounds, applier, repair, files } = this.#options;
    const isSettled = membership.self?.status === "alive" && !circles.isCarryingWrites &&
      applier.isIdle && !rounds.isServing && !repair.isPulling;
    return { id: self, list: membership.digest, files: files(), isSettled };
  }

  #survey(collection: Collection): void {
    const { membership, rounds } = this.#options;
    const missing = membership.all.find(isMissing);
    if (missing !== undefined) return this.#end(collection, 409, describeMissing(missing));
    collection.surveys++;
    collection.retryAt = Infinity;
    if (membership.others.length === 0) return this.#judge(collection, [this.#own()]);
    const { upTo } = collection;
    const errand: SurveyErrand = { type: "SURVEY", upTo, surveys: [] };
    const round = rounds.begin({ type: "FORWARD", errand }, {
      timeoutMs: collectTimeoutMs,
      evaluate: (returned) => {
        if (returned?.errand.type !== "SURVEY" || !hasAskedAll(returned.circle, membership)) {
          return false;
        }
        this.#judge(collection, [this.#own(), ...returned.errand.surveys]);
        return true;
      },
      expire: () => this.#end(collection, 503, "Not every server has answered; nothing is dropped"),
    });
    rounds.send(round);
  }

  #judge(collection: Collection, surveys: readonly Survey[]): void {
    const { membership, effects } = this.#options;
    const missing = membership.all.find(isMissing);
    if (missing !== undefined) return this.#end(collection, 409, describeMissing(missing));
    if (areEqual(surveys, membership)) return this.#collect(collection);
    if (collection.surveys >= surveysMax) {
      const error =
        "The servers do not all have the same files now, or are writing; try again later";
      return this.#end(collection, 409, error);
    }
    collection.retryAt = effects.now.monotonic + surveyPauseMs;
  }

  #collect(collection: Collection): void {
    const { membership, rounds, applier } = this.#options;
    const { request, upTo } = collection;
    let dropped: number | undefined;
    const errand: CollectErrand = { type: "COLLECT", upTo, list: membership.digest };
    const round = rounds.begin({ type: "FORWARD", errand }, {
      timeoutMs: collectTimeoutMs,
      evaluate: () => {
        if (dropped === undefined || !rounds.isSettled(round)) return false;
        const isEverywhere = rounds.copies(round) === membership.circle.length;
        if (isEverywhere) this.#succeed(request, dropped);
        else {this.#end(
            collection,
            503,
            "Not all servers could drop their tombstones just now; try again",
          );}
        return true;
      },
      expire: () =>
        this.#end(collection, 504, "Not every server has said that it dropped its tombstones"),
    });
    applier.forgo(upTo);
    this.#drop(upTo, (count) => {
      dropped = count;
      rounds.noteOwn(round, "stored");
    });
    if (membership.others.length > 0) rounds.send(round);
  }

  #succeed(request: RequestId, dropped: number): void {
    this.#collection = undefined;
    this.#answer(request, { status: 200, dropped });
  }

  #drop(upTo: Stamp, then: (dropped: number) => void, before = 0): void {
    this.#options.effects.collect({ upTo, limit: collectRecordsMax }, (count) => {
      if (count === 0) return then(before);
      this.#drop(upTo, then, before + count);
    });
  }

  #end(collection: Collection, status: 409 | 503 | 504, error: string): void {
    this.#collection = undefined;
    this.#answer(collection.request, { status, error });
  }

  #answer(request: RequestId, answer: Omit<CollectAnswer, "type">): void {
    this.#options.effects.answer(request, { type: "GC", ...answer });
  }
}

/** Whether a member may hold what others have deleted. */
function isMissing(member: Member): boolean {
  return member.status !== "alive" && member.status !== "joining" && member.status !== "forgotten";
}

function describeMissing({ address, id, status }: Member): string {
  if (status === "suspect") return `${address} does not answer now; try again`;
  return `${address} is ${status}, and could bring deleted files back: ` +
    `start it again, or have the ring forget it (--forget ${id.slice(0, 8)})`;
}

/** Whether all members have spoken, and all of them have the same list, the same files and no others. */
function areEqual(surveys: readonly Survey[], membership: Membership): boolean {
  const [first] = surveys;
  const ids = new Set(surveys.map(({ id }) => id));
  return first !== undefined && membership.circle.every(({ id }) => ids.has(id)) &&
    surveys.every((survey) =>
      survey.isSettled && survey.list === membership.digest && survey.files === first.files
    );
}
