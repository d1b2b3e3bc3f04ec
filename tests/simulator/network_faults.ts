/** Faults of the network that begin and end: partitions, one-way links, slow hosts. */
import { isLive } from "../../lib/ring/member.ts";
import { readAll } from "./client.ts";
import { expectDetours, expectKept, expectMerged } from "./deadline.ts";
import { drawLength, type Fault, type FaultContext, pickVictim } from "./fault.ts";
import type { Server } from "./server.ts";

const cutMsMin = 500;
const cutMsMax = 20_000;
/** How long after a cut has healed all files are read everywhere, in milliseconds. */
const readAfterMs = [600, 1_000, 1_500];
const lagMsMin = 50;
const lagMsMax = 1_000;
/** How often a link is cut, each way by itself, in a random partition. */
const randomCutChance = 0.3;
/** How often a link that fails one way is one between neighbours: nothing goes round without it. */
const neighbourChance = 0.5;

/** Two servers, of which the first cannot reach the second. */
type Pair = readonly [Server, Server];

/** Faults of the network. */
export const networkFaults: readonly [Fault, ...Fault[]] = [
  { name: "partition: two halves", weight: 4, inject: (context) => cut(context, halves) },
  { name: "partition: one alone", weight: 3, inject: (context) => cut(context, alone) },
  { name: "partition: random", weight: 2, inject: (context) => cut(context, someLinks) },
  { name: "one-way link", weight: 5, inject: (context) => cut(context, oneWay) },
  { name: "one heard by nobody", weight: 2, inject: (context) => cut(context, mute) },
  { name: "one that hears nobody", weight: 2, inject: (context) => cut(context, deaf) },
  { name: "slow host", weight: 2, inject: slow },
];

/** Cuts links for a while. */
function cut(
  context: FaultContext,
  choose: (context: FaultContext, servers: readonly Server[]) => readonly Pair[],
): boolean {
  const { world, random } = context;
  const servers = random.shuffle(world.servers.filter(({ isUp }) => isUp));
  // A server keeps its host, wherever it goes on.
  const pairs = choose(context, servers).map(([a, b]) => [a.address, b.address] as const);
  if (pairs.length === 0 || world.established.length === 0) return false;
  const length = drawLength(context, { least: cutMsMin, most: cutMsMax });
  world.disturb({ stalls: true });
  if (pairs.length === 1 && servers.length > 2) {
    expectDetours(world);
    // A third server vouches for one that a single server cannot reach.
    expectKept(world, { forMs: length - 1 });
  }
  for (const [from, to] of pairs) world.network.cut(from, to);
  world.schedule(length, () => {
    world.disturb({ stalls: true });
    for (const [from, to] of pairs) world.network.heal(from, to);
    expectMerged(world);
    for (const afterMs of readAfterMs) {
      world.schedule(afterMs, () => readAll(world, `h${world.now}`));
    }
  });
  return true;
}

function halves({ random }: FaultContext, servers: readonly Server[]): readonly Pair[] {
  if (servers.length < 2) return [];
  const size = random.between(1, servers.length - 1);
  return between(servers.slice(0, size), servers.slice(size));
}

function alone(_context: FaultContext, [one, ...others]: readonly Server[]): readonly Pair[] {
  return one === undefined ? [] : between([one], others);
}

function someLinks({ random }: FaultContext, servers: readonly Server[]): readonly Pair[] {
  return allPairs(servers).filter(() => random.chance(randomCutChance));
}

function oneWay({ random }: FaultContext, servers: readonly Server[]): readonly Pair[] {
  const [from, other] = servers;
  if (from === undefined || other === undefined) return [];
  const to = random.chance(neighbourChance) ? successorOf(from, servers) ?? other : other;
  return [[from, to]];
}

/** The one of these servers that another passes messages to. */
function successorOf({ process }: Server, servers: readonly Server[]): Server | undefined {
  const [, successor] = process?.members.filter(isLive) ?? [];
  return servers.find(({ disk }) => disk.id === successor?.id);
}

function mute(_context: FaultContext, [one, ...others]: readonly Server[]): readonly Pair[] {
  return one === undefined ? [] : others.map((other) => [one, other]);
}

function deaf(_context: FaultContext, [one, ...others]: readonly Server[]): readonly Pair[] {
  return one === undefined ? [] : others.map((other) => [other, one]);
}

/** Both ways between two groups. */
function between(ours: readonly Server[], theirs: readonly Server[]): readonly Pair[] {
  return ours.flatMap((a) => theirs.flatMap((b): readonly Pair[] => [[a, b], [b, a]]));
}

function allPairs(servers: readonly Server[]): readonly Pair[] {
  return servers.flatMap((a) => servers.filter((b) => b !== a).map((b): Pair => [a, b]));
}

/** Has all that one host sends and receives take longer for a while. */
function slow(context: FaultContext): boolean {
  const { world, random } = context;
  const victim = pickVictim(context);
  if (victim === undefined) return false;
  const { address } = victim;
  world.disturb({ stalls: true });
  world.network.lag(address, random.between(lagMsMin, lagMsMax));
  world.schedule(drawLength(context, { least: cutMsMin, most: cutMsMax }), () => {
    world.disturb({ stalls: true });
    world.network.lag(address, 0);
  });
  return true;
}
