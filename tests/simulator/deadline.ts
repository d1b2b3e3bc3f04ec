/**
 * How soon the survivors must know that servers are gone, and a ring that was cut be one. Judged only
 * where the promise holds: on a network that works, in a ring whose servers agree, and with no other
 * fault meanwhile.
 */
import { isLive, type MemberId } from "../../lib/ring/member.ts";
import { assertCheck } from "./failure.ts";
import type { NetworkQuality } from "./network.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** The slowest network, in milliseconds for a message, on which deadlines hold. */
const delayMsMax = 60;
/** How long the ring must have been undisturbed before, in milliseconds. */
const calmMs = 5_000;

/** Call it when the victims are harmed; it looks again when the time is over. */
export function expectGone(
  world: World,
  { victims, withinMs }: { victims: readonly Server[]; withinMs: number },
): void {
  const survivors = world.servers.filter((server) => server.isUp && !victims.includes(server));
  const gone = new Set(victims.map(({ disk }) => disk.id));
  const staying = new Set(survivors.map(({ disk }) => disk.id));
  if (!isOrderly(world, [...survivors, ...victims])) return;
  const { disturbances } = world;
  world.schedule(withinMs, () => {
    if (world.disturbances > disturbances) return;
    for (const survivor of survivors) {
      const seen = survivor.process?.members ?? [];
      const wrong = seen.find((member) =>
        isLive(member) ? gone.has(member.id) : staying.has(member.id)
      );
      assertCheck(
        wrong === undefined,
        "deadlines",
        () =>
          `${survivor.name} says ${withinMs} ms after ${victims.map(({ name }) => name)} stopped` +
          ` that ${world.trace.nameOf(wrong?.id ?? "")} is ${wrong?.status}`,
      );
    }
    world.statistics.countSituation("a dead server is taken off the circle");
  });
}

/** How long, in times that a message is sent again, a server holds on to a connection that is stuck. */
const resendsMax = 4;
/** How often it is looked whether somebody is held dead who is not, in milliseconds. */
const keptLookMs = 500;
/** How soon after a partition has healed all lists must be one, in milliseconds. */
const mergeMsMax = 10_000;

/** Call it when a partition heals; it looks again when the time is over. */
export function expectMerged(world: World): void {
  // Who is still looking for the ring may find it by then, or give up.
  const isInside = ({ running }: Server) => running !== undefined && running.members.length > 0;
  const servers = world.servers.filter(isInside);
  const { previouslyDisturbedAt, now } = world;
  const isUndisturbed = now - previouslyDisturbedAt >= calmMs;
  if (!isPrompt(world) || !isUndisturbed) return;
  const { disturbances } = world;
  world.schedule(mergeMsMax, () => {
    if (world.disturbances > disturbances) return;
    const all = new Set(world.servers.filter(isInside).map(({ disk }) => disk.id));
    for (const { name, process } of servers) {
      const live = process?.members.filter(isLive).map(({ id }) => id) ?? [];
      assertCheck(
        isSameSet(all, live),
        "deadlines",
        () => `${name} holds ${live.length} of ${all.size} live ${mergeMsMax} ms after a partition`,
      );
    }
    world.statistics.countSituation("a partition heals in time");
  });
}

/** Call it when something begins of which nobody may be held dead, however long it lasts. */
export function expectKept(world: World, { forMs }: { forMs: number }): void {
  const servers = world.servers.filter(({ isUp }) => isUp);
  if (!isOrderly(world, servers)) return;
  const { disturbances } = world;
  const until = world.now + forMs;
  const look = () => {
    if (world.disturbances > disturbances) return;
    assertNobodyGone(world, servers);
    if (world.now >= until) world.statistics.countSituation("a server is given time");
    else world.schedule(Math.min(keptLookMs, until - world.now), look);
  };
  look();
}

function assertNobodyGone(world: World, servers: readonly Server[]): void {
  for (const { name, process } of servers) {
    const gone = process?.members.find((member) =>
      !isLive(member) && servers.some(({ disk }) => disk.id === member.id)
    );
    assertCheck(
      gone === undefined,
      "deadlines",
      () => `${name} gave up ${world.trace.nameOf(gone?.id ?? "")} too soon`,
    );
  }
}

/** Call it when one link between two of several servers fails one way: all must be served meanwhile. */
export function expectDetours(world: World): void {
  const servers = world.servers.filter(({ isUp }) => isUp);
  const isEnough = servers.length >= world.minCopies && servers.every(({ disk }) => !disk.isFull);
  if (isEnough && isOrderly(world, servers)) world.detourSince = world.now;
}

/** Whether all servers are alive, no link is cut, and nothing has happened for a while. */
function isOrderly(world: World, servers: readonly Server[]): boolean {
  if (world.network.isCut || !isPrompt(world) || world.now - world.previouslyDisturbedAt < calmMs) {
    return false;
  }
  const all = new Set(servers.map(({ disk }) => disk.id));
  return servers.every(({ process }) => {
    const live = process?.members.filter(isLive).map(({ id }) => id) ?? [];
    return process?.isAlive === true && isSameSet(all, live);
  });
}

/** Whether deadlines hold: the network is good, and nothing is stuck in a cut, or in one that is over. */
function isPrompt({ network, quality }: World): boolean {
  return isGood(quality) && !network.isCut &&
    (network.wasReliable || quality.resends <= resendsMax);
}

/** Whether nothing is late or lost on a network by chance. */
export function isGood(
  { breakChance, lossChance, slowChance, ...quality }: NetworkQuality,
): boolean {
  return breakChance + lossChance + slowChance === 0 && quality.delayMsMax <= delayMsMax;
}

function isSameSet(all: ReadonlySet<MemberId>, ids: readonly MemberId[]): boolean {
  return ids.length === all.size && ids.every((id) => all.has(id));
}
