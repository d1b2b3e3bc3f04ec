/** How long a body may wait for its record, in milliseconds. */
export const awaitedMsMax = 5 * 60 * 1000;

/** How many bodies may wait for their records. */
export const awaitedBodiesMax = 1024;

/**
 * Large bodies whose record is still to come.
 *
 * A body is let go when the last record that refers to it is replaced. One that has arrived ahead of
 * its record must outlive that: the same bytes may be put under one name while they are deleted
 * under another. So each arrival is counted, and settled by a write that refers to the body. A record
 * may never come, as when the server that was to send it died: so no body is awaited for ever.
 */
export class AwaitedBodies {
  /** The one that arrived last is last. */
  readonly #arrivals = new Map<string, { readonly count: number; readonly at: number }>();
  readonly #now: () => number;

  /** `now` gives milliseconds that never go back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes that a body has arrived ahead of its record. */
  add(sha256: string): void {
    const count = (this.#arrivals.get(sha256)?.count ?? 0) + 1;
    this.#arrivals.delete(sha256);
    this.#arrivals.set(sha256, { count, at: this.#now() });
  }

  /** Notes that a record with this body has come, whatever became of it. */
  settle(sha256: string): void {
    const arrival = this.#arrivals.get(sha256);
    if (arrival === undefined) return;
    const { count, at } = arrival;
    if (count > 1) this.#arrivals.set(sha256, { count: count - 1, at });
    else this.#arrivals.delete(sha256);
  }

  /** Whether a record with this body is still to come. */
  has(sha256: string): boolean {
    return this.#arrivals.has(sha256);
  }

  /** Gives up the bodies that have waited too long, or are too many, and returns them. */
  expire(): string[] {
    const given: string[] = [];
    const due = this.#now() - awaitedMsMax;
    for (const [sha256, { at }] of this.#arrivals) {
      if (at > due && this.#arrivals.size <= awaitedBodiesMax) break;
      this.#arrivals.delete(sha256);
      given.push(sha256);
    }
    return given;
  }
}
