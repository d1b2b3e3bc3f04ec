/**
 * The stranger log: says who was refused, as it did not prove to belong to the ring or what it said made no
 * sense, once a minute for each host, so that whoever knocks often does not fill the log.
 */
import { logger } from "../log.ts";
import { parseAddress } from "../ring/address.ts";

/** How often one host is named at the most, in milliseconds. */
const noteIntervalMs = 60_000;

/** How many hosts are remembered; beyond them none is named before a minute is over. */
const hostsMax = 1000;

const log = logger("server");

/** Names the strangers of one server. */
export class StrangerLog {
  /** When each host was named last, in milliseconds of `performance.now()`. */
  readonly #notedAt = new Map<string, number>();
  #unnamed = 0;

  /** Says that who is at an address was refused, and why; or that other is named already. */
  note(remote: string, text: string, now = performance.now()): void {
    const host = parseAddress(remote)?.host ?? remote;
    this.#forget(now);
    if (this.#notedAt.has(host) || this.#notedAt.size >= hostsMax) {
      this.#unnamed++;
      return;
    }
    this.#notedAt.set(host, now);
    const others = this.#unnamed === 0 ? "" : ` (and ${this.#unnamed} times before, not logged)`;
    this.#unnamed = 0;
    log.warn(() => `Refused ${remote}: ${text}${others}`);
  }

  /** The oldest come first. */
  #forget(now: number): void {
    for (const [host, notedAt] of this.#notedAt) {
      if (now - notedAt < noteIntervalMs) return;
      this.#notedAt.delete(host);
    }
  }
}
