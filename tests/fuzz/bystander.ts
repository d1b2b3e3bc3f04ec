/** A well-behaved client, seen from outside (`bystander_worker.ts`). */
import type { Target } from "./target.ts";

/** What the worker is told. */
export interface BystanderTask {
  readonly seed: string;
  /**
   * Whether a wrong answer is asked for again, and only has to be right in the end: of several writes to
   * one name the one with the greatest stamp stays, be it not the last.
   */
  readonly isPatient: boolean;
  readonly servers: readonly { readonly address: string; readonly web: string }[];
}

/** What became of it. */
export interface BystanderResult {
  /** How long each right answer took to come, in milliseconds. */
  readonly times: readonly number[];
  /** Answers that were wrong, or did not come. */
  readonly failures: readonly string[];
  /** How often it had to ask again. */
  readonly retries: number;
  /** What has to be there, by name: what was acknowledged last, or has the greatest stamp. */
  readonly contents: ReadonlyMap<string, string>;
}

/** The time in which all but one of a hundred answers are to come, in milliseconds. */
export const answerMsTarget = 100;

/** A client at work. */
export class Bystander implements Disposable {
  readonly #worker: Worker;
  readonly #result: Promise<BystanderResult>;

  constructor(target: Target, { seed, isPatient }: Pick<BystanderTask, "seed" | "isPatient">) {
    const url = new URL("bystander_worker.ts", import.meta.url);
    this.#worker = new Worker(url, { type: "module" });
    this.#result = new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<BystanderResult>) => resolve(data);
      this.#worker.onerror = (event) => reject(new Error(event.message));
    });
    const servers = target.servers.map(({ address, web }) => ({ address, web }));
    this.#worker.postMessage({ seed, isPatient, servers } satisfies BystanderTask);
  }

  /** Ends it when it has its last answer. */
  async stop(): Promise<BystanderResult> {
    this.#worker.postMessage("stop");
    return await this.#result;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** For example `1200 answers: p50 2.1 ms, p99 20.3 ms, longest 31.0 ms; asked again 0 times`. */
export function describeTimes({ times, retries }: BystanderResult): string {
  const [p50, p99, longest] = [0.5, 0.99, 1].map((part) => percentile(times, part).toFixed(1));
  return `${times.length} answers: p50 ${p50} ms, p99 ${p99} ms, longest ${longest} ms; ` +
    `asked again ${retries} times`;
}

/** The time that a part of the answers needed at the most. */
export function percentile(times: readonly number[], part: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}
