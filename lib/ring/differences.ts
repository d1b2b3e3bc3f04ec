/**
 * Differences: which members tell digests of their files that are not this server's, and do so for too
 * long to be a write on its way.
 *
 * Under steady writes the digests of two servers are seldom equal, and never the same for long. So
 * digests that stay what they are prove a difference soon, those that change only after a while.
 */
import type { MemberId } from "./member.ts";

/** How often two neighbours must tell the same two different digests before they compare. */
export const differencesMin = 2;
/** How often they must tell different digests of any kind before they compare. */
export const busyDifferencesMin = 20;
/** How many CHECKs pass after a comparison before a difference is looked at again. */
export const differencePause = 5;

interface Difference {
  readonly mine: string;
  readonly theirs: string;
  /** How often these two have been told; below 0 for a while after a comparison. */
  readonly same: number;
  /** How often any two have been. */
  readonly any: number;
}

/** The differences that one server sees. */
export class Differences {
  readonly #differences = new Map<MemberId, Difference>();

  /** Notes that a member has told another digest than this server's; returns whether to compare. */
  note(member: MemberId, { mine, theirs }: { mine: string; theirs: string }): boolean {
    const known = this.#differences.get(member);
    const isSame = known?.mine === mine && known.theirs === theirs;
    const any = (known?.any ?? 0) + 1;
    const same = isSame ? known.same + 1 : Math.min(known?.same ?? 0, 0) + 1;
    this.#differences.set(member, { mine, theirs, same, any });
    return same >= differencesMin || any >= busyDifferencesMin;
  }

  /** The two are being compared. */
  pause(member: MemberId): void {
    const known = this.#differences.get(member);
    if (known === undefined) return;
    this.#differences.set(member, { ...known, same: -differencePause, any: 0 });
  }

  /** There is no difference to a member any more. */
  forget(member: MemberId): void {
    this.#differences.delete(member);
  }
}
