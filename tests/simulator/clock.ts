/** The clocks of one server: virtual time as it reads it. */
import type { Now } from "../../lib/ring/step.ts";

/** The wall clock at the virtual time 0, in milliseconds since 1970; any would do. */
export const epochMs = Date.UTC(2026, 0, 1);

/** What a process reads: a monotonic clock with a base of its own, and a wall clock that errs. */
export class Clock {
  /** `base` is the monotonic clock at the virtual time 0; `skew` how far the wall clock is ahead. */
  constructor(readonly base: number, public skew: number) {}

  /** The time of a step at a virtual time. */
  now(worldTime: number): Now {
    return { monotonic: this.base + worldTime, wall: epochMs + worldTime + this.skew };
  }

  /** The virtual time at which the monotonic clock shows `monotonic`. */
  worldTime(monotonic: number): number {
    return monotonic - this.base;
  }
}
