/**
 * How servers catch up, as their COMPAREs and PAGEs show it.
 *
 * Who gives out a page knows who asked, as that says of itself: new writes go there from then on.
 * And nobody says that it is alive before it has asked all that are there, and been given everything: to
 * the last page by one that is alive itself, or by all.
 */
import { compareMember, isLive, type Member, type MemberId } from "../../lib/ring/member.ts";
import type { Compare, Page } from "../../lib/ring/message.ts";
import { assertCheck } from "./failure.ts";
import type { Process } from "./process.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** A last page that a server was given. */
type LastPage = Pick<Page, "from" | "partial">;

/** Watches who catches up with whom. */
export class Pulls {
  readonly #world: World;
  /** What the sender of each COMPARE that was heard said of itself. */
  readonly #askers = new Map<string, Member>();
  /** The last pages that a process was given since it does not count as a copy, and whom it has asked. */
  readonly #lastPages = new Map<Process, LastPage[]>();
  readonly #asked = new Map<Process, ReadonlySet<MemberId>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A server is asked for a page. */
  handleAsked({ disk }: Server, { from, sequence, member }: Compare): void {
    this.#askers.set(`${disk.id} ${from} ${sequence}`, member);
  }

  /** A server gives out a page. */
  handleGiving({ disk, name, process }: Server, { to, sequence }: Page): void {
    const asker = this.#askers.get(`${disk.id} ${to} ${sequence}`);
    const known = process?.members.find(({ id }) => id === to);
    assertCheck(
      asker === undefined || known !== undefined && compareMember(known, asker) >= 0,
      "pulls",
      () =>
        `${name} gives a page to ${this.#nameOf(to)}, and does not know that it is ` +
        `${asker?.status} at incarnation ${asker?.incarnation}, as that said`,
    );
  }

  /** A server asks for a page. */
  handleAsking({ process }: Server, { to }: Compare): void {
    if (process === undefined) return;
    this.#asked.set(process, new Set([...this.#asked.get(process) ?? [], to]));
  }

  /** A server is given a page. */
  handleGiven({ process }: Server, { from, next, partial }: Page): void {
    if (process === undefined || next !== undefined) return;
    const page = { from, ...(partial && { partial }) };
    this.#lastPages.set(process, [...this.#lastPages.get(process) ?? [], page]);
  }

  /** A server does not count as a copy any more: what it was given before does not tell what it lacks. */
  handleLapsed({ process }: Server): void {
    if (process === undefined) return;
    this.#lastPages.delete(process);
    this.#asked.delete(process);
  }

  /** A server says that it is alive, and was not before. */
  handleAlive({ process, disk, name }: Server, members: readonly Member[]): void {
    if (process === undefined) return;
    const pages = this.#lastPages.get(process) ?? [];
    const others = members.filter((member) => member.id !== disk.id && isLive(member));
    assertCheck(
      pages.some(({ partial }) => !partial) ||
        others.every(({ id }) => pages.some(({ from }) => from === id)),
      "pulls",
      () => `${name} says that it is alive, and nobody has given it everything`,
    );
    const unasked = others.find(({ id }) => !this.#asked.get(process)?.has(id));
    assertCheck(
      unasked === undefined,
      "pulls",
      () => `${name} says that it is alive, and has not asked ${this.#nameOf(unasked?.id ?? "")}`,
    );
  }

  #nameOf(id: MemberId): string {
    return this.#world.trace.nameOf(id);
  }
}
