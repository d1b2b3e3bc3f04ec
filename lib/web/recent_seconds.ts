/** The measurements of the last second: for figures that a person watches, rather than for monitoring. */

/** How many measurements of one second are kept; of more, each is as likely to be among them. */
const keptMax = 1024;

/** Keeps what was measured within the second that is under way, and the one before. */
export class RecentSeconds {
  #second = 0;
  #current: number[] = [];
  #count = 0;
  #last: readonly number[] = [];
  readonly #random: () => number;

  /** `random` returns a number from 0 to below 1. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Adds a measurement; `now` is milliseconds of a clock that never goes back. */
  add(measured: number, now: number): void {
    this.#turn(now);
    this.#count++;
    // Reservoir sampling (Vitter 1985, algorithm R).
    const place = this.#current.length < keptMax
      ? this.#current.length
      : Math.floor(this.#random() * this.#count);
    if (place < keptMax) this.#current[place] = measured;
  }

  /** What these shares of the measurements of the last whole second were at most; 0 if there are none. */
  quantiles(shares: readonly number[], now: number): readonly number[] {
    this.#turn(now);
    const sorted = this.#last.toSorted((a, b) => a - b);
    return shares.map((share) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  }

  /** Begins another second when it has come. */
  #turn(now: number): void {
    const second = Math.floor(now / 1000);
    if (second === this.#second) return;
    this.#last = second === this.#second + 1 ? this.#current : [];
    this.#second = second;
    this.#current = [];
    this.#count = 0;
  }
}
