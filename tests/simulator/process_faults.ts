/** Faults of processes: killed, paused, asked to leave. */
import { expectGone, expectKept } from "./deadline.ts";
import {
  drawLength,
  type Fault,
  type FaultContext,
  pickVictim,
  restartLater,
  restartPerhaps,
} from "./fault.ts";
import type { Server } from "./server.ts";

/** How long the list may be wrong after a kill on a host that is up, in milliseconds. */
export const killNoticeMsMax = 2_000;
/** How long the list may be wrong after a server has stopped answering, in milliseconds. */
export const pauseNoticeMsMax = 8_000;
/** A shell gives up leaving after so long, in milliseconds, and ends. */
export const leaveMsMax = 5_000;

/** A server that does not answer for so long, in milliseconds, is not dead yet. */
const unnoticedMsMax = 3_000;
const pauseMsMin = 100;
const pauseMsMax = 30_000;
/** How many effects of a step are performed, at most, before a server dies in its middle. */
const effectsBeforeDeathMax = 6;
/** After how long a server that was to die in a step is killed anyway, in milliseconds. */
const deathMsMax = 2_500;

/** How soon a server that has begun to delete a file dies, in milliseconds: nobody else may know by then. */
const deletingMsMax = 30;
/** How often tombstones are dropped when it is back, and within how long, in milliseconds. */
const collectionsOnReturn = 4;
const collectOnReturnMsMax = 2_500;

/** How often tombstones are dropped after that, and within how long, at most, in milliseconds. */
const collectionsMax = 6;
const collectMsMax = 20_000;

/** Faults of processes, and what persons do with them. */
export const processFaults: readonly [Fault, ...Fault[]] = [
  { name: "kill one", weight: 4, inject: (context) => killSome(context, 1) },
  {
    name: "kill neighbours",
    weight: 3,
    inject: (context) => kill(context, pickNeighbours(context)),
  },
  { name: "kill all but one", weight: 2, inject: (context) => killSome(context, Infinity) },
  { name: "kill in a step", weight: 3, inject: killInStep },
  { name: "kill who deletes", weight: 3, inject: killDeleting },
  { name: "power cut", weight: 2, inject: cutPower },
  { name: "pause", weight: 4, inject: pauseOne },
  {
    name: "pause neighbours",
    weight: 2,
    inject: (context) => pause(context, pickNeighbours(context)),
  },
  { name: "leave", weight: 2, inject: (context) => leave(context, 1) },
  { name: "leave, two at once", weight: 1, inject: (context) => leave(context, 2) },
  { name: "drop tombstones", weight: 5, inject: collect },
];

function killSome(context: FaultContext, most: number): boolean {
  const servers = context.random.shuffle(context.world.established).slice(1);
  return kill(context, servers.slice(0, most));
}

/** Two that follow each other on the circle, if another server is left without them. */
function pickNeighbours({ world, random }: FaultContext): readonly Server[] {
  const servers = world.established;
  const [witness] = servers;
  if (witness?.process === undefined || servers.length < 3) return [];
  const circle = witness.process.members.flatMap(({ id }) =>
    servers.filter(({ disk }) => disk.id === id)
  );
  const at = random.integer(circle.length);
  return [...circle, ...circle].slice(at, at + 2);
}

function kill(context: FaultContext, victims: readonly Server[]): boolean {
  const { world } = context;
  if (victims.length === 0) return false;
  world.disturb({ harms: true });
  expectGone(world, { victims, withinMs: killNoticeMsMax });
  for (const victim of victims) {
    victim.process?.kill();
    restartPerhaps(context, victim);
  }
  return true;
}

/** Has a server die after a few effects of what it does next. */
function killInStep(context: FaultContext): boolean {
  const { world, random } = context;
  const victim = pickVictim(context);
  if (victim?.process === undefined) return false;
  const { process } = victim;
  world.disturb({ harms: true });
  process.kill(random.between(1, effectsBeforeDeathMax));
  world.schedule(deathMsMax, () => {
    process.kill();
    restartPerhaps(context, victim);
  });
  return true;
}

/** Has a server die while it deletes a file, and tombstones be dropped when it is back. */
function killDeleting(context: FaultContext): boolean {
  const { world, random } = context;
  const victim = pickVictim(context);
  const record = random.pick(victim?.disk.records.filter(({ deleted }) => !deleted) ?? []);
  if (victim?.process === undefined || record === undefined) return false;
  world.disturb({ harms: true });
  world.network.lag(victim.address, deletingMsMax);
  victim.process.ask({ type: "DELETE", item: record.name }, () => {});
  world.schedule(random.between(1, deletingMsMax), () => {
    world.network.lag(victim.address, 0);
    victim.process?.kill();
    const backMs = restartLater(context, victim);
    world.schedule(backMs, () => {
      collectOften(context, { times: collectionsOnReturn, withinMs: collectOnReturnMsMax });
    });
  });
  return true;
}

/** Kills all servers at once; all come back. */
function cutPower(context: FaultContext): boolean {
  const { world } = context;
  const victims = world.servers.filter(({ isUp }) => isUp);
  if (world.established.length === 0) return false;
  world.disturb({ harms: true });
  for (const victim of victims) victim.process?.kill();
  for (const victim of victims) restartLater(context, victim);
  return true;
}

function pauseOne(context: FaultContext): boolean {
  const victim = pickVictim(context);
  return victim !== undefined && pause(context, [victim]);
}

/** Stops servers as SIGSTOP does, and lets them go on later. */
function pause(context: FaultContext, victims: readonly Server[]): boolean {
  const { world, random } = context;
  if (victims.length === 0) return false;
  const processes = victims.flatMap(({ process }) => process ?? []);
  const most = random.chance(0.4) ? unnoticedMsMax : pauseMsMax;
  const length = drawLength(context, { least: pauseMsMin, most });
  world.disturb({ stalls: true });
  if (length > pauseNoticeMsMax) expectGone(world, { victims, withinMs: pauseNoticeMsMax });
  if (length <= unnoticedMsMax) expectKept(world, { forMs: length - 1 });
  for (const process of processes) process.pause();
  world.schedule(length, () => {
    if (processes.every(({ state }) => state !== "paused")) return;
    world.disturb({ stalls: true });
    for (const process of processes) process.resume();
  });
  return true;
}

/** Has a person ask for tombstones to be dropped, a few times while other things happen. */
function collect(context: FaultContext): boolean {
  const { world, random } = context;
  const server = random.pick(world.established);
  if (server === undefined) return false;
  server.process?.collect();
  collectOften(context, { times: random.integer(collectionsMax), withinMs: collectMsMax });
  return true;
}

function collectOften(
  context: FaultContext,
  { times, withinMs }: { times: number; withinMs: number },
): void {
  const { world, random } = context;
  for (let time = 0; time < times; time++) {
    const at = drawLength(context, { least: 0, most: withinMs });
    world.schedule(at, () => random.pick(world.established)?.process?.collect());
  }
}

/** Stops servers as SIGTERM does. */
function leave(context: FaultContext, count: number): boolean {
  const { world, random } = context;
  const victims = random.shuffle(world.established).slice(1, count + 1);
  if (victims.length < count) return false;
  world.disturb({ harms: true });
  for (const victim of victims) {
    const { process } = victim;
    process?.leave();
    world.schedule(leaveMsMax, () => {
      process?.kill();
      restartPerhaps(context, victim);
    });
  }
  return true;
}
