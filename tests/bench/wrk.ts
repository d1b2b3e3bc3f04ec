/** Load by `wrk`: one thread, and as many connections as asked for, each waiting for its answer. */

/** What to ask, and for how long. */
export interface WrkOptions {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** A script of `wrk`, in Lua; without one it gets the URL. */
  readonly script?: string | undefined;
}

/** What came of it. */
export interface WrkReport {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What the load itself cost, in seconds on a processor. */
  readonly cpuSeconds: number;
}

/** Runs the command in its arguments, then prints what that has cost. */
const timedScript = '"$@"; code=$?; times; exit $code';

const millisecondsIn: ReadonlyMap<string, number> = new Map([["us", 1e-3], ["ms", 1], ["s", 1e3]]);

/**
 * Runs `wrk` to its end.
 *
 * @throws {Error} if there was any answer but a good one.
 */
export async function runWrk(options: WrkOptions): Promise<WrkReport> {
  const { url, connections, seconds, script } = options;
  await using held = new AsyncDisposableStack();
  const scriptFlags = script === undefined ? [] : ["--script", await writeScript(script, held)];
  const loadFlags = ["--connections", `${connections}`, "--duration", `${seconds}s`];
  const args = ["--threads", "1", "--latency", ...loadFlags, ...scriptFlags, url];
  const command = new Deno.Command("sh", { args: ["-c", timedScript, "sh", "wrk", ...args] });
  const { code, stdout, stderr } = await command.output();
  if (code !== 0) throw new Error(`wrk failed: ${new TextDecoder().decode(stderr)}`);
  return parseWrk(new TextDecoder().decode(stdout));
}

/** Writes a script to a file, which goes with what is `held`; returns its path. */
async function writeScript(script: string, held: AsyncDisposableStack): Promise<string> {
  const path = await Deno.makeTempFile({ prefix: "ring-wrk-", suffix: ".lua" });
  held.defer(() => Deno.remove(path));
  await Deno.writeTextFile(path, script);
  return path;
}

/**
 * Reads what `wrk --latency` prints, and `times` of the shell after it.
 *
 * @throws {Error} if there was any answer but a good one, or a figure is missing.
 */
export function parseWrk(text: string): WrkReport {
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`What wrk asked has failed:\n${text}`);
  const [, requests, amount, unit] = /(\d+) requests in ([\d.]+)(s|m),/.exec(text) ?? [];
  if (requests === undefined) throw new Error(`wrk has printed no totals:\n${text}`);
  if (requests === "0") throw new Error(`wrk has got no answer:\n${text}`);
  return {
    requests: Number(requests),
    seconds: Number(amount) * (unit === "m" ? 60 : 1),
    p50Ms: readPercentile(text, 50),
    p99Ms: readPercentile(text, 99),
    cpuSeconds: readTimes(text),
  };
}

/** From a line such as `     99%    1.27ms`; a unit of one letter has a space after it. */
function readPercentile(text: string, percent: number): number {
  const [, amount, unit = ""] = new RegExp(`^ +${percent}% +([\\d.]+)(\\w+) ?$`, "m").exec(text) ??
    [];
  const factor = millisecondsIn.get(unit);
  if (factor === undefined) throw new Error(`wrk has not printed its ${percent}%:\n${text}`);
  return Number(amount) * factor;
}

/** From the last line of `times`, of the shell's children: user and system, `0m1.50s 0m0.25s`. */
function readTimes(text: string): number {
  const times = [...text.matchAll(/(\d+)m([\d.]+)s/g)].slice(-2);
  if (times.length < 2) throw new Error(`The shell has not said what wrk cost:\n${text}`);
  return times.reduce(
    (sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds),
    0,
  );
}
