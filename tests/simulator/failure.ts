/** What a simulation throws when something that must hold does not. */

/** A check failed; `check` names it, and the message says what was seen, in one sentence. */
export class SimulationFailure extends Error {
  override readonly name = "SimulationFailure";

  constructor(readonly check: string, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Throws a {@linkcode SimulationFailure} unless `condition` holds. */
export function assertCheck(
  condition: boolean,
  check: string,
  message: () => string,
): asserts condition {
  if (!condition) throw new SimulationFailure(check, message());
}
