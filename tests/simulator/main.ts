/**
 * `deno task sim [--seeds N] [--first S] [--jobs J] [--seed S [--faults F,…|none]] [-v]`: plays seeds
 * until one fails.
 *
 * Seeds that once failed are played first. A failure prints the last lines of the trace, what did not
 * hold, the fewest faults with which it does not, and the command that plays the seed again with these;
 * with `-v` that prints the whole trace.
 */
import { parseArgs } from "@std/cli";
import {
  type Batch,
  type BatchResult,
  describeFailure,
  type FailedFault,
  type FailedSeed,
  playBatch,
} from "./batch.ts";
import { recordedSeeds } from "./seeds.ts";
import { simulate } from "./simulation.ts";
import { type Counts, Statistics } from "./statistics.ts";

const seedsDefault = 200;
/** How many seeds are played together; the first of them twice. */
const batchSeeds = 10;
const jobsMax = 64;
/** Stands for no fault on the command line. */
const noFaults = "none";
/** From so many seeds on, a situation that was never reached is a fault of the simulator. */
const seedsForAllSituations = 2_000;

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Plays what the arguments say; returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const flags = parseArgs(args, {
    string: ["seeds", "seed", "first", "jobs", "faults"],
    boolean: ["verbose"],
    alias: { verbose: "v" },
    default: {
      seeds: String(seedsDefault),
      first: "1",
      jobs: String(Math.min(navigator.hardwareConcurrency, jobsMax)),
    },
    unknown: refuseFlag,
  });
  if (flags.seed !== undefined) {
    const faults = readFaults(flags.faults);
    return playOne(readNumber("seed", flags.seed), { faults, isVerbose: flags.verbose === true });
  }
  const [first, count] = [readNumber("first", flags.first), readNumber("seeds", flags.seeds)];
  const fresh = Array.from({ length: count }, (_, index) => first + index);
  const seeds = [...recordedSeeds.map(({ seed }) => seed), ...fresh];
  return await playAll(seeds, Math.min(readNumber("jobs", flags.jobs), jobsMax));
}

function refuseFlag(flag: string): never {
  const known = "--seeds, --first, --jobs, --seed, --faults and --verbose";
  console.error(`Unknown flag ${flag}; there are ${known}.`);
  Deno.exit(2);
}

function readNumber(flag: string, value: unknown): number {
  const number = value === "" ? NaN : Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  console.error(`--${flag} must be an integer from 0, not "${String(value)}".`);
  Deno.exit(2);
}

/** Which faults of a seed to inject: their numbers, or all. */
function readFaults(value: unknown): readonly number[] | undefined {
  if (value === undefined) return undefined;
  if (value === noFaults) return [];
  return String(value).split(",").map((number) => readNumber("faults", number));
}

function playOne(
  seed: number,
  { faults, isVerbose }: { faults: readonly number[] | undefined; isVerbose: boolean },
): number {
  const result = simulate(seed, {
    ...(faults !== undefined && { faults }),
    ...(isVerbose && { onLine: (line: string) => console.log(line) }),
  });
  const { failure, events, hash } = result;
  if (failure === undefined) {
    console.log(`Seed ${seed} holds: ${events} events, trace ${hash}.`);
    return 0;
  }
  if (isVerbose) console.log(`Seed ${seed} fails (${failure.check}): ${failure.message}.`);
  else reportFailure(describeFailure(result));
  return 1;
}

/** Plays batches until one has a failure, or none is left; `jobs` of them at a time. */
async function playAll(seeds: readonly number[], jobs: number): Promise<number> {
  const statistics = new Statistics();
  const startedAt = performance.now();
  const batches = batchesOf(seeds);
  let [played, events] = [0, 0];
  let failed: FailedSeed | undefined;
  const players = Array.from({ length: Math.max(jobs, 1) }, async () => {
    using player = jobs > 1 ? startWorker() : { play: playHere, [Symbol.dispose]() {} };
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      if (failed !== undefined) return;
      const result = await player.play(batch);
      statistics.add(result.counts);
      played += result.played;
      events += result.events;
      failed ??= result.failed;
    }
  });
  await Promise.all(players);
  if (failed !== undefined) {
    reportFailure(failed);
    return 1;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  reportStatistics(statistics);
  const rate = (played / seconds).toFixed(1);
  console.log(`${played} seeds hold: ${events} events, ${rate} seeds/s.`);
  console.log(
    `${Math.ceil(seeds.length / batchSeeds)} of them were played twice, with the same trace.`,
  );
  return played < seedsForAllSituations ? 0 : reportUnreached(statistics);
}

function batchesOf(seeds: readonly number[]): Batch[] {
  const batches: Batch[] = [];
  for (let start = 0; start < seeds.length; start += batchSeeds) {
    batches.push({ seeds: seeds.slice(start, start + batchSeeds) });
  }
  return batches;
}

function playHere(batch: Batch): Promise<BatchResult> {
  return Promise.resolve(playBatch(batch));
}

function startWorker(): Disposable & { play(batch: Batch): Promise<BatchResult> } {
  const worker = new Worker(new URL("./worker.ts", import.meta.url).href, { type: "module" });
  return {
    play: (batch) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<BatchResult>) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage(batch);
      }),
    [Symbol.dispose]: () => worker.terminate(),
  };
}

function reportStatistics({ faults, reached }: Counts): void {
  console.log("Faults injected:");
  for (const [kind, count] of faults) console.log(`${String(count).padStart(9)}  ${kind}`);
  console.log("Situations reached:");
  for (const [situation, count] of reached) {
    console.log(`${String(count).padStart(9)}  ${situation}`);
  }
}

function reportUnreached({ reached }: Counts): number {
  const unreached = reached.filter(([, count]) => count === 0);
  for (const [situation] of unreached) console.log(`Never reached: ${situation}.`);
  return unreached.length === 0 ? 0 : 1;
}

function reportFailure(failed: FailedSeed | undefined): void {
  if (failed === undefined) return;
  const { seed, check, message, faults, faultsDrawn, lines } = failed;
  for (const line of lines) console.log(line);
  console.log(`Seed ${seed} fails (${check}): ${message}.`);
  const names = faults.map(describeFault).join(", ") || noFaults;
  console.log(`It takes ${faults.length} of its ${faultsDrawn} faults: ${names}.`);
  const numbers = faults.map(({ number }) => number).join(",") || noFaults;
  console.log(`Play it again: deno task sim --seed ${seed} --faults ${numbers} -v`);
}

function describeFault({ number, name, at }: FailedFault): string {
  return `${number} (${name}, at ${(at / 1000).toFixed(3)} s)`;
}
