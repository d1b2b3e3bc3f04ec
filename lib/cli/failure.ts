/** From an error to one sentence and an exit code: what anything that goes wrong ends in. */
import { RingError } from "../client/ring_error.ts";
import { StoreFullError, StoreOpenError } from "../storage/store.ts";
import { ServerError } from "../server/options.ts";
import { type ExitCode, exitCode } from "./exit_code.ts";
import { LocalError } from "./local_error.ts";
import { OutputClosedError, printLine, printNote } from "./output.ts";
import { UsageError } from "./usage_error.ts";

/** What went wrong, for the user. */
export interface Failure {
  /** A word for programs, in `--json`. */
  readonly kind: string;
  /** One sentence. */
  readonly message: string;
  readonly exitCode: ExitCode;
  /** Where an internal error came from: to be shown to those who ask for it with `-v`. */
  readonly stack?: string;
}

/** Follows at most so many causes of an error. */
const causesMax = 8;

/** What to tell the user of an error. One that nobody foresaw is an internal error, with its stack. */
export function describeFailure(error: unknown): Failure {
  const refused = findCause(error, Deno.errors.NotCapable);
  if (refused !== undefined) {
    return { kind: "permission", message: permissionText(refused), exitCode: exitCode.failed };
  }
  if (error instanceof UsageError) {
    return {
      kind: "usage",
      message: `${error.message} (see ${error.command} --help)`,
      exitCode: exitCode.usage,
    };
  }
  if (error instanceof RingError) {
    return { kind: error.kind, message: error.message, exitCode: codeOfRing(error) };
  }
  if (error instanceof ServerError) {
    return { kind: error.kind, message: error.message, exitCode: codeOfServer(error) };
  }
  if (error instanceof LocalError || isStoreError(error)) {
    return { kind: "failed", message: error.message, exitCode: exitCode.failed };
  }
  return internalFailure(error);
}

function codeOfRing(error: RingError): ExitCode {
  switch (error.kind) {
    case "unavailable":
      return exitCode.unavailable;
    case "notFound":
      return exitCode.notFound;
    case "failed":
    case "unknown":
      return exitCode.failed;
  }
}

function codeOfServer(error: ServerError): ExitCode {
  switch (error.kind) {
    case "noPrevious":
      return exitCode.unavailable;
    case "usage":
      return exitCode.usage;
    case "address":
    case "store":
    case "cloned":
    case "disk":
    case "tls":
      return exitCode.failed;
  }
}

/** What a permission that this executable was built without keeps it from doing. */
function permissionText(refused: Error): string {
  const [, name = "a", target = "something"] =
    /^Requires (\w+) access(?: to (.+?))?(?:, run again|$)/.exec(refused.message) ?? [];
  if (name === "all") return `Cannot use ${target}: it belongs to the system`;
  if (name !== "net") {
    return `This build of ring has no ${name} permission for ${target}; add ` +
      `--allow-${name} to the permissions that \`deno task compile\` gives`;
  }
  const host = target.replaceAll('"', "");
  return `This build of ring may not use the network address ${host}; build one that may with ` +
    `RING_NET=${host.replace(/:\d+$/, "")} deno task compile`;
}

function internalFailure(error: unknown): Failure {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    kind: "internal",
    message: `internal error: ${text}`,
    exitCode: exitCode.failed,
    ...(error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}),
  };
}

function isStoreError(error: unknown): error is Error {
  return error instanceof StoreFullError || error instanceof StoreOpenError;
}

function findCause<T extends Error>(
  error: unknown,
  errorClass: new (...args: never[]) => T,
): T | undefined {
  for (let count = 0; count < causesMax && error instanceof Error; count++) {
    if (error instanceof errorClass) return error;
    error = error.cause;
  }
  return undefined;
}

/**
 * Tells the user what went wrong, on stderr, or with `json` as one JSON object on stdout; returns the
 * exit code. That nobody reads stdout any more is no failure: it ends quietly.
 */
export function reportFailure(
  error: unknown,
  { json = false, verbose = false }: { json?: boolean; verbose?: boolean } = {},
): ExitCode {
  if (error instanceof OutputClosedError) return exitCode.done;
  const failure = describeFailure(error);
  if (json) printLine(JSON.stringify({ ok: false, error: failureJson(failure) }));
  else printNote(failure.message);
  if (verbose && failure.stack !== undefined) console.error(failure.stack);
  return failure.exitCode;
}

/** A failure as programs read it. */
export function failureJson({ kind, message, exitCode }: Failure): Record<string, unknown> {
  return { kind, message, exitCode };
}
