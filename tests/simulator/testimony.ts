/**
 * Who was asked, and what they knew: an answer that speaks for all servers must have heard all.
 *
 * That there is no file is answered when every live member has looked, whatever was lost on the way. And a
 * write is settled only when its creator knows of everybody of whom those knew that reported it.
 */
import { compareMember, isLive, type Member, type MemberId } from "../../lib/ring/member.ts";
import type { CircleName, Report } from "../../lib/ring/message.ts";
import type { Stamp } from "../../lib/ring/stamp.ts";
import type { Answering } from "./checks.ts";
import type { Disk } from "./disk.ts";
import { assertCheck } from "./failure.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** Watches who is heard before something is answered. */
export class Testimony {
  readonly #world: World;
  /** When each server last looked for a name. */
  readonly #looks = new Map<string, number>();
  /** The circle that carries each write. */
  readonly #circles = new Map<Stamp, string>();
  /** The members that each server knew live when it first reported what it did for a circle. */
  readonly #reports = new Map<string, ReadonlyMap<MemberId, readonly Member[]>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A server looks whether it has a file. */
  handleLook({ disk }: Server, item: string): void {
    this.#looks.set(`${disk.id} ${item}`, this.#world.now);
  }

  /** A circle carries a write. */
  handleForward(circle: CircleName, stamp: Stamp): void {
    this.#circles.set(stamp, nameOf(circle));
  }

  /** A server reports what it has done for a circle. */
  handleReport({ disk, process }: Server, { circle }: Report): void {
    const name = nameOf(circle);
    const known = this.#reports.get(name) ?? new Map();
    if (known.has(disk.id)) return;
    // Of itself, and of those that it suspects, it may have learned only after it made the report.
    const members = process?.members.filter((member) =>
      member.id !== disk.id && isLive(member) && member.status !== "suspect"
    );
    this.#reports.set(name, new Map([...known, [disk.id, members ?? []]]));
  }

  /** A GET or a DELETE is answered with 404: all members that are held live have looked. */
  assertAllLooked({ disk, name }: Server, { ask, askedAt, knew, process }: Answering): void {
    // A tombstone of its own is answer enough to a GET.
    const isKnown = knew.stamp !== undefined || disk.look(ask.item) !== undefined;
    if (ask.type === "GET" && isKnown) return;
    const others = process.members.filter((member) => member.id !== disk.id && isLive(member));
    const unasked = others.find(({ id }) =>
      (this.#looks.get(`${id} ${ask.item}`) ?? -Infinity) < askedAt
    );
    assertCheck(
      unasked === undefined,
      "reads",
      () =>
        `${name} says that there is no "${ask.item}", and ` +
        `${this.#world.trace.nameOf(unasked?.id ?? "")} was not asked`,
    );
  }

  /** A write is acknowledged: its creator knows all of whom those knew whom it counts on. */
  assertAllHeard(
    { name, disk }: Server,
    { answering: { answer, process }, believed }: {
      answering: Answering;
      believed: readonly Disk[];
    },
  ): void {
    const reports = this.#reports.get(this.#circles.get(answer.stamp ?? "") ?? "");
    const own = new Map(process.members.map((member) => [member.id, member]));
    for (const reporter of believed) {
      const unknown = reports?.get(reporter.id)?.find((member) => {
        const known = own.get(member.id);
        return member.id !== disk.id && (known === undefined || compareMember(known, member) < 0);
      });
      assertCheck(
        unknown === undefined,
        "durable",
        () =>
          `${name} acknowledged "${answer.item}" and did not know of ` +
          `${this.#world.trace.nameOf(unknown?.id ?? "")}, of whom ` +
          `${this.#world.trace.nameOf(reporter.id)} knew when it reported`,
      );
    }
  }
}

function nameOf({ creator, boot, sequence }: CircleName): string {
  return `${creator} ${boot} ${sequence}`;
}
