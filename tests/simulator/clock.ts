/** The clocks of one server: virtual time as it reads it. */
import type { Now } from "../../lib/ring/step.ts";

/** The wall clock at the virtual time 0, in milliseconds since 1970; any would do. */
export const epochMs = Date.UTC(2026, 0, 1);

/** A machine's wall clock, which may be wrong, be set, and run too fast or too slow. */
export class WallClock {
  readonly #initialSkew: number;
  /** How far it is ahead, in milliseconds, at `#since`. */
  #skew: number;
  #since = 0;
  /** How much faster it runs: 0.01 is 10 ms a second. */
  #drift = 0;

  /** `skew` is how far it is ahead at first, in milliseconds. */
  constructor(skew: number) {
    this.#initialSkew = skew;
    this.#skew = skew;
  }

  /** What it shows at a virtual time: whole milliseconds since 1970. */
  at(worldTime: number): number {
    return epochMs + Math.round(worldTime + this.#skewAt(worldTime));
  }

  /** How far it is from where it would be had it never been touched, in milliseconds. */
  error(worldTime: number): number {
    return this.#skewAt(worldTime) - this.#initialSkew;
  }

  /** Since when it shows what it would had it never been touched; absent if it does not. */
  get rightSince(): number | undefined {
    return this.#drift === 0 && this.#skew === this.#initialSkew ? this.#since : undefined;
  }

  /** Sets it forward, or back if `ms` is negative. */
  step(worldTime: number, ms: number): void {
    this.#skew = this.#skewAt(worldTime) + ms;
    this.#since = worldTime;
  }

  /** Has it run faster by a factor of 1 + `drift`, or slower if that is negative. */
  run(worldTime: number, drift: number): void {
    this.step(worldTime, 0);
    this.#drift = drift;
  }

  /** Sets it to what it would show had it never been touched. */
  mend(worldTime: number): void {
    this.#skew = this.#initialSkew;
    this.#since = worldTime;
    this.#drift = 0;
  }

  #skewAt(worldTime: number): number {
    return this.#skew + (worldTime - this.#since) * this.#drift;
  }
}

/** What a process reads: a monotonic clock with a base of its own, and the machine's wall clock. */
export class Clock {
  /** `base` is what the monotonic clock shows at the virtual time 0. */
  constructor(readonly base: number, readonly wall: WallClock) {}

  /** The time of a step at a virtual time. */
  now(worldTime: number): Now {
    return { monotonic: this.base + worldTime, wall: this.wall.at(worldTime) };
  }

  /** The virtual time at which the monotonic clock shows `monotonic`. */
  worldTime(monotonic: number): number {
    return monotonic - this.base;
  }
}
