/** Plays some seeds, in this thread or in a worker, and sums up what happened. */
import { shrinkFaults } from "./shrink.ts";
import { simulate, type SimulationResult } from "./simulation.ts";
import { type Counts, Statistics } from "./statistics.ts";

/** Which seeds to play. */
export interface Batch {
  readonly seeds: readonly number[];
}

/** A seed that failed, as plain data. */
export interface FailedSeed {
  readonly seed: number;
  readonly check: string;
  readonly message: string;
  /** The faults that are needed for it to fail, and when they were injected. */
  readonly faults: readonly FailedFault[];
  /** How many faults the seed has in all. */
  readonly faultsDrawn: number;
  /** The last lines of the trace, with these faults only. */
  readonly lines: readonly string[];
}

/** One fault of a seed that failed. */
export interface FailedFault {
  readonly number: number;
  readonly name: string;
  /** In virtual milliseconds. */
  readonly at: number;
}

/** What became of a batch; it ends with the first seed that fails. */
export interface BatchResult {
  readonly counts: Counts;
  readonly played: number;
  readonly events: number;
  readonly failed?: FailedSeed;
}

/** Plays seeds until one fails; the first is played twice, and both traces must be the same. */
export function playBatch({ seeds }: Batch): BatchResult {
  const statistics = new Statistics();
  let [played, events] = [0, 0];
  for (const seed of seeds) {
    const result = simulate(seed);
    const failed = judge(seed, result, played === 0);
    statistics.add(result.statistics);
    events += result.events;
    played++;
    if (failed !== undefined) return { counts: plain(statistics), played, events, failed };
  }
  return { counts: plain(statistics), played, events };
}

function judge(seed: number, result: SimulationResult, repeats: boolean): FailedSeed | undefined {
  if (result.failure !== undefined) return describeFailure(result);
  if (!repeats || simulate(seed).hash === result.hash) return undefined;
  const message = "Two runs gave different traces: something is not drawn from the seed";
  return { seed, check: "repeatable", message, faults: [], faultsDrawn: 0, lines: [] };
}

/** Says what failed, with as few faults as will do. */
export function describeFailure(result: SimulationResult): FailedSeed | undefined {
  const { seed, failure, faults: drawn } = result;
  if (failure === undefined) return undefined;
  const numbers = drawn.map(({ number }) => number);
  const kept = shrinkFaults(
    numbers,
    (faults) => simulate(seed, { faults }).failure?.check === failure.check,
  );
  const { failure: last = failure, faults, lines } = simulate(seed, { faults: kept });
  const { check, message } = last;
  return {
    seed,
    check,
    message,
    faults: faults.map(({ number, at, fault }) => ({ number, at, name: fault.name })),
    faultsDrawn: drawn.length,
    lines,
  };
}

function plain({ faults, reached }: Counts): Counts {
  return { faults, reached };
}
