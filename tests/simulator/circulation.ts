/**
 * How messages go round: each attempt with few of them, and not back before everybody was tried who may
 * be reached.
 */
import { isLive } from "../../lib/ring/member.ts";
import type { Circle, Forward, Update } from "../../lib/ring/message.ts";
import { assertCheck } from "./failure.ts";
import { isGood } from "./deadline.ts";
import type { Process } from "./process.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** How often, at most, one attempt of a circle goes from one server to another: tries, and detours. */
const sendsPerPairMax = 4;
/** The same to one server, from all, while nothing is harmed: the hop, and the way back. */
const calmSendsPerMemberMax = 3;

interface CircleCount {
  sends: number;
  attempt: number;
}

/** Watches the circles of a world. */
export class Circulation {
  readonly #world: World;
  readonly #counts = new Map<string, CircleCount>();
  /** The number of the last hop that each process made. */
  readonly #lastHops = new Map<Process, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A server passes a circle on, for the first time or again. */
  handleHop(server: Server, message: Update | Forward): void {
    this.#count(message.circle);
    const { process } = server;
    if (process === undefined || message.hop <= (this.#lastHops.get(process) ?? 0)) return;
    this.#lastHops.set(process, message.hop);
    this.#assertAllTried(server, message);
  }

  #count({ creator, boot, sequence, attempt }: Circle): void {
    const key = `${creator} ${boot} ${sequence}`;
    const count = this.#counts.get(key) ?? { sends: 0, attempt };
    if (attempt > count.attempt) this.#world.statistics.countSituation("a circle is sent again");
    count.sends++;
    count.attempt = Math.max(count.attempt, attempt);
    this.#counts.set(key, count);
    const most = (count.attempt + 1) * this.#sendsMax();
    assertCheck(
      count.sends <= most,
      "circles",
      () =>
        `Circle ${this.#world.trace.nameOf(creator)}/${sequence} took more than ${most} messages`,
    );
  }

  /** How many messages one attempt of a circle may take; hops that time out fork it. */
  #sendsMax(): number {
    const { servers, quality, isCalm } = this.#world;
    const isSteady = isCalm && isGood(quality);
    return servers.length * (isSteady ? calmSendsPerMemberMax : servers.length * sendsPerPairMax);
  }

  /** Who passes a circle back has tried those whom one other alone has skipped: a link may be broken. */
  #assertAllTried({ name, disk, process }: Server, { to, circle }: Update | Forward): void {
    const { creator, visited } = circle;
    const skips = visited.filter(({ deed }) => deed === "skipped");
    // Who is given a circle to bring it back, as another could not, does just that.
    const isErrand = skips.some(({ id }) => id === creator);
    if (to !== creator || isErrand) return;
    const untried = process?.members.filter(isLive).find(({ id }) => {
      const [first, ...more] = skips.filter((skip) => skip.id === id);
      return id !== disk.id && first !== undefined && more.length === 0 && first.by !== disk.id;
    });
    assertCheck(
      untried === undefined,
      "circles",
      () =>
        `${name} passes a circle back, and has not tried ` +
        `${this.#world.trace.nameOf(untried?.id ?? "")}, whom one other has skipped`,
    );
  }
}
