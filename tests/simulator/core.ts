/** What the simulator drives. */
import type { Member } from "../../lib/ring/member.ts";
import type { Effect, Input, Now } from "../../lib/ring/step.ts";

/** The production `Node`, or one with a planted bug. */
export interface Core {
  step(input: Input, now: Now): readonly Effect[];
  readonly members: readonly Member[];
}
