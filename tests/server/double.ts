/** Doubles: another behaviour for one method, of all objects of a class, until the test is over. */

/**
 * Replaces a method of a prototype; `make` is given the original, and returns what takes its place.
 *
 * @example
 * ```ts ignore
 * using _ = replaceMethod(MemoryStore.prototype, "write", () => () => { throw new Error("broken"); });
 * ```
 */
export function replaceMethod<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  make: (original: T[K]) => T[K],
): Disposable {
  const original = prototype[name];
  prototype[name] = make(original);
  return {
    [Symbol.dispose]: () => {
      prototype[name] = original;
    },
  };
}
