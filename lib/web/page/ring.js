/**
 * The ring: what all servers have told so far, put together into one state that the rest of the page
 * shows. A server is heard while its stream is open; what was heard last stays until then.
 */
import { isLive, mergeLists } from "./members.js";
import { Streams } from "./streams.js";

/** @typedef {import("./members.js").Member} Member */

/**
 * What a server tells of itself every second; counters are since its start.
 *
 * @typedef {object} Numbers
 * @property {number} requests
 * @property {number} puts
 * @property {number} files
 * @property {string} digest
 * @property {{ p50: number, p99: number }} latencyMs
 */

/**
 * @typedef {object} Hop
 * @property {string} message CHECK, FORWARD, …
 * @property {"sent" | "received"} direction
 * @property {string} from
 * @property {string} to
 * @property {string} [errand]
 * @property {string} [item]
 * @property {string} [circle]
 * @property {string} [creator]
 */

/**
 * @typedef {object} FileChange
 * @property {{ name: string, stamp: string, sha256: string, size: number, contentType: string,
 *   deleted?: true }} record
 * @property {boolean} isNew
 */

/**
 * Whom the rest of the page is told by.
 *
 * @typedef {object} RingHandlers
 * @property {(members: readonly Member[], previous: readonly Member[]) => void} onMembers
 * @property {(id: string, numbers: Numbers, previous: Numbers | undefined) => void} onNumbers
 * @property {(hop: Hop) => void} onHop
 * @property {(id: string, change: FileChange) => void} onFile
 * @property {(id: string, text: string) => void} onNote
 * @property {(isHeard: boolean) => void} onOwn this server is heard, or no more
 */

/** How many digests of each server are remembered, one a second: two servers tell theirs at different moments. */
const digestsMax = 5;

/** How often there is a new ticket, in milliseconds: one is good for an hour. */
const ticketMs = 30 * 60_000;

/** How two servers' files compare, as far as the page can know. */
/** @typedef {"equal" | "differs" | "changing" | "unknown"} Equality */

/** What is known of the whole ring. */
export class Ring {
  #handlers;
  #own = location.origin;
  /** @type {Map<string, readonly Member[]>} the last list of each origin that is heard */
  #lists = new Map();
  /** @type {Map<string, string>} ids by origin */
  #ids = new Map();
  /** @type {Map<string, string[]>} the last digests of each server, by id */
  #digests = new Map();
  /** @type {Map<string, Numbers>} */
  #numbers = new Map();
  /** @type {Map<string, number>} since when a server is gone */
  #goneSince = new Map();
  #streams;
  /** @type {boolean | undefined} */
  #isOwnHeard;
  /** Where this server says that its page is, if that is not where the page was opened. */
  #properHref = "";
  /**
   * What this server gives for the others to let the page listen: empty in a ring without a secret, and
   * unknown until this server has said so.
   *
   * @type {string | undefined}
   */
  #ticket;
  /** @type {readonly Member[]} */
  members = [];

  /** @param {RingHandlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
    this.#streams = new Streams({
      onEvent: (origin, type, data) => this.#handleEvent(origin, type, data),
      onState: (origin, isOpen) => this.#handleState(origin, isOpen),
      onSleep: () => this.#handleSleep(),
    }, () => this.#ticket ?? "");
    setInterval(() => this.#fetchTicket(), ticketMs);
  }

  start() {
    this.#streams.follow([this.#own]);
  }

  /** The id of the server that the page came from, once it has said so. */
  get ownId() {
    return this.#ids.get(this.#own);
  }

  /**
   * Where the page would hear every server, if it was opened elsewhere: by another name, or through a
   * proxy. Servers let themselves be heard by pages of the ring's own addresses only. Empty if it was
   * not.
   */
  get properHref() {
    return this.#ticket === undefined || this.#ticket === "" ? this.#properHref : "";
  }

  /** The live members, in the order of the circle, from this server on. */
  get circle() {
    const live = this.members.filter(isLive);
    const start = Math.max(0, live.findIndex(({ id }) => id === this.ownId));
    return [...live.slice(start), ...live.slice(0, start)];
  }

  /**
   * What a server has last told of itself.
   *
   * @param {string} id
   */
  numbersOf(id) {
    return this.#numbers.get(id);
  }

  /**
   * Since when a member is gone, in milliseconds since 1970, if it went while the page was open.
   *
   * @param {string} id
   */
  goneSince(id) {
    return this.#goneSince.get(id);
  }

  /**
   * Whether a server has the files that the first one of the circle has.
   *
   * @param {string} id
   * @returns {Equality}
   */
  equality(id) {
    const own = this.#digests.get(this.circle[0]?.id ?? "");
    const its = this.#digests.get(id);
    if (own === undefined || its === undefined) return "unknown";
    if (own.some((digest) => its.includes(digest))) return "equal";
    return new Set(own).size > 1 && new Set(its).size > 1 ? "changing" : "differs";
  }

  /**
   * @param {string} origin
   * @param {import("./streams.js").EventType} type
   * @param {any} data
   */
  #handleEvent(origin, type, data) {
    if (type === "list") return this.#handleList(origin, data.members);
    const id = this.#ids.get(origin);
    if (id === undefined) return;
    switch (type) {
      case "numbers":
        return this.#handleNumbers(id, data);
      case "hop":
        return this.#handlers.onHop(data);
      case "file":
        return this.#handleFile(id, data);
      case "note":
        return this.#handlers.onNote(id, data.text);
    }
  }

  /**
   * @param {string} origin
   * @param {readonly Member[]} list
   */
  #handleList(origin, list) {
    this.#lists.set(origin, list);
    if (list[0] !== undefined) this.#ids.set(origin, list[0].id);
    if (origin === this.#own) this.#properHref = properHref(list);
    this.#merge();
    if (origin === this.#own) this.#noteOwn(true);
  }

  /**
   * @param {string} origin
   * @param {boolean} isOpen
   */
  #handleState(origin, isOpen) {
    if (isOpen) return;
    // The list of the last one that was heard is better than none.
    if (this.#lists.size > 1) this.#lists.delete(origin);
    this.#digests.delete(this.#ids.get(origin) ?? "");
    this.#numbers.delete(this.#ids.get(origin) ?? "");
    this.#merge();
    if (origin === this.#own) this.#noteOwn(false);
  }

  /** What was told before is no measure of what will be told after. */
  #handleSleep() {
    this.#numbers.clear();
    this.#digests.clear();
    this.#isOwnHeard = undefined;
  }

  /**
   * Counts a change at once: the server tells the number only once a second.
   *
   * @param {string} id
   * @param {FileChange} change
   */
  #handleFile(id, change) {
    const numbers = this.#numbers.get(id);
    const more = change.record.deleted ? (change.isNew ? 0 : -1) : change.isNew ? 1 : 0;
    if (numbers !== undefined) {
      this.#numbers.set(id, { ...numbers, files: numbers.files + more });
    }
    this.#handlers.onFile(id, change);
  }

  /**
   * @param {string} id
   * @param {Numbers} numbers
   */
  #handleNumbers(id, numbers) {
    const previous = this.#numbers.get(id);
    this.#numbers.set(id, numbers);
    this.#digests.set(id, [numbers.digest, ...this.#digests.get(id) ?? []].slice(0, digestsMax));
    this.#handlers.onNumbers(id, numbers, previous);
  }

  /** @param {boolean} isHeard whether the server that the page came from is heard */
  #noteOwn(isHeard) {
    if (isHeard === this.#isOwnHeard) return;
    this.#isOwnHeard = isHeard;
    this.#handlers.onOwn(isHeard);
    if (isHeard) this.#fetchTicket();
  }

  /** Asks for a new ticket; without an answer the one that there is may still do. */
  async #fetchTicket() {
    try {
      const answer = await fetch("/_ring/status.json");
      const { ticket = "" } = answer.ok ? await answer.json() : { ticket: this.#ticket };
      this.#ticket = ticket;
      this.#merge();
    } catch (error) {
      // Nobody answered, or not to the end: it is asked again when this server is heard again.
      if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
    }
  }

  #merge() {
    const previous = this.members;
    this.members = mergeLists(this.#lists.values());
    this.#noteGone(previous.length > 0);
    this.#follow();
    this.#handlers.onMembers(this.members, previous);
  }

  /** @param {boolean} isWitness whether the page was there when they went */
  #noteGone(isWitness) {
    for (const member of this.members) {
      if (isLive(member)) this.#goneSince.delete(member.id);
      else if (isWitness && !this.#goneSince.has(member.id)) {
        this.#goneSince.set(member.id, Date.now());
      }
    }
  }

  /** Listens at every live server that lets it; at this one in any case, where the page was opened. */
  #follow() {
    const heard = this.#ticket === undefined || this.properHref !== "" ? [] : this.circle;
    const others = heard.flatMap(({ id, web }) =>
      web === undefined || id === this.ownId ? [] : [new URL(web).origin]
    );
    const wanted = [this.#own, ...others];
    for (const origin of this.#lists.keys()) {
      if (!wanted.includes(origin)) this.#lists.delete(origin);
    }
    this.#streams.follow(wanted);
  }
}

/**
 * The page of the first of these, if the page was opened at an address that is none of theirs.
 *
 * @param {readonly Member[]} list
 */
function properHref(list) {
  const isTheirs = list.some(({ web }) =>
    web !== undefined && new URL(web).origin === location.origin
  );
  const web = list[0]?.web;
  return isTheirs || web === undefined ? "" : new URL("/_ring/", web).href;
}
