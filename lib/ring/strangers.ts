/**
 * Strangers: what a server does about messages for somebody else, and from servers that it does not know.
 *
 * A message that is for another member proves that this one is not at its address any more: it is refused
 * with 421. One from a server that is not in the list is refused with 403; its sender then introduces
 * itself with an UPDATE, which is taken, as it names an id that only members are told, and has the sender in its list.
 */
import type { Effects } from "./effects.ts";
import { type MemberId, membersMax } from "./member.ts";
import type { Membership } from "./membership.ts";
import type { MemberMessage } from "./message.ts";
import type { Roster } from "./roster.ts";
import type { Link } from "./step.ts";

/** How often one stranger is told who is in the ring, at the most, in milliseconds. */
export const introductionMs = 1000;

type Addressed = Exclude<MemberMessage, { type: "INSERT" }>;

/** What {@linkcode Strangers} is made of. */
export interface StrangersOptions {
  readonly self: MemberId;
  readonly membership: Membership;
  readonly roster: Roster;
  readonly effects: Effects;
}

/** How one server deals with strangers. */
export class Strangers {
  readonly #options: StrangersOptions;
  readonly #introduced = new Map<MemberId, number>();

  constructor(options: StrangersOptions) {
    this.#options = options;
  }

  /** Whether a message is to this server, from one that it may listen to; else it is refused. */
  admits(message: Addressed, link: Link): boolean {
    const { self, membership } = this.#options;
    if (message.to !== self) {
      this.#refuse(message, link, { status: 421, error: "This is another server" });
      return false;
    }
    if (membership.get(message.from) !== undefined || this.#isIntroduction(message)) return true;
    this.#refuse(message, link, { status: 403, error: "The sender is not in the list" });
    return false;
  }

  /** Tells a server that takes this one for a stranger who is in the ring. */
  introduce(stranger: MemberId): void {
    const { membership, roster, effects } = this.#options;
    const now = effects.now.monotonic;
    const last = this.#introduced.get(stranger) ?? -Infinity;
    if (membership.get(stranger) === undefined || now - last < introductionMs) return;
    this.#introduced.set(stranger, now);
    roster.announce(stranger);
  }

  /**
   * Whether a message may come from a server that is not in the list yet. Whoever sends one of these knows
   * this server's id, which only members are told; and it is in the list that it sends, so that whatever
   * is remembered of it is as bounded as the list.
   */
  #isIntroduction(message: Addressed): boolean {
    if (message.type === "REFUSE") return true;
    if (message.type !== "UPDATE" && message.type !== "INSERTED") return false;
    const hasRoom = this.#options.membership.all.length < membersMax;
    return hasRoom && message.members.some(({ id }) => id === message.from);
  }

  #refuse(
    message: Addressed,
    link: Link,
    { status, error }: { status: 403 | 421; error: string },
  ): void {
    if (message.type === "REFUSE") return;
    const { self, effects } = this.#options;
    const { from: to, to: intended } = message;
    effects.reply(link, { type: "REFUSE", from: self, to, status, intended, error });
  }
}
