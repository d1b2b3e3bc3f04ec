/** Refusals: how often a server has refused or given up something, as one of its bounds was reached. */
import type { CoreBound } from "../ring/step.ts";

/** The bounds that are counted; `lib/server/BOUNDS.md` says what each is. */
export const bounds = [
  "connections",
  "connections_per_address",
  "requests",
  "look_ups",
  "room",
  "frame",
  "stranger",
  "silence",
  "send_queue",
  "circle_time",
] as const satisfies readonly (string | CoreBound)[];

/** A bound that is counted. */
export type Bound = typeof bounds[number];

/** Counts the refusals of one server. */
export class Refusals {
  readonly #counts = new Map<Bound, number>(bounds.map((bound) => [bound, 0]));

  /** How many there were, by bound; every bound is there. */
  get counts(): ReadonlyMap<Bound, number> {
    return this.#counts;
  }

  note(bound: Bound): void {
    this.#counts.set(bound, (this.#counts.get(bound) ?? 0) + 1);
  }
}
