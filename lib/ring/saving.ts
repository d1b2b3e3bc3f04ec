/** Saving: what others are told must still be known after a crash, and so is saved before it is sent. */
import type { Membership } from "./membership.ts";
import type { Roster } from "./roster.ts";
import type { Stamp, StampClock } from "./stamp.ts";
import type { Effect } from "./step.ts";

/** What {@linkcode Saving} is made of. */
export interface SavingOptions {
  readonly membership: Membership;
  readonly roster: Roster;
  readonly clock: StampClock;
}

/** What of a server's list, incarnation and ceiling of stamps is on disk. */
export class Saving {
  readonly #options: SavingOptions;
  #version = 0;
  #incarnation: number;
  #ceiling: Stamp;

  /** Takes the incarnation and the ceiling as they are for what is on disk. */
  constructor(options: SavingOptions) {
    this.#options = options;
    this.#incarnation = options.roster.incarnation;
    this.#ceiling = options.clock.ceiling;
  }

  /** The version of the list that was saved last. */
  get version(): number {
    return this.#version;
  }

  /** The effect that saves all of it, if any of it has changed. */
  take(): readonly Effect[] {
    const { membership, roster: { incarnation }, clock: { ceiling } } = this.#options;
    const { version } = membership;
    const isSaved = version === this.#version && incarnation === this.#incarnation &&
      ceiling === this.#ceiling;
    if (isSaved) return [];
    this.#version = version;
    this.#incarnation = incarnation;
    this.#ceiling = ceiling;
    return [{ type: "save", incarnation, members: membership.all, stampCeiling: ceiling }];
  }
}
