/** Load by `wrk`, and what it costs the processes that carry it. */
import { cpuSeconds } from "../e2e/cpu_time.ts";
import { runWrk } from "./wrk.ts";

const connections = 32;

/** What answers: a server, a ring of them, or a constant one. */
export interface Target {
  readonly url: string;
  /** The processes whose time counts. */
  readonly pids: readonly number[];
  /** A script of `wrk`, in Lua; without one it gets the URL. */
  readonly script?: string;
}

/** What came of the load, and can be added up. */
export interface Load {
  readonly requests: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/**
 * Asks from one thread over {@linkcode connections}, each waiting for its answer.
 *
 * @throws {Error} if there was any answer but a good one.
 */
export async function runLoad({ url, pids, script }: Target, seconds: number): Promise<Load> {
  const before = await cpuOf(pids);
  const report = await runWrk({ url, connections, seconds, script });
  const cpuSeconds = await cpuOf(pids) - before;
  return { requests: report.requests, seconds: report.seconds, cpuSeconds };
}

/** Adds one run to those before it. */
export function addLoad(a: Load, b: Load): Load {
  return {
    requests: a.requests + b.requests,
    seconds: a.seconds + b.seconds,
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
  };
}

/** The seconds that processes have spent on processors, all together. */
export async function cpuOf(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(pids.map(cpuSeconds));
  return each.reduce((sum, seconds) => sum + seconds, 0);
}
