/**
 * A fault: what each kind is made of, and what several kinds need.
 *
 * A fault that lasts ends by itself before `until`; a server that was stopped may stay so for good.
 * But for a power cut, one server at least is left that runs and counts as a copy.
 */
import type { Address } from "../../lib/ring/address.ts";
import { join } from "./joining.ts";
import type { Random } from "./random.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** The most servers in a ring. */
export const serversMax = 7;

/** Where and until when a fault may act. */
export interface FaultContext {
  readonly world: World;
  /** The fault's own, so that it does the same whether or not others are injected. */
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

const restartChance = 0.7;
const otherAddressChance = 0.3;
const restartMsMax = 12_000;
const quickRestartChance = 0.3;
const quickRestartMsMax = 100;

/** One of the established servers, if another one is left without it. */
export function pickVictim({ world, random }: FaultContext): Server | undefined {
  const [, victim] = random.shuffle(world.established);
  return victim;
}

/** How long a fault lasts that ends by itself, in milliseconds. */
export function drawLength(
  { world, random, until }: FaultContext,
  { least, most }: { least: number; most: number },
): number {
  return Math.max(0, Math.min(random.between(least, most), until - world.now));
}

/** Starts a server again some time later, or leaves it down for good. */
export function restartPerhaps(context: FaultContext, server: Server): void {
  if (context.random.chance(restartChance)) restartLater(context, server);
}

/** Starts a server again within some seconds; returns after how many milliseconds. */
export function restartLater(context: FaultContext, server: Server): number {
  const isQuick = context.random.chance(quickRestartChance);
  const delay = drawLength(context, { least: 1, most: isQuick ? quickRestartMsMax : restartMsMax });
  context.world.schedule(delay, () => restart(context, server));
  return delay;
}

/** Starts a server that has data, where it was or elsewhere, with or without being told after whom. */
function restart({ world, random, until }: FaultContext, server: Server): void {
  if (server.isUp) return;
  // Who was in no ring yet is started as it was then: after another.
  if (server.disk.load().members.length === 0) {
    return join(world, { server, before: world.established, random, until });
  }
  const moves = random.chance(otherAddressChance);
  let previous = random.chance(0.4) ? random.pick(world.established)?.address : undefined;
  const address = moves ? newAddress(world, { random, server }) : server.address;
  if (previous === undefined && isLost(world, { server, address })) {
    previous = random.pick(world.servers.filter(({ isUp }) => isUp))?.address;
  }
  if (moves) world.statistics.countSituation("a server returns at a new address");
  else world.statistics.countSituation("a server returns at its old address");
  server.start({
    ...(previous !== undefined && { previous }),
    address,
  });
}

/**
 * Whether a server would find nobody at an address, and nobody it: all have moved since they last heard
 * of each other. No protocol can help then, so whoever starts it has to say where another is.
 */
function isLost(
  world: World,
  { server, address }: { server: Server; address: Address },
): boolean {
  const knows = (one: Server, other: Server, at: Address) =>
    one.disk.load().members.some((member) => member.id === other.disk.id && member.address === at);
  return world.servers.filter(({ isUp }) => isUp).every((other) =>
    !knows(server, other, other.address) && !knows(other, server, address)
  );
}

/** Another port, or the address of a server that is down. */
function newAddress(world: World, { random, server }: { random: Random; server: Server }): Address {
  const taken = random.pick(world.servers.filter(({ isUp }) => !isUp));
  return taken !== undefined && taken !== server && random.chance(0.3)
    ? taken.address
    : server.freeAddress();
}
