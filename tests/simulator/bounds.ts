/** How much a core may ask of its shell: a queue without a bound, or a busy loop, is a bug. */
import type { Effect } from "../../lib/ring/step.ts";
import { assertCheck } from "./failure.ts";
import type { World } from "./world.ts";

/** The most steps at one moment: a core that keeps itself busy fails instead of hanging. */
const stepsAtOnceMax = 10_000;
/** The most effects of a core that may be unanswered: writes, fetches, looks, comparisons. */
const unansweredMax = 1_000;

/** Watches what one core asks. */
export class Bounds {
  readonly #world: World;
  readonly #name: string;
  #unanswered = 0;
  #stepsAtOnce = 0;
  #lastStepAt = 0;

  constructor(world: World, name: string) {
    this.#world = world;
    this.#name = name;
  }

  countStep(): void {
    const { now } = this.#world;
    this.#stepsAtOnce = this.#lastStepAt === now ? this.#stepsAtOnce + 1 : 1;
    this.#lastStepAt = now;
    assertCheck(
      this.#stepsAtOnce <= stepsAtOnceMax,
      "bounded",
      () => `${this.#name} took ${stepsAtOnceMax} steps at one moment`,
    );
  }

  /** Counts those effects that will be answered. */
  countEffects(effects: readonly Effect[]): void {
    for (const effect of effects) if ("token" in effect) this.#unanswered++;
    assertCheck(
      this.#unanswered <= unansweredMax,
      "bounded",
      () => `${this.#name} waits for ${this.#unanswered} effects`,
    );
  }

  countAnswer(): void {
    this.#unanswered--;
  }
}
