/**
 * What will happen in a simulated world, ordered by time; what is due at one time happens in the
 * order in which it was scheduled. A binary heap.
 */

import { assertCheck } from "./failure.ts";

/** Something that will happen. */
interface Event {
  readonly at: number;
  readonly sequence: number;
  readonly run: () => void;
}

/** The most events that may wait: a core that schedules without end fails instead of hanging. */
export const eventsMax = 200_000;

/** Events in the order of (time, sequence). */
export class EventQueue {
  readonly #heap: Event[] = [];
  #sequence = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** When the next event is due, or `undefined` if there is none. */
  get nextAt(): number | undefined {
    return this.#heap[0]?.at;
  }

  /** Adds an event at the time `at`, in milliseconds. */
  push(at: number, run: () => void): void {
    assertCheck(this.#heap.length < eventsMax, "bounded", () => `${eventsMax} events are waiting`);
    this.#heap.push({ at, sequence: this.#sequence++, run });
    this.#rise(this.#heap.length - 1);
  }

  /** Takes the first event out, or returns `undefined` if there is none. */
  pop(): { readonly at: number; readonly run: () => void } | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    this.#heap[0] = last;
    this.#sink();
    return first;
  }

  #rise(index: number): void {
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfBefore(index, parent)) return;
      index = parent;
    }
  }

  #sink(): void {
    let index = 0;
    while (true) {
      const left = 2 * index + 1;
      const child = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#swapIfBefore(child, index)) return;
      index = child;
    }
  }

  /** Exchanges the two if the first is due before the second; tells whether it did. */
  #swapIfBefore(first: number, second: number): boolean {
    const a = this.#heap[first];
    const b = this.#heap[second];
    if (a === undefined || b === undefined || !this.#isBefore(first, second)) return false;
    this.#heap[first] = b;
    this.#heap[second] = a;
    return true;
  }

  #isBefore(first: number, second: number): boolean {
    const a = this.#heap[first];
    const b = this.#heap[second];
    if (a === undefined || b === undefined) return false;
    return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
  }
}
