/** A bug of ours: an invariant does not hold. It stops the process. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/**
 * Stops the process if an invariant does not hold.
 * @throws {InvariantError}
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** For the `default` of a switch over a union: the compiler shows that it is never reached. */
export function assertNever(value: never): never {
  throw new InvariantError(`unexpected value ${JSON.stringify(value)}`);
}
