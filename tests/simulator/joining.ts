/** How servers come into a simulated ring: as it forms, and later. */
import type { Random } from "./random.ts";
import type { Scenario } from "./scenario.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** How long after it found nobody a server is started again, in milliseconds. */
const retryMs = 1_000;
/** How often the next of a sequence of servers looks whether the one before is in, milliseconds. */
const pollMs = 100;

/** A server that is not in yet. */
export interface Newcomer {
  readonly server: Server;
  /** After one of these it is inserted the first time. */
  readonly before: readonly Server[];
  readonly random: Random;
  /** When it stops trying. */
  readonly until: number;
}

/** Adds the servers of a scenario and starts them, each after some server before it. */
export function form(world: World, { servers, forming, until }: Scenario): void {
  const random = world.random.fork("forming");
  for (let index = 0; index < servers; index++) {
    const server = world.addServer();
    if (index === 0) {
      server.start();
      continue;
    }
    const before = world.servers.slice(0, index);
    const start = () => join(world, { server, before, random, until });
    if (forming === "at once") world.schedule(random.integer(200), start);
    else if (forming === "scattered") world.schedule(random.integer(until / 2), start);
    else startInTurn(world, { servers: before, start, until });
  }
}

/** Starts a server when all before it are in. */
function startInTurn(
  world: World,
  turn: { servers: readonly Server[]; start: () => void; until: number },
): void {
  const isTurn = turn.servers.every(({ process }) => process?.isAlive === true);
  if (isTurn) return turn.start();
  if (world.now < turn.until) world.schedule(pollMs, () => startInTurn(world, turn));
}

/** Starts a server after one of those before it, and again when it stopped because none answered. */
export function join(world: World, newcomer: Newcomer): void {
  const { server, before, random, until } = newcomer;
  const candidates = server.lives === 0 ? before : world.established;
  const previous = random.pick(candidates.filter((each) => each !== server))?.address;
  if (world.now >= until) return;
  if (previous === undefined) return world.schedule(retryMs, () => join(world, newcomer));
  server.start({ previous });
  const { process } = server;
  const retry = () => {
    if (server.process !== process) return;
    if (process?.endedAs === "noPrevious") join(world, newcomer);
    else if (process?.state === "running" && !process.isAlive) world.schedule(retryMs, retry);
  };
  world.schedule(retryMs, retry);
}
