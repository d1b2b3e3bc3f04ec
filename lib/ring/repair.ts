/**
 * Repair: a server brings itself up to date by pulling what another member has.
 *
 * A joining server pulls everything from one that holds everything, its predecessor if possible, and
 * only then says that it is alive. The one that is asked has the newcomer in its list already and
 * passes new writes on to it, and answers only when what it was storing before is stored: so nothing
 * falls between the list and the writes. Later, when two neighbours tell each other different digests
 * of their files and neither changes, both pull from each other (anti-entropy). The greater stamp
 * wins, so pulling too much, or twice, is harmless.
 */
import type { Applier } from "./applier.ts";
import type { Effects } from "./effects.ts";
import { type FileRecord, pageRecordsMax } from "./file_record.ts";
import { isLive, type Member, type MemberId } from "./member.ts";
import type { Membership } from "./membership.ts";
import type { Compare, Page } from "./message.ts";
import type { Roster } from "./roster.ts";
import type { Link } from "./step.ts";

/** How long a page may take before it is asked for again, in milliseconds. */
export const pageTimeoutMs = 2000;
/** How often a page is asked for before another member is. */
export const pageTriesMax = 3;
/** How long a server that cannot catch up, for want of room, waits at the most to try again. */
export const restartMsMax = 60_000;
/** How often two neighbours must tell the same two different digests before they compare. */
export const differencesMin = 2;
/** How many CHECKs pass after a comparison before the same difference is looked at again. */
export const differencePause = 5;
/** How many members a body is looked for at. */
const sourcesMax = 4;

interface Pull {
  readonly source: MemberId;
  sequence: number;
  after: string;
  tries: number;
  retryAt: number;
  /** Records of the page at hand that are not applied yet. */
  open: number;
  failures: number;
}

interface Difference {
  mine: string;
  theirs: string;
  count: number;
}

/** What {@linkcode Repair} is made of. */
export interface RepairOptions {
  readonly self: MemberId;
  readonly membership: Membership;
  readonly roster: Roster;
  readonly applier: Applier;
  readonly effects: Effects;
  readonly files: () => string;
}

/** How one server catches up with the others. */
export class Repair {
  readonly #options: RepairOptions;
  readonly #differences = new Map<MemberId, Difference>();
  /** The members whose files a joining server has pulled, or could not pull. */
  readonly #tried = new Set<MemberId>();
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
    return Math.min(this.#restartAt, this.#pull?.retryAt ?? Infinity);
  }

  /** How many records of another server have been compared, here included, since catching up began. */
  get compared(): number {
    return this.#compared;
  }

  /** Goes on with catching up, if this server is joining: called after every input. */
  settle(): void {
    const { membership } = this.#options;
    if (this.#pull !== undefined) {
      const source = membership.get(this.#pull.source);
      if (source === undefined || !isLive(source)) this.#pull = undefined;
    }
    const isJoining = membership.self?.status === "joining";
    if (isJoining && this.#pull === undefined && this.#restartAt === Infinity) this.#catchUp();
  }

  wake(): void {
    const now = this.#options.effects.now.monotonic;
    if (now >= this.#restartAt) {
      this.#restartAt = Infinity;
      this.#tried.clear();
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
      this.#differences.delete(member);
      return;
    }
    const known = this.#differences.get(member);
    if (known === undefined || known.mine !== mine || known.theirs !== theirs) {
      this.#differences.set(member, { mine, theirs, count: 1 });
      return;
    }
    known.count++;
    if (known.count < differencesMin || this.#pull !== undefined) return;
    known.count = -differencePause;
    this.#begin(member);
  }

  /** Answers with the records after a name, once all that came before is stored. */
  handleCompare(message: Compare, link: Link): void {
    const { self, applier, effects } = this.#options;
    applier.whenSettled(() => {
      effects.scan({ after: message.after, limit: pageRecordsMax }, (records, next) => {
        effects.reply(link, {
          type: "PAGE",
          from: self,
          to: message.from,
          sequence: message.sequence,
          records,
          ...(next === undefined ? {} : { next }),
        });
      });
    });
  }

  /** Applies the records of a page, and asks for the next when it is done. */
  handlePage(message: Page): void {
    const pull = this.#pull;
    if (pull === undefined || pull.sequence !== message.sequence) return;
    pull.sequence = -1;
    pull.retryAt = Infinity;
    pull.open = message.records.length;
    for (const record of message.records) this.#apply(pull, { record, page: message });
    if (pull.open === 0) this.#turnPage(pull, message);
  }

  #apply(pull: Pull, { record, page }: { record: FileRecord; page: Page }): void {
    const sources = this.#sources(pull.source);
    this.#options.applier.apply({ record, sources }, (applied) => {
      if (applied.deed === "failed") pull.failures++;
      pull.open--;
      this.#compared++;
      if (pull.open === 0) this.#turnPage(pull, page);
    });
  }

  #turnPage(pull: Pull, page: Page): void {
    if (this.#pull !== pull) return;
    if (page.next === undefined) return this.#finish(pull);
    pull.after = page.next;
    pull.tries = 0;
    this.#request(pull);
  }

  #request(pull: Pull): void {
    const { self, membership, effects } = this.#options;
    const source = membership.get(pull.source);
    if (source === undefined) return;
    pull.tries++;
    pull.sequence = ++this.#sequence;
    pull.retryAt = effects.now.monotonic + pageTimeoutMs;
    effects.send(source.address, {
      type: "COMPARE",
      from: self,
      to: pull.source,
      sequence: pull.sequence,
      after: pull.after,
    });
  }

  #begin(source: MemberId): void {
    this.#compared = 0;
    this.#pull = { source, sequence: 0, after: "", tries: 0, retryAt: 0, open: 0, failures: 0 };
    this.#request(this.#pull);
  }

  #finish(pull: Pull): void {
    const { membership, roster } = this.#options;
    this.#pull = undefined;
    if (membership.self?.status !== "joining") return;
    if (pull.failures > 0) return this.#abandon(pull);
    const hadEverything = membership.get(pull.source)?.status === "alive";
    this.#tried.add(pull.source);
    // Where nobody holds everything, as when all servers start again, all of them together do.
    if (!hadEverything && this.#nextSource() !== undefined) return;
    this.#tried.clear();
    this.#restartMs = pageTimeoutMs;
    roster.becomeAlive();
  }

  /** Turns to another source; `settle` finds one, or tries all of them again a little later. */
  #abandon(pull: Pull): void {
    this.#pull = undefined;
    this.#tried.add(pull.source);
  }

  #catchUp(): void {
    const { membership, roster, effects } = this.#options;
    const source = this.#nextSource();
    if (source !== undefined) return this.#begin(source.id);
    if (membership.others.length === 0) roster.becomeAlive();
    else {
      this.#restartAt = effects.now.monotonic + this.#restartMs;
      this.#restartMs = Math.min(2 * this.#restartMs, restartMsMax);
    }
  }

  /** The member to pull from next: one that holds everything if there is one, the nearest before us. */
  #nextSource(): Member | undefined {
    const before = [...this.#options.membership.others].reverse();
    const untried = before.filter((member) => !this.#tried.has(member.id));
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
