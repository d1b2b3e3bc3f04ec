/** Turns: what concerns one name is done one after the other, while other names do not wait for it. */

/** Who waits for whom, by name. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Does something when everything before it that concerns this name is done; fails as it does. */
  async take<Result>(name: string, act: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(name);
    const { promise: done, resolve: end } = Promise.withResolvers<void>();
    this.#last.set(name, done);
    try {
      await before;
      return await act();
    } finally {
      end();
      if (this.#last.get(name) === done) this.#last.delete(name);
    }
  }
}
