/**
 * Hops: the messages between servers, each shown once and in an order that can be followed.
 *
 * A hop is told twice, by who sent it and by who received it, within moments, in either order: the
 * second is dropped. And a message is round the ring within a few milliseconds: it is shown slower,
 * each hop of a circle beginning where and when the one before it has ended.
 */

/** @typedef {import("./ring.js").Hop} Hop */

/** A hop as it is to be seen. Times are in milliseconds, of `performance.now()`. */
/** @typedef {{ hop: Hop, startsAt: number, endsAt: number }} Travel */

/** Within what time a hop is told of from both sides, in milliseconds. */
const pairMs = 900;

/** How long hops of a circle are collected before they are put in order, in milliseconds. */
const collectMs = 150;

/** How many hops, and circles, are remembered. */
const pendingMax = 2000;
const circlesMax = 200;

/** How far behind the truth a circle may be shown: what is later is not shown at all. */
const delayMsMax = 6000;

const shown = new Set(["CHECK", "FORWARD", "UPDATE", "PAGE"]);

/** Turns what is told of hops into what is seen of them. */
export class Hops {
  #onTravel;
  #durationMs;
  /** @type {Map<string, { direction: string, at: number }[]>} told from one side so far */
  #pending = new Map();
  /** @type {Hop[]} */
  #collected = [];
  /** @type {Map<string, Map<string, number>>} when a circle is seen to reach a server */
  #arrivals = new Map();

  /**
   * @param {(travel: Travel) => void} onTravel
   * @param {(message: string) => number} durationMs how long a hop is seen
   */
  constructor(onTravel, durationMs) {
    this.#onTravel = onTravel;
    this.#durationMs = durationMs;
  }

  /** @param {Hop} hop */
  handle(hop) {
    if (!shown.has(hop.message) || this.#isSecond(hop)) return;
    if (hop.circle === undefined) return this.#begin(hop, performance.now());
    if (this.#collected.length === 0) setTimeout(() => this.#order(), collectMs);
    if (this.#collected.length < pendingMax) this.#collected.push(hop);
  }

  /** @param {Hop} hop */
  #isSecond(hop) {
    const key = [hop.message, hop.from, hop.to, hop.circle].join(" ");
    const now = performance.now();
    const waiting = (this.#pending.get(key) ?? []).filter(({ at }) => now - at < pairMs);
    const pair = waiting.findIndex(({ direction }) => direction !== hop.direction);
    if (pair >= 0) waiting.splice(pair, 1);
    else waiting.push({ direction: hop.direction, at: now });
    this.#pending.delete(key);
    if (waiting.length > 0) this.#pending.set(key, waiting);
    forgetOldest(this.#pending, pendingMax);
    return pair >= 0;
  }

  /** Begins what was collected: first what leaves its creator, then what follows from that. */
  #order() {
    let rest = this.#collected;
    this.#collected = [];
    for (let before = Infinity; rest.length < before;) {
      before = rest.length;
      rest = rest.filter((hop) => !this.#follow(hop, false));
    }
    for (const hop of rest) this.#follow(hop, true);
  }

  /**
   * @param {Hop} hop
   * @param {boolean} isForced even if nothing is known of how the circle came to its sender
   */
  #follow(hop, isForced) {
    const arrivals = this.#arrivals.get(hop.circle ?? "") ?? new Map();
    const arrival = arrivals.get(hop.from);
    if (arrival === undefined && hop.from !== hop.creator && !isForced) return false;
    const now = performance.now();
    const startsAt = Math.max(now, arrival ?? now);
    if (startsAt < now + delayMsMax) {
      const endsAt = this.#begin(hop, startsAt);
      if (!arrivals.has(hop.to)) arrivals.set(hop.to, endsAt);
      this.#arrivals.set(hop.circle ?? "", arrivals);
      forgetOldest(this.#arrivals, circlesMax);
    }
    return true;
  }

  /**
   * @param {Hop} hop
   * @param {number} startsAt
   */
  #begin(hop, startsAt) {
    const endsAt = startsAt + this.#durationMs(hop.message);
    this.#onTravel({ hop, startsAt, endsAt });
    return endsAt;
  }
}

/**
 * @param {Map<string, unknown>} map
 * @param {number} sizeMax
 */
function forgetOldest(map, sizeMax) {
  for (const key of map.keys()) {
    if (map.size <= sizeMax) return;
    map.delete(key);
  }
}
