/**
 * An allowance: how often something may be done. So many times at once, and as often in each second
 * after that (a token bucket).
 */
export class Allowance {
  readonly #perSecond: number;
  #left: number;
  #countedAt = -Infinity;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** Whether it may be done once more; `now` is milliseconds of a clock that never goes back. */
  take(now: number): boolean {
    const gained = (now - this.#countedAt) * this.#perSecond / 1000;
    this.#left = Math.min(this.#perSecond, this.#left + gained);
    this.#countedAt = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
