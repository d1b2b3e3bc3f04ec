/** Newcomers, while everything else goes on. */
import { type Fault, type FaultContext, restartPerhaps, serversMax } from "./fault.ts";
import { join } from "./joining.ts";

/** After how long, at most, the server before a newcomer dies, in milliseconds: as it gives it all it has. */
const sourceLifeMsMax = 200;

/** Newcomers, one or two at the same time. */
export const joinFaults: readonly [Fault, ...Fault[]] = [
  { name: "join", weight: 2, inject: (context) => addServers(context, 1) },
  { name: "join, two at once", weight: 2, inject: (context) => addServers(context, 2) },
  { name: "join, and the one before dies", weight: 2, inject: addAfterDying },
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

/** Has the server die that a newcomer is inserted after, and so pulls from, if another is left. */
function addAfterDying(context: FaultContext): boolean {
  const { world, random, until } = context;
  const [, before] = random.shuffle(world.established);
  if (before === undefined || world.servers.length >= serversMax) return false;
  world.disturb({ harms: true });
  join(world, { server: world.addServer(), before: [before], random, until });
  world.schedule(random.between(1, sourceLifeMsMax), () => {
    world.disturb({ harms: true });
    before.process?.kill();
    restartPerhaps(context, before);
  });
  return true;
}
