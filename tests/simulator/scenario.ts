/** What one seed plays: how many servers and clients, on what network, and which faults when. */
import { type Fault, faults } from "./faults.ts";
import type { NetworkQuality } from "./network.ts";
import type { Random } from "./random.ts";

/** How servers come together: one after the other, all at once, or scattered over the time. */
export type Forming = "sequence" | "at once" | "scattered";

/** A fault at its time. */
export interface PlannedFault {
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
  readonly faults: readonly PlannedFault[];
  /** When clients stop, and all faults have ended. */
  readonly until: number;
}

const serversMax = 7;
const clientsMax = 4;
const itemsMax = 4;
const faultsMax = 4;
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
    faults: drawFaults(random, until),
    until,
  };
}

function drawItems(random: Random): string[] {
  const items: string[] = [];
  const count = random.between(1, itemsMax);
  for (let item = 0; item < count; item++) items.push(`file-${item}.html`);
  return items;
}

function drawQuality(random: Random): NetworkQuality {
  const delayMsMin = random.between(0, 5);
  const isSlow = random.chance(0.2);
  return {
    delayMsMin,
    delayMsMax: delayMsMin + random.between(1, isSlow ? 200 : 20),
    slowChance: random.chance(0.3) ? 0.02 : 0,
    breakChance: random.chance(0.3) ? random.between(1, 50) / 1000 : 0,
    repeatChance: random.chance(0.2) ? random.between(1, 50) / 100 : 0,
    tellsIdleBreaks: random.chance(0.5),
  };
}

function drawFaults(random: Random, until: number): PlannedFault[] {
  const planned: PlannedFault[] = [];
  const count = random.chance(0.25) ? 0 : random.between(1, faultsMax);
  for (let index = 0; index < count; index++) {
    const at = random.between(faultsFrom, until - 1_000);
    planned.push({ at, fault: random.weighted(faults) });
  }
  return planned;
}
