/** Names in the order of their bytes, in memory. */
import { compareName } from "./name_order.ts";

/** A set of names, in order. */
export class SortedNames {
  readonly #names: string[] = [];

  /** Adds a name that is not in it. */
  add(name: string): void {
    this.#names.splice(this.#placeOf(name), 0, name);
  }

  /** Removes a name that is in it. */
  remove(name: string): void {
    this.#names.splice(this.#placeOf(name), 1);
  }

  /** The names that are not before `start`; the set must not change meanwhile. */
  *from(start: string): Generator<string> {
    for (let i = this.#placeOf(start);; i++) {
      const name = this.#names[i];
      if (name === undefined) return;
      yield name;
    }
  }

  /** The index of the first name that is not before `name`. */
  #placeOf(name: string): number {
    let low = 0;
    let high = this.#names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#names[middle];
      if (other !== undefined && compareName(other, name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
