/** What one seed plays: how many servers and clients, on what network, and which faults when. */
import { type Fault, serversMax } from "./fault.ts";
import { faults } from "./faults.ts";
import type { NetworkQuality } from "./network.ts";
import type { Random } from "./random.ts";

/** How servers come together: one after the other, all at once, or scattered over the time. */
export type Forming = "sequence" | "at once" | "scattered";

/** A fault at its time. */
export interface PlannedFault {
  /** Its place among the faults of its seed, from 0. */
  readonly number: number;
  readonly at: number;
  readonly fault: Fault;
}

/** What one seed plays. Times are virtual milliseconds from the beginning. */
export interface Scenario {
  readonly servers: number;
  readonly forming: Forming;
  readonly clients: number;
  readonly items: readonly string[];
  readonly quality: NetworkQuality;
  readonly skewMsMax: number;
  /** How long a sync of a disk takes, at most. */
  readonly syncMsMax: number;
  /** How many servers must have a write before it is acknowledged. */
  readonly minCopies: number;
  /** In the order of their times. */
  readonly faults: readonly PlannedFault[];
  /** When clients stop, and all faults have ended. */
  readonly until: number;
  /** When a person has tombstones dropped. */
  readonly collections: readonly number[];
}

const syncMsMax = 12;
const slowSyncMsMax = 400;
const minCopiesMax = 4;
const clientsMax = 4;
const itemsMax = 4;
/** How often a lost message is sent again before a connection breaks: up to 3, or 25, seconds. */
const resendsMin = 4;
const resendsMax = 7;
const faultsMax = 7;
/** How often a person has tombstones dropped all the time, whatever else goes on. */
const collectingChance = 0.3;
/** How long passes between two times, on average, in milliseconds. */
const collectMsMin = 300;
const collectMsMax = 4_000;
/** Faults begin when a small ring has formed. */
const faultsFrom = 6_000;
const untilMin = 14_000;
const untilMax = 40_000;

/** Draws a scenario. */
export function drawScenario(random: Random): Scenario {
  const until = random.between(untilMin, untilMax);
  return {
    servers: random.between(1, serversMax),
    forming: random.pick<Forming>(["sequence", "at once", "scattered"]) ?? "sequence",
    clients: random.between(1, clientsMax),
    items: drawItems(random),
    quality: drawQuality(random),
    skewMsMax: random.chance(0.5) ? 0 : random.between(1, 5_000),
    syncMsMax: random.chance(0.75) ? syncMsMax : random.between(syncMsMax, slowSyncMsMax),
    minCopies: random.chance(0.7) ? 1 : random.between(1, minCopiesMax),
    faults: drawFaults(random, until),
    until,
    collections: random.chance(collectingChance) ? drawCollections(random, until) : [],
  };
}

function drawCollections(random: Random, until: number): number[] {
  const count = Math.ceil(until / random.between(collectMsMin, collectMsMax));
  return Array.from({ length: count }, () => random.integer(until));
}

function drawItems(random: Random): string[] {
  const items: string[] = [];
  const count = random.between(1, itemsMax);
  for (let item = 0; item < count; item++) items.push(`file-${item}.html`);
  return items;
}

function drawQuality(random: Random): NetworkQuality {
  const delayMsMin = random.between(0, 5);
  const isGood = random.chance(0.4);
  const isSlow = !isGood && random.chance(0.3);
  return {
    delayMsMin,
    delayMsMax: delayMsMin + random.between(1, isSlow ? 200 : 20),
    slowChance: !isGood && random.chance(0.4) ? 0.02 : 0,
    lossChance: !isGood && random.chance(0.4) ? random.between(1, 30) / 100 : 0,
    breakChance: !isGood && random.chance(0.4) ? random.between(1, 50) / 1000 : 0,
    repeatChance: random.chance(0.2) ? random.between(1, 50) / 100 : 0,
    resends: isGood ? resendsMin : random.between(resendsMin, resendsMax),
    tellsIdleBreaks: random.chance(0.5),
  };
}

/** Often one fault alone: what a ring does about it in what time is judged only then. */
function drawCount(random: Random): number {
  const chance = random.integer(100);
  if (chance < 15) return 0;
  return chance < 50 ? 1 : random.between(2, faultsMax);
}

function drawFaults(random: Random, until: number): PlannedFault[] {
  const count = drawCount(random);
  const times = Array.from({ length: count }, () => random.between(faultsFrom, until - 1_000));
  return times.sort((a, b) => a - b)
    .map((at, number) => ({ number, at, fault: random.weighted(faults) }));
}
