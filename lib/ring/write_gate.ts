/**
 * The write gate: whether this server may originate a write now.
 *
 * It may not while fewer members are live than copies are asked for (`minCopies`): nothing is stored
 * then, and the client can go elsewhere. And it may not while its clock is far from the others': its
 * stamps would be greater, or smaller, than those of later, or earlier, writes elsewhere, which would
 * be lost, or win, for no reason that anybody sees.
 *
 * CHECK and its answer carry the sender's wall clock. It is kept with the time of a clock that nobody
 * sets, so that a step of our own clock shows at once. Transit times are far below the limit.
 */
import type { Effects } from "./effects.ts";
import type { MemberId } from "./member.ts";
import type { Membership } from "./membership.ts";

/** How far this server's clock may be from the median of the others', in milliseconds. */
export const clockDifferenceMaxMs = 60_000;

/** What {@linkcode WriteGate} is made of. */
export interface WriteGateOptions {
  readonly membership: Membership;
  readonly effects: Effects;
  /** How many servers must have a write on disk before it is acknowledged; 1 for no demand. */
  readonly minCopies: number;
}

/** Whether one server may originate writes. */
export class WriteGate {
  readonly #options: WriteGateOptions;
  /** What each member's wall clock would have shown when our monotonic one began. */
  readonly #clocks = new Map<MemberId, number>();

  constructor(options: WriteGateOptions) {
    this.#options = options;
  }

  /** How many servers must have a write on disk before it is acknowledged. */
  get minCopies(): number {
    return this.#options.minCopies;
  }

  /** Notes what another member's wall clock shows. */
  observe(member: MemberId, wall: number): void {
    this.#clocks.set(member, wall - this.#options.effects.now.monotonic);
  }

  /** Why this server may not originate a write now, in one sentence; absent if it may. */
  refusal(): string | undefined {
    return this.#tooFew() ?? this.#wrongClock();
  }

  #tooFew(): string | undefined {
    const { membership, minCopies } = this.#options;
    const live = membership.others.length + 1;
    if (live >= minCopies) return undefined;
    return `${minCopies} copies are asked for, and ${live} ` +
      (live === 1 ? "server is live" : "servers are live");
  }

  #wrongClock(): string | undefined {
    const difference = this.#difference();
    if (Math.abs(difference) <= clockDifferenceMaxMs) return undefined;
    const seconds = Math.round(Math.abs(difference) / 1000);
    return `This server's clock is ${seconds} s ` +
      `${difference > 0 ? "ahead of" : "behind"} those of the others`;
  }

  /** By how much this server's clock is ahead of the median of the others', in milliseconds. */
  #difference(): number {
    const { membership, effects } = this.#options;
    const clocks = membership.others
      .flatMap((member) => this.#clocks.get(member.id) ?? [])
      .sort((a, b) => a - b);
    const { wall, monotonic } = effects.now;
    const own = wall - monotonic;
    // Of an even number there are two in the middle: the nearer one, as most clocks then agree with it.
    const earlier = clocks[Math.floor((clocks.length - 1) / 2)];
    const later = clocks[Math.floor(clocks.length / 2)];
    if (earlier === undefined || later === undefined) return 0;
    return own - Math.min(Math.max(own, earlier), later);
  }
}
