/** Newcomers, while everything else goes on. */
import { type Fault, type FaultContext, serversMax } from "./fault.ts";
import { join } from "./joining.ts";

/** Newcomers, one or two at the same time. */
export const joinFaults: readonly [Fault, ...Fault[]] = [
  { name: "join", weight: 2, inject: (context) => addServers(context, 1) },
  { name: "join, two at once", weight: 2, inject: (context) => addServers(context, 2) },
];

function addServers({ world, random, until }: FaultContext, count: number): boolean {
  const before = world.established;
  if (before.length === 0 || world.servers.length + count > serversMax) return false;
  world.disturb();
  for (let added = 0; added < count; added++) {
    join(world, { server: world.addServer(), before, random, until });
  }
  return true;
}
