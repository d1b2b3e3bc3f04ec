/** The watchdog: closes connections that stand still, looking at all of them once a second. */

/** How long a transfer may stand still, in milliseconds. */
export const stallMs = 30_000;

const lookIntervalMs = 1000;

/** A connection that is watched. */
export interface Watched {
  isStuck(): boolean;
  close(): void;
}

/** Watches the connections of one server. */
export class Watchdog {
  readonly #watched = new Set<Watched>();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #onStuck: () => void;

  /** `onStuck` is called for each connection that is closed. */
  constructor(onStuck: () => void = () => {}) {
    this.#onStuck = onStuck;
    this.#timer = setInterval(() => this.#look(), lookIntervalMs);
  }

  /** Watches a connection until the function returned is called. */
  watch(watched: Watched): () => void {
    this.#watched.add(watched);
    return () => this.#watched.delete(watched);
  }

  /** Stops watching. */
  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const watched of this.#watched) {
      if (!watched.isStuck()) continue;
      this.#onStuck();
      watched.close();
    }
  }
}
