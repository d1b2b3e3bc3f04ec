/**
 * Writes: which servers have stored each of the last ones, as they tell it, in words. What a server
 * stores long after it was written it fetches from another: that is counted, not told one by one.
 */
import { formatCount } from "./units.js";

/** The most writes that are remembered. */
const writesMax = 500;

/** From what age on a write is an old one, in milliseconds: more than clocks differ. */
const oldMs = 90_000;

/** After how long a pause a server begins to fetch anew, in milliseconds. */
const pauseMs = 10_000;

/** @typedef {import("./ring.js").FileChange} FileChange */
/** @typedef {{ isNew: boolean, holders: Set<string> }} Write */
/** @typedef {{ count: number, begunAt: number, lastAt: number }} Catching */

/** Counts the copies of writes. */
export class Writes {
  /** @type {Map<string, Write>} by stamp */
  #byStamp = new Map();
  /** @type {Map<string, Catching>} by the server that fetches */
  #catching = new Map();

  /**
   * Notes that a server has stored something; returns what to say of it, which replaces what was said
   * before under the same key: `a.html put at 4043: 2 copies`.
   *
   * @param {string} id
   * @param {FileChange} change
   * @param {{ names: ReadonlyMap<string, string>, now: number }} context short names of servers, by
   *   id; milliseconds since 1970
   * @returns {{ key: string, text: string }}
   */
  describe(id, { record, isNew }, { names, now }) {
    const known = this.#byStamp.get(record.stamp);
    const isOld = now - stampMillis(record.stamp) > oldMs;
    if (known === undefined && isOld) return this.#describeOld(id, names.get(id) ?? "", now);
    const write = known ?? { isNew, holders: new Set() };
    write.holders.add(id);
    this.#byStamp.set(record.stamp, write);
    this.#bound();
    const creator = names.get(stampCreator(record.stamp));
    const place = creator === undefined ? "" : ` at ${creator}`;
    return { key: record.stamp, text: `${record.name} ${describeDeed(record, write, place)}` };
  }

  /**
   * @param {string} id
   * @param {string} name
   * @param {number} now
   */
  #describeOld(id, name, now) {
    const before = this.#catching.get(id);
    const isNew = before === undefined || now - before.lastAt > pauseMs;
    const catching = isNew ? { count: 0, begunAt: now, lastAt: now } : before;
    catching.count++;
    catching.lastAt = now;
    this.#catching.set(id, catching);
    const files = formatCount(catching.count, "file");
    return { key: `${id} ${catching.begunAt}`, text: `${name} fetched ${files} from the others.` };
  }

  #bound() {
    for (const stamp of this.#byStamp.keys()) {
      if (this.#byStamp.size <= writesMax) return;
      this.#byStamp.delete(stamp);
    }
  }
}

/**
 * For example `3 copies`.
 *
 * @param {number} count
 */
export function countCopies(count) {
  return `${count} cop${count === 1 ? "y" : "ies"}`;
}

/**
 * @param {FileChange["record"]} record
 * @param {Write} write
 * @param {string} place
 */
function describeDeed(record, write, place) {
  const count = write.holders.size;
  if (record.deleted) return `deleted${place}: ${formatCount(count, "server")}`;
  return `${write.isNew ? "put" : "replaced"}${place}: ${countCopies(count)}`;
}

/** @param {string} stamp its first part is milliseconds since 1970 */
export function stampMillis(stamp) {
  return parseInt(stamp.slice(0, 12), 16);
}

/** @param {string} stamp its last part is the id of the server that made it */
function stampCreator(stamp) {
  return stamp.slice(-32);
}
