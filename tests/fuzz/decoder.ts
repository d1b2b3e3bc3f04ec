/** The campaign against the decoders: as many frames as are asked for, on all cores. */
import type { DecoderResult, DecoderRun } from "./decoder_run.ts";
import { type Outcome, outcomes } from "./decoder_oracle.ts";
import type { CampaignOptions } from "./campaign.ts";

/** How many frames are judged between two looks at the clock, by each worker. */
const shareFrames = 100_000;

/** How much memory the campaign may come to hold beyond what it began with, in bytes. */
const growthBytesMax = 1024 * 1024 * 1024;

/** Runs the campaign; returns what does not hold. */
export async function fuzzDecoder(
  { seed, first: begin = 0, frames, print }: CampaignOptions,
): Promise<readonly string[]> {
  const began = performance.now();
  const before = Deno.memoryUsage().rss;
  const counts = new Map<Outcome, number>();
  const workers = Array.from({ length: navigator.hardwareConcurrency }, startWorker);
  let next = begin;
  const end = begin + frames;
  const failures: string[] = [];
  const work = async (worker: Worker) => {
    while (next < end && failures.length === 0) {
      const first = next;
      next = Math.min(end, next + shareFrames);
      const result = await judgeIn(worker, { seed, first, end: next });
      for (const [outcome, count] of result.counts) {
        counts.set(outcome, (counts.get(outcome) ?? 0) + count);
      }
      if (result.failure !== undefined) failures.push(result.failure);
    }
  };
  try {
    await Promise.all(workers.map(work));
  } finally {
    for (const worker of workers) worker.terminate();
  }
  const growth = Deno.memoryUsage().rss - before;
  if (growth > growthBytesMax) failures.push(`The campaign came to hold ${growth} bytes more`);
  report({ counts, began, growth, print });
  return failures;
}

function startWorker(): Worker {
  return new Worker(new URL("decoder_worker.ts", import.meta.url), { type: "module" });
}

function judgeIn(worker: Worker, run: DecoderRun): Promise<DecoderResult> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<DecoderResult>) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(run);
  });
}

function report(
  { counts, began, growth, print }: {
    counts: ReadonlyMap<Outcome, number>;
    began: number;
    growth: number;
    print: (line: string) => void;
  },
): void {
  const seconds = (performance.now() - began) / 1000;
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const parts = outcomes.map((outcome) => `${counts.get(outcome) ?? 0} ${outcome}`);
  print(`${total} frames in ${seconds.toFixed(1)} s, ${Math.round(total / seconds)} frames/s`);
  print(`of these ${parts.join(", ")}; memory grew by ${Math.round(growth / 2 ** 20)} MiB`);
}
