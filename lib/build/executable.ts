/**
 * Builds one executable of a Deno program, in one of two forms: what `deno compile` makes, or, where
 * the runtime base that it downloads cannot be had, a self-extracting executable.
 *
 * Either is made in a temporary directory beside the output and renamed into place, so that there is
 * no half-written executable, whatever happens.
 */
import { basename, dirname, join } from "node:path";
import { BuildError } from "./build_error.ts";
import { writeSelfExtracting } from "./self_extracting.ts";

/**
 * The most time that `deno compile` may take, in milliseconds. Without a network it fails at once;
 * behind a firewall that drops packets it would wait for minutes.
 */
const compileMsMax = 30_000;

/** What to build, and where. */
export interface ExecutableOptions {
  /** The main module. */
  readonly main: string;
  readonly output: string;
  readonly permissions: readonly string[];
}

/** Which form an executable has. */
export type ExecutableForm = "compiled" | "selfExtracting";

/** What became of a `deno compile`. */
type CompileOutcome =
  | { readonly outcome: "done" }
  | { readonly outcome: "noRuntimeBase"; readonly reason: string };

/**
 * Builds `options.output`, replacing what is there. Calls `onFallback` with the reason, a few words,
 * when the runtime base cannot be had and the self-extracting form is built.
 *
 * @throws {BuildError} if the program has errors.
 */
export function buildExecutable(
  options: ExecutableOptions,
  onFallback: (reason: string) => void,
): Promise<ExecutableForm> {
  return writeInPlace(options.output, async (output, signal) => {
    const compiled = await compile({ ...options, output }, signal);
    if (compiled.outcome === "done") return "compiled";
    onFallback(compiled.reason);
    await selfExtract({ ...options, output }, signal);
    return "selfExtracting";
  });
}

/** Builds the self-extracting form, wherever the runtime base may be had. */
export function buildSelfExtracting(options: ExecutableOptions): Promise<void> {
  return writeInPlace(
    options.output,
    (output, signal) => selfExtract({ ...options, output }, signal),
  );
}

/** Arguments for `deno` that compile the program. */
export function compileArguments(options: ExecutableOptions): readonly string[] {
  // What only the tests import stays out.
  const flags = ["--exclude-unused-npm", "--output", options.output];
  return ["compile", ...options.permissions, ...flags, options.main];
}

async function compile(options: ExecutableOptions, signal: AbortSignal): Promise<CompileOutcome> {
  const { success, timedOut, error } = await runDeno(compileArguments(options), {
    directory: dirname(options.main),
    signal,
    msMax: compileMsMax,
  });
  if (success) return { outcome: "done" };
  // Only the download may be made up for; with a base given by hand there was none.
  if (Deno.env.get("DENORT_BIN") === undefined) {
    if (timedOut) return { outcome: "noRuntimeBase", reason: `no answer in ${compileMsMax} ms` };
    const reason = /Setting up base binary[\s\S]*^\s*(?:\d+: )?(\S.*)$/m.exec(causes(error))?.[1];
    if (reason !== undefined) return { outcome: "noRuntimeBase", reason };
  }
  throw new BuildError(`Cannot compile ${options.main}: deno compile failed.\n${error.trimEnd()}`);
}

/** The part of Deno's message that says what was the cause of what, without a stack. */
function causes(error: string): string {
  const [text = ""] = error.split(/^Stack backtrace:/m);
  return text.trimEnd();
}

async function selfExtract(options: ExecutableOptions, signal: AbortSignal): Promise<void> {
  if (Deno.build.os === "windows") {
    throw new BuildError(
      "Cannot build a self-extracting executable on Windows: its head is a shell script. " +
        "Give deno compile its runtime base: set DENORT_BIN to it.",
    );
  }
  const bundle = `${options.output}.js`;
  const { success, error } = await runDeno(
    ["bundle", "--platform=deno", `--output=${bundle}`, options.main],
    { directory: dirname(options.main), signal },
  );
  if (!success) {
    throw new BuildError(`Cannot bundle ${options.main}: deno bundle failed.\n${error.trimEnd()}`);
  }
  await writeSelfExtracting({
    bundle,
    runtime: Deno.execPath(),
    permissions: options.permissions,
    output: options.output,
    signal,
  });
}

/**
 * Calls `write` with a path on the file system of `output`, and renames what is there then. Ctrl-C
 * ends the build by the signal that `write` is given, so that nothing is left behind.
 */
async function writeInPlace<Result>(
  output: string,
  write: (path: string, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort(new BuildError("The build was interrupted."));
  Deno.addSignalListener("SIGINT", interrupt);
  const directory = await Deno.makeTempDir({ dir: dirname(output), prefix: ".ring-build-" });
  try {
    const path = join(directory, basename(output));
    const result = await write(path, interruption.signal);
    await Deno.rename(path, output);
    return result;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
    await Deno.remove(directory, { recursive: true });
  }
}

/** How to run Deno: where, and what ends it early. */
interface RunOptions {
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly msMax?: number;
}

/** Runs this Deno to its end, or for `msMax`, and returns what it wrote to stderr. */
async function runDeno(
  args: readonly string[],
  { directory, signal, msMax }: RunOptions,
): Promise<{ success: boolean; timedOut: boolean; error: string }> {
  const timeout = msMax === undefined ? undefined : AbortSignal.timeout(msMax);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: directory,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    signal: timeout === undefined ? signal : AbortSignal.any([signal, timeout]),
  }).output();
  signal.throwIfAborted();
  return {
    success,
    timedOut: !success && timeout?.aborted === true,
    error: new TextDecoder().decode(stderr),
  };
}
