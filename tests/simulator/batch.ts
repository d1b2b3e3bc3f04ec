/** Plays some seeds, in this thread or in a worker, and sums up what happened. */
import { simulate } from "./simulation.ts";
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
  /** The last lines of the trace. */
  readonly lines: readonly string[];
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

function judge(
  seed: number,
  { failure, hash, lines }: ReturnType<typeof simulate>,
  repeats: boolean,
): FailedSeed | undefined {
  if (failure !== undefined) return { seed, check: failure.check, message: failure.message, lines };
  if (!repeats || simulate(seed).hash === hash) return undefined;
  const message = "Two runs gave different traces: something is not drawn from the seed";
  return { seed, check: "repeatable", message, lines: [] };
}

function plain({ faults, reached }: Counts): Counts {
  return { faults, reached };
}
