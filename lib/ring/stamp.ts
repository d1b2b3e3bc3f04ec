/**
 * Stamps: a hybrid logical clock that orders all writes of all servers.
 *
 * A stamp is the wall clock's milliseconds, a counter for writes within one, and the server's id, each
 * of fixed width, so that text order is time order and no two servers make the same one. The clock
 * never goes back: a stamp is above every stamp made or seen before, whatever the wall clock does. A write
 * leaves before its own server has stored it, so that a ceiling above all stamps made is stored ahead of
 * them, and of those seen that could not be stored: a server that was killed begins above it.
 *
 * Source: Kulkarni et al., "Logical Physical Clocks", 2014.
 */
import type { MemberId } from "./member.ts";

/** 12 hexadecimal digits of milliseconds since 1970, 4 of a counter, 32 of a server id, with `-`. */
export type Stamp = string;

/** Below every stamp. */
export const stampZero: Stamp = `000000000000-0000-${"0".repeat(32)}`;

const counterMax = 0xffff;

/** How much of a stamp is the time and the counter, in characters. */
const timeDigits = 17;

/** How far ahead of the wall clock the stored ceiling is put, in milliseconds: a sync in this time. */
const ceilingMs = 10_000;

/** Whether `text` has the form of a stamp. */
export function isStamp(text: string): boolean {
  return /^[0-9a-f]{12}-[0-9a-f]{4}-[0-9a-f]{32}$/.test(text);
}

/** The wall clock of the server that made this stamp, in milliseconds since 1970. */
export function stampMillis(stamp: Stamp): number {
  return parseInt(stamp.slice(0, 12), 16);
}

/** Makes one server's stamps. */
export class StampClock {
  #millis: number;
  #counter: number;
  #ceiling: Stamp;

  /** Starts above `highest`, the highest stamp that the server has stored, or the ceiling. */
  constructor(private readonly id: MemberId, highest: Stamp) {
    this.#millis = stampMillis(highest);
    this.#counter = parseInt(highest.slice(13, 17), 16);
    this.#ceiling = highest;
  }

  /** Above every stamp made here: to be stored before one of them leaves. */
  get ceiling(): Stamp {
    return this.#ceiling;
  }

  /** Not below any stamp that was made or observed, but for the id in it. */
  get latest(): Stamp {
    return this.#format(this.#millis);
  }

  /** Whether every stamp made from now on is above this one. */
  isAbove(stamp: Stamp): boolean {
    return stamp.slice(0, timeDigits) <= this.latest.slice(0, timeDigits);
  }

  /** A stamp above all that were made or observed; `wall` is milliseconds since 1970. */
  next(wall: number): Stamp {
    if (wall > this.#millis) {
      this.#millis = wall;
      this.#counter = 0;
    } else if (this.#counter < counterMax) {
      this.#counter++;
    } else {
      this.#millis++;
      this.#counter = 0;
    }
    const stamp = this.#format(this.#millis);
    this.#raiseCeiling(stamp, wall);
    return stamp;
  }

  /** Makes sure that no stamp up to this one is made from now on, nor in a later life. */
  forgo(stamp: Stamp, wall: number): void {
    this.observe(stamp);
    this.#raiseCeiling(stamp, wall);
  }

  /** Notes a stamp of another server, so that the next one made here is above it. */
  observe(stamp: Stamp): void {
    const millis = stampMillis(stamp);
    const counter = parseInt(stamp.slice(13, 17), 16);
    if (millis < this.#millis || (millis === this.#millis && counter <= this.#counter)) return;
    this.#millis = millis;
    this.#counter = counter;
  }

  /** Ahead of the wall clock, not of the stamp: many short lives do not add up. */
  #raiseCeiling(stamp: Stamp, wall: number): void {
    if (stamp < this.#ceiling) return;
    this.#ceiling = this.#format(Math.max(stampMillis(stamp) + 1, wall + ceilingMs));
  }

  #format(millis: number): Stamp {
    const time = millis.toString(16).padStart(12, "0");
    const counter = this.#counter.toString(16).padStart(4, "0");
    return `${time}-${counter}-${this.id}`;
  }
}
