/** Waiting for what comes about by itself: by a condition and a deadline, never by a fixed time. */

/** How long to wait unless told otherwise, in milliseconds: much longer than anything should take. */
const withinDefaultMs = 10_000;

/** How long to wait between two looks, in milliseconds. */
const pauseMs = 10;

/** How to wait. */
export interface EventuallyOptions {
  /** How long to wait at the most, in milliseconds; 10 s unless given. */
  readonly withinMs?: number;
  /** What is waited for, for the message of the error. */
  readonly what?: string;
}

/** What a probe returns while its condition does not hold yet. */
type NotYet = undefined | false;

/**
 * Calls `probe` until it returns something other than `undefined` or `false`, and returns that.
 *
 * @throws {Error} when it has not by the deadline; and what the probe itself throws, at once.
 *
 * @example
 * ```ts ignore
 * const lines = await eventually(() => output.length > 2 && output, { what: "three lines" });
 * ```
 */
export async function eventually<T>(
  probe: () => T | NotYet | Promise<T | NotYet>,
  { withinMs = withinDefaultMs, what = "the condition" }: EventuallyOptions = {},
): Promise<T> {
  const end = performance.now() + withinMs;
  while (true) {
    const result = await probe();
    if (result !== undefined && result !== false) return result;
    if (performance.now() > end) {
      throw new Error(`Waited for ${what} in vain, for ${withinMs} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
