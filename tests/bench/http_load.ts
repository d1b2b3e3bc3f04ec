/** Load by `wrk`, and what it costs the processes that carry it. */
import { cpuSeconds } from "../e2e/cpu_time.ts";

const connections = 32;

/** What answers: a server, a ring of them, or a constant one. */
export interface Target {
  readonly url: string;
  /** The processes whose time counts. */
  readonly pids: readonly number[];
  /** A script of `wrk`; without one it gets the URL. */
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
  const scriptFlags = script === undefined ? [] : ["--script", script];
  const flags = ["--threads", "1", "--connections", `${connections}`, "--duration", `${seconds}s`];
  const command = new Deno.Command("wrk", { args: [...flags, ...scriptFlags, url] });
  const before = await cpuOf(pids);
  const { code, stdout, stderr } = await command.output();
  const cpuSeconds = await cpuOf(pids) - before;
  if (code !== 0) throw new Error(`wrk failed: ${new TextDecoder().decode(stderr)}`);
  const text = new TextDecoder().decode(stdout);
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`${url} failed under load:\n${text}`);
  return { ...readTotals(text), cpuSeconds };
}

/** Adds one run to those before it. */
export function addLoad(a: Load, b: Load): Load {
  return {
    requests: a.requests + b.requests,
    seconds: a.seconds + b.seconds,
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
  };
}

/** From a line such as `81234 requests in 3.00s, 95.12MB read`. */
function readTotals(text: string): { requests: number; seconds: number } {
  const [, requests, seconds] = /(\d+) requests in ([\d.]+)s,/.exec(text) ?? [];
  if (requests === undefined) throw new Error(`wrk has printed no totals:\n${text}`);
  return { requests: Number(requests), seconds: Number(seconds) };
}

async function cpuOf(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(pids.map(cpuSeconds));
  return each.reduce((sum, seconds) => sum + seconds, 0);
}
