/**
 * Plays one seed: forms a ring, lets clients work and faults happen, waits until the ring has
 * settled, and checks all along and at the end.
 */
import { Node, type NodeOptions } from "../../lib/ring/node.ts";
import { Client, readAll } from "./client.ts";
import { SimulationFailure } from "./failure.ts";
import { assertSettled } from "./final_checks.ts";
import { form } from "./joining.ts";
import type { Core } from "./core.ts";
import { Random } from "./random.ts";
import { drawScenario, type PlannedFault, type Scenario } from "./scenario.ts";
import type { Server } from "./server.ts";
import type { Statistics } from "./statistics.ts";
import { Trace } from "./trace.ts";
import { World } from "./world.ts";

/** How long the ring has to settle when all faults have ended, in milliseconds. */
export const settleMs = 60_000;
/** For how long, at the end of that, nothing but CHECKs may be sent, in milliseconds. */
const quietMs = 10_000;
/** How long the last reading of all files may take, in milliseconds. */
const readingMs = 5_000;
/** How long after the last fault servers that lost each other are told where to go, milliseconds. */
const strayMs = 100;

/** How often all servers look for what is damaged when all faults have ended, in milliseconds. */
const scrubMs = 10_000;

/** How to play a seed. */
export interface SimulationOptions {
  /** What to drive; the production `Node` unless given. */
  readonly createCore?: (options: NodeOptions) => Core;
  /** Which of the seed's faults to inject, by their numbers; all unless given. */
  readonly faults?: readonly number[];
  /** Is given every line of the trace. */
  readonly onLine?: (line: string) => void;
}

/** How a seed went. */
export interface SimulationResult {
  readonly seed: number;
  /** What did not hold; absent when all did. */
  readonly failure?: SimulationFailure;
  /** Two runs of a seed have the same. */
  readonly hash: string;
  /** The last lines of the trace. */
  readonly lines: readonly string[];
  readonly statistics: Statistics;
  readonly events: number;
  /** The faults that were to be injected, in the order of their times. */
  readonly faults: readonly PlannedFault[];
}

/** Plays one seed; a check that fails is in the result, any other error is thrown. */
export function simulate(
  seed: number,
  { createCore = createNode, faults, onLine }: SimulationOptions = {},
): SimulationResult {
  const random = new Random(String(seed));
  const scenario = keepFaults(drawScenario(random.fork("scenario")), faults);
  const trace = new Trace(onLine);
  const { quality, skewMsMax, syncMsMax, minCopies, items } = scenario;
  const world = new World({
    seed: String(seed),
    trace,
    quality,
    skewMsMax,
    syncMsMax,
    minCopies,
    items,
    createCore,
  });
  const failure = play(world, scenario);
  const { statistics, events } = world;
  if (failure !== undefined) trace.line(world.now, "!", `${failure.check}: ${failure.message}`);
  const { hash, last: lines } = trace;
  const result = { seed, hash, lines, statistics, events, faults: scenario.faults };
  return failure === undefined ? result : { ...result, failure };
}

function keepFaults(scenario: Scenario, kept: readonly number[] | undefined): Scenario {
  if (kept === undefined) return scenario;
  return { ...scenario, faults: scenario.faults.filter(({ number }) => kept.includes(number)) };
}

function createNode(options: NodeOptions): Core {
  return new Node(options);
}

function play(world: World, scenario: Scenario): SimulationFailure | undefined {
  try {
    form(world, scenario);
    startClients(world, scenario);
    planFaults(world, scenario);
    planCollections(world, scenario);
    world.schedule(scenario.until, () => world.mend());
    world.schedule(scenario.until + strayMs, () => bringStraysBack(world));
    for (let at = scrubMs; at < settleMs - quietMs; at += scrubMs) {
      world.schedule(scenario.until + at, () => scrubAll(world));
    }
    world.checks.quietFrom = scenario.until + settleMs - quietMs;
    world.runUntil(scenario.until + settleMs);
    assertSettled(world);
    assertReadable(world);
    return undefined;
  } catch (error) {
    if (error instanceof SimulationFailure) return error;
    throw error;
  }
}

function scrubAll(world: World): void {
  for (const { process } of world.servers) process?.scrub();
}

function startClients(world: World, { clients, items, until }: Scenario): void {
  for (let index = 1; index <= clients; index++) {
    const name = `c${index}`;
    const random = world.random.fork(`client ${name}`);
    const client = new Client(world, { name, random, items, until });
    world.clients.push(client);
    client.start();
  }
}

function planFaults(world: World, { faults, until }: Scenario): void {
  for (const { number, at, fault } of faults) {
    const context = { world, random: world.random.fork(`fault ${number}`), until };
    world.schedule(at, () => {
      world.trace.line(world.now, "!", fault.name);
      if (fault.inject(context)) world.statistics.countFault(fault.name);
    });
  }
}

/** Has tombstones dropped at servers that count as copies. */
function planCollections(world: World, { collections }: Scenario): void {
  const random = world.random.fork("collections");
  for (const at of collections) {
    world.schedule(at, () => random.pick(world.established)?.process?.collect());
  }
}

/**
 * Starts again, after one that it is told, each server that knows the address of no other and that no
 * other looks for. All moved at once, or it left and those it knew are gone: only an operator can tell.
 */
function bringStraysBack(world: World): void {
  const [first, ...rest] = world.servers.filter(({ running }) => running !== undefined);
  if (first === undefined) return;
  const found = [first];
  for (const server of found) {
    found.push(...rest.filter((each) => isNew(each) && knows(each, server)));
  }
  for (const stray of rest.filter(isNew)) {
    world.statistics.countSituation("a server is told where the others went");
    stray.process?.kill();
    stray.start({ previous: first.address });
  }

  function isNew(server: Server): boolean {
    return !found.includes(server);
  }
}

/** Whether one of the two knows where the other is, and looks for it. */
function knows(a: Server, b: Server): boolean {
  return isListed(a, b) || isListed(b, a);
}

function isListed(server: Server, by: Server): boolean {
  const { id } = server.disk;
  const member = by.process?.members.find((member) => member.id === id);
  return member?.address === server.address;
}

/** Reads every file at every server. */
function assertReadable(world: World): void {
  world.checks.quietFrom = Infinity;
  const reader = readAll(world, "end");
  world.runUntil(world.now + readingMs);
  for (const { answer, ask, server } of reader.operations) {
    const isAnswered = typeof answer === "object" &&
      (answer.status === 200 || answer.status === 404);
    if (isAnswered || world.isBodyLost) continue;
    const heard = typeof answer === "object" ? answer.status : answer ?? "nothing";
    const message = `At the end ${server} answered GET "${ask.item}" with ${heard}`;
    throw new SimulationFailure("reads", message);
  }
}
