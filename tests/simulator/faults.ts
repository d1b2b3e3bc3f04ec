/**
 * The faults that a simulation injects: a list of small parts, each drawn by its weight.
 *
 * A fault that lasts ends by itself before `until`; a server that was stopped may stay so for good.
 * One server at least is always left that runs and counts as a copy.
 */
import { expectGone } from "./deadline.ts";
import type { Random } from "./random.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** Where and until when a fault may act. */
export interface FaultContext {
  readonly world: World;
  readonly random: Random;
  /** When all faults must have ended, in virtual milliseconds. */
  readonly until: number;
}

/** One kind of fault. */
export interface Fault {
  readonly name: string;
  /** How often it is drawn, against the others. */
  readonly weight: number;
  /** Injects it, or returns `false` when there is nothing that it could be done to. */
  inject(context: FaultContext): boolean;
}

/** How long the list may be wrong after a kill on a host that is up, in milliseconds. */
export const killNoticeMsMax = 2_000;
/** How long the list may be wrong after a server has stopped answering, in milliseconds. */
export const pauseNoticeMsMax = 8_000;
/** A shell gives up leaving after so long, in milliseconds, and ends. */
export const leaveMsMax = 5_000;

const restartChance = 0.7;
const otherAddressChance = 0.3;
const restartMsMax = 12_000;
const pauseMsMax = 20_000;
/** How many effects of a step are performed, at most, before a server dies in its middle. */
const effectsBeforeDeathMax = 6;

/** All faults. */
export const faults: readonly [Fault, ...Fault[]] = [
  { name: "kill one", weight: 4, inject: (context) => killSome(context, 1) },
  { name: "kill neighbours", weight: 3, inject: killNeighbours },
  { name: "kill all but one", weight: 2, inject: (context) => killSome(context, Infinity) },
  { name: "kill in a step", weight: 3, inject: killInStep },
  { name: "pause", weight: 3, inject: pause },
  { name: "leave", weight: 3, inject: leave },
];

/** The servers that run and count as copies. */
export function established(world: World): readonly Server[] {
  return world.servers.filter(({ process }) => process?.isAlive);
}

function killSome(context: FaultContext, most: number): boolean {
  const servers = context.random.shuffle(established(context.world)).slice(1);
  return kill(context, servers.slice(0, most));
}

/** Kills two that follow each other on the circle. */
function killNeighbours(context: FaultContext): boolean {
  const { world, random } = context;
  const servers = established(world);
  const [witness] = servers;
  if (witness?.process === undefined || servers.length < 3) return false;
  const circle = witness.process.members.flatMap(({ id }) =>
    servers.filter(({ disk }) => disk.id === id)
  );
  const at = random.integer(circle.length);
  return kill(context, [...circle, ...circle].slice(at, at + 2));
}

function kill(context: FaultContext, victims: readonly Server[]): boolean {
  const { world } = context;
  if (victims.length === 0) return false;
  world.disturb({ harms: true });
  expectGone(world, { victims, withinMs: killNoticeMsMax });
  for (const victim of victims) {
    victim.process?.kill();
    restartLater(context, victim);
  }
  return true;
}

/** Has a server die after a few effects of what it does next. */
function killInStep(context: FaultContext): boolean {
  const { world, random } = context;
  const [, victim] = random.shuffle(established(world));
  if (victim?.process === undefined) return false;
  const { process } = victim;
  world.disturb({ harms: true });
  process.kill(random.between(1, effectsBeforeDeathMax));
  world.schedule(2_500, () => {
    process.kill();
    restartLater(context, victim);
  });
  return true;
}

function restartLater(context: FaultContext, server: Server): void {
  const { world, random, until } = context;
  if (!random.chance(restartChance)) return;
  const delay = random.between(10, restartMsMax);
  world.schedule(Math.max(0, Math.min(delay, until - world.now)), () => restart(context, server));
}

/** Starts a server that has data, where it was or elsewhere, with or without being told after whom. */
function restart({ world, random }: FaultContext, server: Server): void {
  if (server.isUp) return;
  const moves = random.chance(otherAddressChance);
  const previous = random.chance(0.4) ? random.pick(established(world))?.address : undefined;
  if (moves) world.statistics.countSituation("a server returns at a new address");
  else world.statistics.countSituation("a server returns at its old address");
  server.start({
    ...(previous !== undefined && { previous }),
    ...(moves && { address: newAddress(world, { random, server }) }),
  });
}

/** Another port, or the address of a server that is down. */
function newAddress(
  world: World,
  { random, server }: { random: Random; server: Server },
): string {
  const taken = random.pick(world.servers.filter(({ isUp }) => !isUp));
  return taken !== undefined && taken !== server && random.chance(0.3)
    ? taken.address
    : server.freeAddress();
}

/** Stops a server as SIGSTOP does, and lets it go on later. */
function pause({ world, random, until }: FaultContext): boolean {
  const [, victim] = random.shuffle(established(world));
  if (victim?.process === undefined) return false;
  const { process } = victim;
  const length = Math.min(random.between(100, pauseMsMax), until - world.now);
  world.disturb({ harms: true });
  if (length > pauseNoticeMsMax) {
    expectGone(world, { victims: [victim], withinMs: pauseNoticeMsMax });
  }
  process.pause();
  world.schedule(length, () => {
    if (process.state !== "paused") return;
    world.disturb({ harms: true });
    process.resume();
  });
  return true;
}

/** Stops a server as SIGTERM does. */
function leave(context: FaultContext): boolean {
  const { world, random } = context;
  const [, victim] = random.shuffle(established(world));
  if (victim?.process === undefined) return false;
  const { process } = victim;
  world.disturb({ harms: true });
  process.leave();
  world.schedule(leaveMsMax, () => {
    process.kill();
    restartLater(context, victim);
  });
  return true;
}
