/**
 * How well a server answers that nothing hinders. Judged only where nothing has stood still so far:
 * the network was good, nobody was paused, every disk had room. Servers may have died, left and come.
 */
import type { Answering } from "./checks.ts";
import { isGood } from "./deadline.ts";
import { assertCheck } from "./failure.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** How long an answer may take, whoever dies meanwhile, in milliseconds. */
const answerMsMax = 2_500;
/** The same where one link is broken, in milliseconds: what is lost on it is sent again after a second. */
const detourMsMax = 7_000;
/** What each server adds that joins meanwhile, as it is offered the write only then, in milliseconds. */
const joinMsMax = 1_000;
/** How many syncs, one after the other, an answer may wait for. */
const syncsMax = 4;
/** How far a clock may be from all others before its server may not write, in milliseconds. */
const clockMsMax = 66_000;
/** How long a server takes, at most, to know what the clocks of some others show, in milliseconds. */
const clockNoticeMs = 10_000;

/** Throws a `SimulationFailure` if an answer is late, or no answer. */
export function assertService(world: World, server: Server, answering: Answering): void {
  const { ask, askedAt, answer, process } = answering;
  assertRefusal(world, server, answering);
  assertDetour(world, server, answering);
  if (!world.isBrisk || !isGood(world.quality)) return;
  const tookMs = world.now - askedAt;
  const { length: begun } = world.servers.filter((server) =>
    (server.process?.startedAt ?? 0) > askedAt
  );
  assertCheck(
    tookMs <= answerMsMax + begun * joinMsMax + syncsMax * world.syncMsMax,
    "service",
    () => `${server.name} took ${tookMs} ms to answer ${ask.type} "${ask.item}"`,
  );
  const hasEnough = world.minCopies === 1;
  // Of what is damaged here, the others that have it may all have died.
  const isDamaged = server.disk.damaged.has(ask.item);
  const isRefused = answer.status === 503 &&
    (!process.isAlive || !hasEnough || world.isMistimed || isDamaged);
  const isUnknown = answer.status === 504 && !hasEnough;
  assertCheck(
    answer.status < 500 || isRefused || isUnknown,
    "service",
    () => `${server.name} answered ${ask.type} "${ask.item}" with ${answer.status}`,
  );
}

/** A link that is broken one way stops no message: there are others. A body waits for it to be given up. */
function assertDetour(world: World, server: Server, { ask, askedAt, answer }: Answering): void {
  const { detourSince = Infinity, isMistimed } = world;
  if (askedAt < detourSince || isMistimed) return;
  if (ask.type === "PUT" && ask.body === undefined) return;
  world.statistics.countSituation("a server is reached by a detour");
  const tookMs = world.now - askedAt;
  assertCheck(
    answer.status < 500 && tookMs <= detourMsMax + syncsMax * world.syncMsMax,
    "service",
    () =>
      `${server.name} answered ${ask.type} "${ask.item}" with ${answer.status} after ${tookMs} ms` +
      ", when no more than one link was broken",
  );
}

/** A write is refused where too few are live, or the clock is wrong. */
function assertRefusal(world: World, server: Server, answering: Answering): void {
  const { ask, askedAt, answer, knew, process } = answering;
  if (ask.type === "GET" || answer.status === 503 || answer.status === 404) return;
  // While it is paused it learns and is asked, and does not know in which order.
  if (process.disturbedAt >= askedAt) return;
  assertCheck(
    knew.live.size >= world.minCopies,
    "refusals",
    () =>
      `${server.name} took a write when it knew ${knew.live.size} of ${world.minCopies} servers`,
  );
  assertCheck(
    Math.abs(knew.clockError) < clockMsMax || !isPlain(world, server),
    "refusals",
    () => `${server.name} took a write with a clock that was ${knew.clockError} ms off`,
  );
}

/** Whether all others' clocks are right, and a server has seen some. */
function isPlain(world: World, server: Server): boolean {
  const { process } = server;
  if (process === undefined) return false;
  if (!world.network.wasReliable || !isGood(world.quality)) return false;
  const since = world.now - clockNoticeMs;
  const others = world.servers.filter((other) => other !== server && other.isUp);
  return process.startedAt < since && process.disturbedAt < since && others.length > 0 &&
    process.members.length === world.servers.length &&
    others.every(({ process, wall: { rightSince = Infinity } }) =>
      process?.isAlive === true && process.startedAt < since && rightSince <= since
    );
}
