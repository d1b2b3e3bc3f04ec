/**
 * The finder: looks for the newest record of a name on all servers.
 *
 * A FIND goes round the ring and brings back the newest record that it has met, and who holds it. One that
 * has not been at every live member proves nothing, and is sent again.
 */
import type { Circles } from "./circles.ts";
import type { Effects } from "./effects.ts";
import type { FileRecord } from "./file_record.ts";
import type { MemberId } from "./member.ts";
import type { Membership } from "./membership.ts";
import type { Circle, Errand, Find } from "./message.ts";
import type { Rounds } from "./rounds.ts";

/** How long a FIND may take, in milliseconds. */
export const findTimeoutMs = 5000;

/** A FIND on its way. */
export type FindErrand = Extract<Errand, { type: "FIND" }>;

/** How a search ended. */
export type Search =
  | { readonly outcome: "known"; readonly find: Find | undefined }
  | { readonly outcome: "unknown"; readonly error: string };

/** What {@linkcode Finder} is made of. */
export interface FinderOptions {
  readonly self: MemberId;
  readonly membership: Membership;
  readonly circles: Circles;
  readonly rounds: Rounds;
  readonly effects: Effects;
}

/** Finds records on other servers, and for other servers. */
export class Finder {
  readonly #options: FinderOptions;

  constructor(options: FinderOptions) {
    this.#options = options;
  }

  /** Looks for the newest record of a name on all servers; `own` is the one that is here. */
  search(item: string, own: FileRecord | undefined, then: (search: Search) => void): void {
    const { self, membership, rounds } = this.#options;
    const mine = own === undefined ? undefined : { record: own, holder: self };
    if (membership.others.length === 0) return then({ outcome: "known", find: mine });
    const errand: FindErrand = {
      type: "FIND",
      item,
      ...(mine === undefined ? {} : { found: mine }),
    };
    const round = rounds.begin({ type: "FORWARD", errand }, {
      timeoutMs: findTimeoutMs,
      evaluate: (returned) => {
        if (returned?.errand.type !== "FIND" || !hasAskedAll(returned.circle, membership)) {
          return false;
        }
        then({ outcome: "known", find: returned.errand.found });
        return true;
      },
      expire: () => {
        const name = JSON.stringify(item);
        const error = `Cannot tell whether there is a file ${name}: not every server has answered`;
        then({ outcome: "unknown", error });
      },
    });
    rounds.send(round);
  }

  /** Adds what is known here of a name to another server's FIND, and passes it on. */
  handleFind(circle: Circle, errand: FindErrand): void {
    const { self, circles, effects } = this.#options;
    effects.look(errand.item, (own) => {
      const isNewer = own !== undefined &&
        (errand.found === undefined || own.stamp > errand.found.record.stamp);
      const found = isNewer ? { record: own, holder: self } : errand.found;
      const next = { ...errand, ...(found === undefined ? {} : { found }) };
      circles.visitAndPass(circle, { type: "FORWARD", errand: next });
    });
  }
}

/** Whether a circle that is back has been at every live member. */
export function hasAskedAll(circle: Circle, membership: Membership): boolean {
  const asked = new Set(
    circle.visited.filter((visit) => visit.deed !== "skipped").map((visit) => visit.id),
  );
  return membership.others.every((member) => asked.has(member.id));
}
