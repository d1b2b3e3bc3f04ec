/**
 * Large bodies whose record is still to come.
 *
 * A body is let go when the last record that refers to it is replaced. One that has arrived ahead of
 * its record must outlive that: the same bytes may be put under one name while they are deleted
 * under another. So each arrival is counted, and settled by a write that refers to the body.
 */
export class AwaitedBodies {
  readonly #arrivals = new Map<string, number>();

  /** Notes that a body has arrived ahead of its record. */
  add(sha256: string): void {
    this.#arrivals.set(sha256, (this.#arrivals.get(sha256) ?? 0) + 1);
  }

  /** Notes that a record with this body has come, whatever became of it. */
  settle(sha256: string): void {
    const arrivals = this.#arrivals.get(sha256) ?? 0;
    if (arrivals > 1) this.#arrivals.set(sha256, arrivals - 1);
    else this.#arrivals.delete(sha256);
  }

  /** Whether a record with this body is still to come. */
  has(sha256: string): boolean {
    return this.#arrivals.has(sha256);
  }
}
