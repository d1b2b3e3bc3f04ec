/**
 * Repair: a server brings itself up to date by pulling what another member has.
 *
 * It sends the digests of its buckets (COMPARE) and is sent all records of those that differ (PAGE), so
 * that only the difference travels, and a pull that broke off goes on where it was. The greater stamp
 * wins, so pulling too much, or twice, is harmless.
 *
 * A joining server pulls from all others, first from one that holds everything, its predecessor if
 * possible, and only then says that it is alive. No write falls between the pages and the circles: COMPARE
 * brings the newcomer's own record, so that the one that is asked knows it from then on; a write that
 * reaches it later comes with its REPORT, which tells the creator of the newcomer before it counts the
 * copies (`replication.ts`). Nor does one whose creator did not know of the newcomer, as nobody lives any
 * more who could have told it: that creator has been asked, too.
 * A server that misses a write while it pulls begins anew, and not before the creator of that write
 * has given up or has been answered by all others.
 *
 * A server that is told that it was held gone (MISSED, `returns.ts`) counts as a copy only when it has
 * pulled from all who say so, besides.
 *
 * Two neighbours that keep telling each other different digests of their files (`differences.ts`) pull
 * from each other: anti-entropy.
 */
import type { Applier } from "./applier.ts";
import { Differences } from "./differences.ts";
import type { Effects } from "./effects.ts";
import { type FileRecord, pageRecordsMax } from "./file_record.ts";
import { isLive, type Member, type MemberId } from "./member.ts";
import type { Membership } from "./membership.ts";
import type { Compare, Missed, Page } from "./message.ts";
import type { Returns } from "./returns.ts";
import type { Roster } from "./roster.ts";
import type { Link } from "./step.ts";

/** How long a page may take before it is asked for again, in milliseconds. */
export const pageTimeoutMs = 2000;
/** How often a page is asked for before another member is. */
export const pageTriesMax = 3;
/** How long a server that cannot catch up, for want of room, waits at the most to try again. */
export const restartMsMax = 8_000;
/** How long a server waits for one that says MISSED, and is gone in its own list, in milliseconds. */
export const awaitMs = 3000;
/** How many records are being applied at the most when the next page is asked for. */
const openRecordsMax = pageRecordsMax / 2;
/** How many members a body is looked for at. */
const sourcesMax = 4;

interface Pull {
  readonly source: MemberId;
  /** Of this server's buckets when the pull began; absent until the store has told. */
  digests?: string;
  /** Where the next page begins; absent when there is none. */
  after: string | undefined;
  /** Of the page that is asked for; -1 when none is. */
  sequence: number;
  tries: number;
  retryAt: number;
  /** Records that are not applied yet. */
  open: number;
  failures: number;
  /** Whether the source may itself have missed writes. */
  isPartial: boolean;
}

/** What {@linkcode Repair} is made of. */
export interface RepairOptions {
  readonly self: MemberId;
  readonly membership: Membership;
  readonly roster: Roster;
  readonly returns: Returns;
  readonly applier: Applier;
  readonly effects: Effects;
  readonly files: () => string;
}

/** How one server catches up with the others. */
export class Repair {
  readonly #options: RepairOptions;
  readonly #differences = new Differences();
  /**
   * The members that hold all that this joining server needs of them, those that could not help for now,
   * and those of them that did not answer.
   */
  readonly #pulled = new Set<MemberId>();
  readonly #failed = new Set<MemberId>();
  readonly #silent = new Set<MemberId>();
  /**
   * The members whose writes this server may have missed: it has to pull from each; and until when
   * those are waited for that it holds gone itself.
   */
  readonly #owed = new Map<MemberId, number>();
  /** Whether it has pulled from a server that holds everything. */
  #hasAll = false;
  #others: readonly Member[] = [];
  #lapses = 0;
  #sequence = 0;
  #pull: Pull | undefined;
  #restartAt = Infinity;
  #restartMs = pageTimeoutMs;
  #compared = 0;

  constructor(options: RepairOptions) {
    this.#options = options;
  }

  /** The monotonic time at which {@linkcode wake} has something to do. */
  get dueAt(): number {
    return Math.min(this.#restartAt, this.#pull?.retryAt ?? Infinity, ...this.#awaitedUntil());
  }

  /** How many records of another server have been compared, here included, since catching up began. */
  get compared(): number {
    return this.#compared;
  }

  /** Whether records of another server are being asked for. */
  get isPulling(): boolean {
    return this.#pull !== undefined;
  }

  /** Goes on with catching up, if this server is joining: called after every input. */
  settle(): void {
    const { membership, roster } = this.#options;
    const isOwed = membership.others.some(({ id }) => this.#owed.has(id));
    if (isOwed && membership.self?.status === "alive") roster.lapse();
    if (roster.lapses !== this.#lapses) this.#forget();
    this.#noticeLosses();
    const isJoining = membership.self?.status === "joining";
    if (isJoining && this.#pull === undefined && this.#restartAt === Infinity) this.#catchUp();
  }

  /**
   * A member that dies before it has been pulled from may have given what it alone had to one that has
   * been: then that is pulled from again.
   */
  #noticeLosses(): void {
    const { others } = this.#options.membership;
    if (others === this.#others) return;
    const live = new Set(others.map(({ id }) => id));
    const isLost = this.#others.some(({ id }) => !live.has(id) && !this.#pulled.has(id));
    this.#others = others;
    if (isLost) this.#pulled.clear();
    if (this.#pull === undefined) return;
    if ((isLost && this.#pull.isPartial) || !live.has(this.#pull.source)) this.#breakOff();
  }

  /** What has not come from a source is owed from now on: that takes this server for one that has it. */
  #breakOff(): void {
    const { membership, effects } = this.#options;
    const source = this.#pull?.source;
    this.#pull = undefined;
    if (source === undefined || membership.self?.status !== "joining") return;
    if (!this.#owed.has(source)) this.#owed.set(source, effects.now.monotonic);
  }

  wake(): void {
    const now = this.#options.effects.now.monotonic;
    if (now >= this.#restartAt) {
      this.#restartAt = Infinity;
      this.#startOver();
    }
    const pull = this.#pull;
    if (pull === undefined || now < pull.retryAt) return;
    if (pull.tries >= pageTriesMax) this.#abandon(pull);
    else this.#request(pull);
  }

  /** Compares the digest of another member's files with that of ours. */
  observe(member: MemberId, theirs: string): void {
    const { membership, files } = this.#options;
    const mine = files();
    if (mine === theirs || membership.self?.status !== "alive") {
      return this.#differences.forget(member);
    }
    const isDue = this.#differences.note(member, { mine, theirs });
    if (!isDue || this.#pull !== undefined) return;
    this.#differences.pause(member);
    this.#begin(member);
  }

  /** Answers with records that may differ; from now on the sender is given new writes as well. */
  handleCompare(message: Compare, link: Link): void {
    const { self, membership, roster, returns, effects } = this.#options;
    const { from, member, digests, after, sequence } = message;
    if (member.id === from) roster.merge([member], from);
    const known = membership.get(from);
    // New writes do not go to it: before it is given the old ones it has to say that it is back.
    if (known === undefined || !isLive(known)) return roster.announce(from);
    // One that takes itself for alive does not wait for the page: it is told that it has missed something.
    if (after === "" && member.status === "joining") returns.handleCompare(from);
    effects.compare({ digests, after, limit: pageRecordsMax }, (records, next) => {
      const isPartial = membership.self?.status !== "alive";
      effects.reply(link, {
        type: "PAGE",
        from: self,
        to: from,
        sequence,
        records,
        ...(next === undefined ? {} : { next }),
        ...(isPartial ? { partial: true } : {}),
      });
    });
  }

  /** This server was held gone by another, and has missed what that has taken meanwhile. */
  handleMissed({ from }: Missed): void {
    const { membership, roster } = this.#options;
    const sender = membership.get(from);
    // It may not know yet that this server holds it gone as well: it is told, and will deny it.
    if (sender !== undefined && !isLive(sender)) roster.announce(from);
    this.owe(from);
    if (membership.self?.status === "alive") roster.lapse();
  }

  /** This server is to pull from a member that has gone on without it, gone in its own list or not. */
  owe(member: MemberId): void {
    this.#owed.set(member, this.#options.effects.now.monotonic + awaitMs);
    this.#pulled.delete(member);
    this.#silent.delete(member);
    if (this.#pull?.source === member) this.#pull = undefined;
  }

  /** Applies the records of a page. */
  handlePage(message: Page): void {
    const pull = this.#pull;
    if (pull === undefined || pull.sequence !== message.sequence) return;
    pull.sequence = -1;
    pull.retryAt = Infinity;
    pull.tries = 0;
    pull.after = message.next;
    pull.open += message.records.length;
    pull.isPartial ||= message.partial === true;
    for (const record of message.records) this.#apply(pull, record);
    this.#turnPage(pull);
  }

  #apply(pull: Pull, record: FileRecord): void {
    const sources = this.#sources(pull.source);
    this.#options.applier.apply({ record, sources }, (applied) => {
      if (applied.deed === "failed") pull.failures++;
      pull.open--;
      this.#compared++;
      this.#turnPage(pull);
    });
  }

  /** Asks for the next page in time for the bodies to go on coming, or ends after the last one. */
  #turnPage(pull: Pull): void {
    if (this.#pull !== pull || pull.sequence !== -1) return;
    if (pull.after !== undefined) {
      if (pull.open <= openRecordsMax) this.#request(pull);
    } else if (pull.open === 0) this.#finish(pull);
  }

  #request(pull: Pull): void {
    const { self, membership, returns, effects } = this.#options;
    const [source, own] = [membership.get(pull.source), membership.self];
    const { digests, after } = pull;
    if (source === undefined || own === undefined) return;
    if (digests === undefined || after === undefined) return;
    pull.tries++;
    pull.sequence = ++this.#sequence;
    pull.retryAt = effects.now.monotonic + pageTimeoutMs;
    returns.remind(pull.source);
    effects.send(source.address, {
      type: "COMPARE",
      from: self,
      to: pull.source,
      sequence: pull.sequence,
      member: own,
      digests,
      after,
    });
  }

  #begin(source: MemberId): void {
    const pull: Pull = {
      source,
      after: "",
      sequence: 0,
      tries: 0,
      retryAt: Infinity,
      open: 0,
      failures: 0,
      isPartial: false,
    };
    this.#compared = 0;
    this.#pull = pull;
    this.#options.effects.digest((digests) => {
      pull.digests = digests;
      if (this.#pull === pull) this.#request(pull);
    });
  }

  #finish(pull: Pull): void {
    const { membership } = this.#options;
    this.#pull = undefined;
    if (membership.self?.status !== "joining") return;
    if (pull.failures > 0) {
      this.#failed.add(pull.source);
      return;
    }
    this.#pulled.add(pull.source);
    if (!pull.isPartial) this.#hasAll = true;
  }

  /**
   * The members that are still to be pulled from: all; but where one has given everything, those that do
   * not answer are not waited for.
   */
  #wanted(): readonly Member[] {
    return this.#options.membership.others.filter(({ id }) =>
      !this.#pulled.has(id) && !(this.#hasAll && this.#silent.has(id))
    );
  }

  /** Until when to wait for members that this server is to pull from, and holds gone as yet. */
  #awaitedUntil(): readonly number[] {
    const { membership, effects } = this.#options;
    return [...this.#owed]
      .filter(([id, until]) => {
        const member = membership.get(id);
        return until > effects.now.monotonic && member !== undefined && !isLive(member);
      })
      .map(([, until]) => until);
  }

  #becomeAlive(): void {
    if (!this.#hasAll) this.#oweThoseGone();
    this.#startOver();
    // Those that are gone are still owed, should they come back.
    for (const { id } of this.#options.membership.others) this.#owed.delete(id);
    this.#hasAll = false;
    this.#restartMs = pageTimeoutMs;
    this.#options.roster.becomeAlive();
  }

  /** Where nobody had everything, those that are gone may have what is missing here, should they come back. */
  #oweThoseGone(): void {
    const { membership, effects } = this.#options;
    const gone = membership.all.filter((member) => !isLive(member));
    for (const { id } of gone) if (!this.#pulled.has(id)) this.#owed.set(id, effects.now.monotonic);
  }

  /** Turns to another source; `settle` finds one, or tries all of them again a little later. */
  #abandon(pull: Pull): void {
    this.#pull = undefined;
    this.#failed.add(pull.source);
    // It is neither dead nor to be reached: what it has comes through others, and by anti-entropy.
    this.#silent.add(pull.source);
    this.#owed.delete(pull.source);
  }

  /** This server has missed a write: what it has pulled so far does not tell what it lacks. */
  #forget(): void {
    this.#lapses = this.#options.roster.lapses;
    this.#breakOff();
    this.#startOver();
    this.#hasAll = false;
    this.#restartAt = Infinity;
  }

  /** Whoever was asked is asked again. */
  #startOver(): void {
    for (const asked of [this.#pulled, this.#failed, this.#silent]) asked.clear();
  }

  #catchUp(): void {
    const { roster, effects } = this.#options;
    const now = effects.now.monotonic;
    if (this.#wanted().length === 0) {
      if (this.#awaitedUntil().length === 0) this.#becomeAlive();
      return;
    }
    if (roster.unsettledUntil > now) {
      this.#restartAt = roster.unsettledUntil;
      return;
    }
    const source = this.#nextSource();
    if (source !== undefined) return this.#begin(source.id);
    this.#restartAt = now + this.#restartMs;
    this.#restartMs = Math.min(2 * this.#restartMs, restartMsMax);
  }

  /** The member to pull from next: one that holds everything if there is one, the nearest before us. */
  #nextSource(): Member | undefined {
    const untried = [...this.#wanted()].reverse().filter(({ id }) => !this.#failed.has(id));
    return untried.find((member) => member.status === "alive") ?? untried[0];
  }

  #sources(first: MemberId): readonly string[] {
    const { membership } = this.#options;
    const others = membership.others.filter((member) => member.id !== first);
    const source = membership.get(first);
    return [...(source === undefined ? [] : [source]), ...others]
      .slice(0, sourcesMax)
      .map((member) => member.address);
  }
}
