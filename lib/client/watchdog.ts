/** Calls back when something is awaited for too long; progress is told by stopping and starting. */
export class Watchdog {
  readonly #onExpire: (milliseconds: number) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onExpire: (milliseconds: number) => void) {
    this.#onExpire = onExpire;
  }

  /** Calls back in so many milliseconds, unless stopped or started again before. */
  start(milliseconds: number): void {
    this.stop();
    this.#timer = setTimeout(() => this.#onExpire(milliseconds), milliseconds);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
