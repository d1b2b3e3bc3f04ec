/** The part harness: drives parts of the core one by one, in fake time, without the node around them. */
import { Effects } from "../../lib/ring/effects.ts";
import { Membership } from "../../lib/ring/membership.ts";
import type { Member } from "../../lib/ring/member.ts";
import type { MemberMessage } from "../../lib/ring/message.ts";
import { type StampClock, stampZero } from "../../lib/ring/stamp.ts";
import type { Effect, Input, Token } from "../../lib/ring/step.ts";
import { type EffectOf, epochMs, frozen, type MessageOf } from "./harness.ts";
import { idOf, sha256 } from "./sample.ts";

/** What every part of server A stands on: a list, a clock, and effects that are kept. */
export class PartHarness {
  readonly effects = new Effects();
  readonly membership = new Membership(idOf("A"), sha256);
  readonly clock: Pick<StampClock, "latest"> = { latest: stampZero };
  monotonic = 0;
  #seen: Effect[] = [];

  constructor(...members: Member[]) {
    this.membership.merge(members);
  }

  /** Runs one step, after `milliseconds`; returns the effects of this step. */
  step(body: () => void, milliseconds = 0): readonly Effect[] {
    this.monotonic += milliseconds;
    this.effects.begin({ monotonic: this.monotonic, wall: epochMs + this.monotonic });
    body();
    const effects = frozen(this.effects.end([]));
    this.#seen.push(...effects);
    return effects;
  }

  /** Answers an effect. */
  finish(answer: Extract<Input, { readonly token: Token }>): void {
    this.step(() => this.effects.resume(answer.token, answer));
  }

  /** The effects of one type that were not taken yet. */
  take<T extends Effect["type"]>(type: T): readonly EffectOf<T>[] {
    const taken = this.#seen.filter((effect): effect is EffectOf<T> => effect.type === type);
    this.#seen = this.#seen.filter((effect) => effect.type !== type);
    return taken;
  }

  /** The messages of one type that were sent and not taken yet; those of other types are dropped. */
  takeSent<T extends MemberMessage["type"]>(type: T): readonly MessageOf<T>[] {
    return this.take("send").flatMap(({ message }) => isOfType(message, type) ? [message] : []);
  }
}

function isOfType<T extends MemberMessage["type"]>(
  message: MemberMessage,
  type: T,
): message is MessageOf<T> {
  return message.type === type;
}
