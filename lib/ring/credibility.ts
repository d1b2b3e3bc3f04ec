/**
 * Credibility: what no server would say that follows the protocol, and what would do lasting harm.
 *
 * Most of what a member says wrongly is put right when it is gone. Not so two numbers that only grow:
 * a clock that has observed the last stamp there is can make no more, and nobody can raise an incarnation
 * above the greatest integer. So a stamp is believed that is not ages ahead of this server's clock, and
 * an incarnation that is not far above the one known: to come near the end would take too long. Hybrid
 * logical clocks are bounded in the same way (Kulkarni et al., 2014, section 5), only closer.
 */
import type { FileRecord } from "./file_record.ts";
import type { Member } from "./member.ts";
import type { Errand, MemberMessage } from "./message.ts";
import { type Stamp, stampMillis } from "./stamp.ts";

/**
 * How far a stamp may be ahead of the wall clock, in milliseconds: 1000 years. A clock that was never set
 * shows 1970, and is not to keep a server from taking what others have written.
 */
export const stampAheadMsMax = 1000 * 365 * 24 * 3_600_000;

/** How far an incarnation may be above the one that is known of the same server. */
export const incarnationStepMax = 2 ** 20;

/** Whether nothing in this message is from an impossible future, or about another file than it says. */
export function isCredible(message: MemberMessage, wall: number): boolean {
  const stampMax = wall + stampAheadMsMax;
  const isPossible = (stamp: Stamp) => stampMillis(stamp) <= stampMax;
  switch (message.type) {
    case "INSERTED":
    case "UPDATE":
      return isPossible(message.stamp);
    case "PAGE":
      return message.records.every(({ stamp }: FileRecord) => isPossible(stamp));
    case "FORWARD":
      return isCredibleErrand(message.errand, isPossible);
    default:
      return true;
  }
}

/** Whether this may be news of a member of whom `known` is known, if anything is. */
export function isCredibleNews({ incarnation }: Member, known: Member | undefined): boolean {
  return known === undefined || incarnation <= known.incarnation + incarnationStepMax;
}

function isCredibleErrand(errand: Errand, isPossible: (stamp: Stamp) => boolean): boolean {
  switch (errand.type) {
    case "WRITE":
      return isPossible(errand.record.stamp);
    case "FIND": {
      const record = errand.found?.record;
      return record === undefined || (record.name === errand.item && isPossible(record.stamp));
    }
    case "SURVEY":
    case "COLLECT":
      return isPossible(errand.upTo);
  }
}
