/**
 * The save watch: holds what leaves a server against what it has saved before.
 *
 * Others may be told of an incarnation, of a member or of a stamp only when this server would still know
 * of it after a crash.
 */
import { assert } from "@std/assert";
import { compareMember, type Member, type MemberId } from "../../lib/ring/member.ts";
import type { Errand, MemberMessage } from "../../lib/ring/message.ts";
import type { Stamp } from "../../lib/ring/stamp.ts";
import type { Effect, StoredRing } from "../../lib/ring/step.ts";
import { idOf } from "./sample.ts";

/** Watches the effects of server A. */
export class SaveWatch {
  readonly #members = new Map<MemberId, Member>();
  #incarnation: number;
  #ceiling: Stamp;

  constructor({ incarnation, members, highestStamp }: StoredRing) {
    this.#incarnation = incarnation;
    this.#ceiling = highestStamp;
    for (const member of members) this.#members.set(member.id, member);
  }

  /** Takes the effects of one step; throws if one of them comes before the save that it needs. */
  watch(effects: readonly Effect[]): void {
    const lastSave = effects.findLastIndex((effect) => effect.type === "save");
    assert(lastSave <= 0, `a save comes only after ${lastSave} other effects of its step`);
    for (const effect of effects) {
      switch (effect.type) {
        case "save":
          this.#note(effect);
          break;
        case "send":
        case "reply":
          this.#assertTold(effect.message);
          break;
        case "answer":
          if (effect.answer.type !== "GC") this.#assertStamp(effect.answer.stamp, "answer");
      }
    }
  }

  #note({ incarnation, members, stampCeiling }: Extract<Effect, { type: "save" }>): void {
    assert(stampCeiling >= this.#ceiling, `the ceiling went down to ${stampCeiling}`);
    this.#incarnation = incarnation;
    this.#ceiling = stampCeiling;
    for (const member of members) this.#members.set(member.id, member);
  }

  #assertTold(message: MemberMessage): void {
    if (message.type === "INSERT") {
      const { incarnation } = message;
      assert(incarnation <= this.#incarnation, `INSERT tells ${incarnation} before the save`);
    }
    if (message.type === "FORWARD") this.#assertErrand(message.errand);
    if (message.type === "COMPARE") this.#assertMember(message.member, "COMPARE");
    const told = "members" in message ? message.members ?? [] : [];
    for (const member of told) this.#assertMember(member, message.type);
  }

  #assertMember(member: Member, type: string): void {
    const saved = this.#members.get(member.id);
    const isSaved = saved !== undefined && compareMember(member, saved) <= 0;
    assert(isSaved, `${type} tells of ${member.id} before the save`);
    if (member.id !== idOf("A")) return;
    assert(member.incarnation <= this.#incarnation, `${type} before the save`);
  }

  #assertErrand(errand: Errand): void {
    if (errand.type === "WRITE") this.#assertStamp(errand.record.stamp, "WRITE");
    if (errand.type === "FIND") this.#assertStamp(errand.found?.record.stamp, "FIND");
    // What this server has promised not to stamp below must still hold after a crash.
    if (errand.type === "SURVEY") {
      const isSaved = errand.upTo <= this.#ceiling;
      assert(isSaved, `a SURVEY up to ${errand.upTo} leaves before a ceiling above it is saved`);
    }
  }

  #assertStamp(stamp: Stamp | undefined, what: string): void {
    if (stamp === undefined || !stamp.endsWith(idOf("A"))) return;
    const isSaved = stamp <= this.#ceiling;
    assert(isSaved, `${what} with ${stamp} leaves before a ceiling above it is saved`);
  }
}
