/**
 * How soon the survivors must know that servers are gone. Judged only where the promise holds: on a
 * network that works, in a ring whose servers agree, and with no other fault meanwhile.
 */
import { isLive, type MemberId } from "../../lib/ring/member.ts";
import { assertCheck } from "./failure.ts";
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
  const harmedAt = world.now;
  world.schedule(withinMs, () => {
    if (world.disturbedAt > harmedAt) return;
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

/** Whether all servers are alive and nothing has happened for a while. */
function isOrderly(world: World, servers: readonly Server[]): boolean {
  const { quality, previouslyDisturbedAt, now } = world;
  if (quality.breakChance > 0 || quality.delayMsMax > delayMsMax) return false;
  if (quality.slowChance > 0 || now - previouslyDisturbedAt < calmMs) return false;
  const all = new Set(servers.map(({ disk }) => disk.id));
  return servers.every(({ process }) => {
    const live = process?.members.filter(isLive).map(({ id }) => id) ?? [];
    return process?.isAlive === true && isSameSet(all, live);
  });
}

function isSameSet(all: ReadonlySet<MemberId>, ids: readonly MemberId[]): boolean {
  return ids.length === all.size && ids.every((id) => all.has(id));
}
