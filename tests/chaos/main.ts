/**
 * `deno task chaos [--minutes M] [--seed S] [--only KIND] [--without KIND] [--loopback] [-v]`: five real
 * servers under faults for so long; `--only` and `--without` may be repeated.
 */
import { parseArgs } from "@std/cli";
import { runChaos } from "./chaos.ts";
import { type FaultKind, faultKinds } from "./schedule.ts";

const minutesDefault = "2";
const minutesMax = 24 * 60;

/** The exit code of a process that Ctrl-C has ended, as shells count. */
const interrupted = 130;

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Runs what the arguments say; returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const flags = parseArgs(args, {
    string: ["minutes", "seed", "only", "without"],
    collect: ["only", "without"],
    boolean: ["loopback", "verbose"],
    alias: { verbose: "v" },
    default: { minutes: minutesDefault, seed: "1" },
    unknown: refuseFlag,
  });
  const [only, without] = [readKinds("only", flags.only), readKinds("without", flags.without)];
  const kinds = (only.length > 0 ? only : faultKinds).filter((kind) => !without.includes(kind));
  if (kinds.length === 0) return refuse("No kind of fault is left");
  const stop = new AbortController();
  const abort = () => stop.abort();
  Deno.addSignalListener("SIGINT", abort);
  Deno.addSignalListener("SIGTERM", abort);
  const seed = String(flags.seed);
  const lastsMs = readMinutes(flags.minutes) * 60_000;
  const { violations, faults, operations, directory } = await runChaos({
    seed,
    lastsMs,
    kinds,
    isLoopback: flags.loopback === true,
    serverArgs: flags.verbose === true ? ["--verbose"] : [],
    print: (line) => console.log(line),
    signal: stop.signal,
  });
  if (stop.signal.aborted) return interrupted;
  if (violations.length === 0) {
    console.log(`Seed ${seed} holds: ${faults} faults, ${operations} operations.`);
    return 0;
  }
  for (const violation of violations) console.log(`VIOLATION: ${violation}`);
  console.log(`Seed ${seed} fails after ${faults} faults. Logs and data are in ${directory}.`);
  console.log(`Play it again: deno task chaos ${args.join(" ")}`);
  return 1;
}

function readMinutes(value: unknown): number {
  const minutes = Number(value);
  if (minutes > 0 && minutes <= minutesMax) return minutes;
  return refuse(`--minutes must be a number above 0, up to ${minutesMax}, not "${value}"`);
}

function readKinds(flag: string, value: unknown): readonly FaultKind[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [];
  return texts.map((text) =>
    faultKinds.find((kind) => kind === text) ??
      refuse(`--${flag} must be one of: ${faultKinds.join(", ")}; not "${text}"`)
  );
}

function refuseFlag(flag: string): never {
  return refuse(
    `Unknown flag ${flag}; there are --minutes, --seed, --only, --without, --loopback and --verbose`,
  );
}

function refuse(text: string): never {
  console.error(`${text}.`);
  Deno.exit(2);
}
