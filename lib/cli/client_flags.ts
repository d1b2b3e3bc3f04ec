/** `ring client`: what its command line says. */
import { nameError } from "../protocol/name.ts";
import { type Address, formatAddress } from "../ring/address.ts";
import { portDefault } from "../server/options.ts";
import {
  durationFlag,
  type FlagTable,
  flagValue,
  helpFlag,
  hostFlag,
  numberFlag,
  optional,
  type ParsedFlags,
  parseFlags,
} from "./flags.ts";
import { ipDefault, ipFallback } from "./server_flags.ts";
import { type Environment, secretFile, secretFileFlag } from "./secret_file.ts";
import { clientTlsFiles, clientTlsFlags, type TlsFiles } from "./tls_files.ts";
import { UsageError } from "./usage_error.ts";

/** How long a client waits unless told otherwise, in milliseconds. */
const timeoutMsDefault = 10_000;

/** The limits of `--timeout`, in milliseconds. */
const timeoutMs = { min: 1, max: 3_600_000 };

/** The name that stands for stdin in `--put`, and for stdout in `-o`. */
export const standardStream = "-";

/** The flags of `ring client`. */
export const clientFlags: FlagTable = {
  command: "ring client",
  flags: [
    {
      name: "put",
      value: "PATH...",
      many: true,
      help: "put files; for a folder, every file in it",
    },
    { name: "as", value: "NAME", help: "put the one file under this name; - is stdin" },
    { name: "get", value: "NAME", help: "get a file, to stdout" },
    { name: "output", short: "o", value: "FILE", help: "or to this file, once it is complete" },
    { name: "delete", value: "NAME", help: "delete a file" },
    {
      name: "list",
      value: "[PREFIX]",
      optional: true,
      help: "list files, or those whose names begin with PREFIX",
    },
    { name: "status", help: "show the ring as the server sees it, and what it holds" },
    { name: "leave", help: "make the server leave the ring and stop" },
    {
      name: "forget",
      value: "ID",
      help: "take a server off the list that is gone: its ID or address",
    },
    { name: "verify", help: "have every server check and repair its files, and compare all" },
    { name: "gc", help: "drop what is kept of deleted files; every server must be alive" },
    {
      name: "ip",
      short: "i",
      value: "IP",
      help: `ask the server there (${ipDefault}, or else ${ipFallback})`,
    },
    { name: "port", short: "p", value: "PORT", help: `and on this port (${portDefault})` },
    {
      name: "timeout",
      value: "TIME",
      help: "give up when nothing moves for this long (10s)",
    },
    secretFileFlag,
    ...clientTlsFlags,
    { name: "json", help: "print one JSON object on stdout, for errors too" },
    { name: "verbose", short: "v", help: "log every message sent and received" },
    helpFlag,
  ],
};

/** What a client is to do. */
export type ClientAction =
  | { readonly type: "put"; readonly paths: readonly string[]; readonly name?: string }
  | {
    readonly type: "get";
    readonly name: string;
    /** A path; absent, stdout. */
    readonly output?: string;
  }
  | { readonly type: "delete"; readonly name: string }
  | { readonly type: "list"; readonly prefix: string }
  | { readonly type: "status" }
  | { readonly type: "leave" }
  | {
    readonly type: "forget";
    /** An address, or the first digits of an id. */
    readonly member: string;
  }
  | { readonly type: "verify" }
  | { readonly type: "gc" };

/** The actions, by the names of their flags. */
const actionNames = [
  "put",
  "get",
  "delete",
  "list",
  "status",
  "leave",
  "forget",
  "verify",
  "gc",
] as const;

/** What `ring client` is told to do. */
export type ClientCommand =
  | { readonly type: "help" }
  | {
    readonly type: "ask";
    readonly action: ClientAction;
    /** The servers to try, in this order. */
    readonly addresses: readonly Address[];
    readonly timeoutMs: number;
    /** The file with the ring's secret. */
    readonly secretFile?: string;
    /** The files to encrypt with; absent, nothing is encrypted. */
    readonly tls?: TlsFiles;
    readonly json: boolean;
    readonly verbose: boolean;
  };

/**
 * Reads the arguments that follow `ring client`.
 *
 * @throws {UsageError} if they make no sense.
 */
export function parseClientCommand(
  args: readonly string[],
  environment: Environment = {},
): ClientCommand {
  const parsed = parseFlags(args, clientFlags);
  if (parsed.switches.has("help")) return { type: "help" };
  const json = parsed.switches.has("json");
  const action = actionFlags(parsed);
  if (json && action.type === "get" && action.output === undefined) {
    throw new UsageError(
      "--json with --get needs -o FILE: stdout cannot carry both the file and the JSON object",
      parsed.command,
    );
  }
  const ip = hostFlag(parsed, "ip");
  const port = numberFlag(parsed, "port", { min: 1, max: 65535 }) ?? portDefault;
  const hosts = ip === undefined ? [ipDefault, ipFallback] : [ip];
  return {
    type: "ask",
    action,
    addresses: hosts.map((host) => formatAddress({ host, port })),
    timeoutMs: durationFlag(parsed, "timeout", timeoutMs) ?? timeoutMsDefault,
    ...optional("secretFile", secretFile(parsed, environment)),
    ...optional("tls", clientTlsFiles(parsed)),
    json,
    verbose: parsed.switches.has("verbose"),
  };
}

function actionFlags(parsed: ParsedFlags): ClientAction {
  const given = actionNames.filter((name) => parsed.values.has(name) || parsed.switches.has(name));
  const [type, second] = given;
  if (type === undefined) {
    throw new UsageError(
      `Say what to do: ${actionNames.map((name) => `--${name}`).join(", ")}`,
      parsed.command,
    );
  }
  if (second !== undefined) {
    throw new UsageError(`--${type} and --${second} cannot be given together`, parsed.command);
  }
  assertGoesWith(parsed, "as", { type, goesWith: "put" });
  assertGoesWith(parsed, "output", { type, goesWith: "get" });
  switch (type) {
    case "put":
      return putFlags(parsed);
    case "get": {
      const output = flagValue(parsed, "output");
      const path = output === standardStream ? undefined : output;
      return { type, name: nameFlag(parsed, "get"), ...optional("output", path) };
    }
    case "delete":
      return { type, name: nameFlag(parsed, "delete") };
    case "list":
      return { type, prefix: flagValue(parsed, "list") ?? "" };
    case "status":
    case "leave":
    case "verify":
    case "gc":
      return { type };
    case "forget":
      return { type, member: flagValue(parsed, "forget") ?? "" };
  }
}

function putFlags(parsed: ParsedFlags): ClientAction {
  const paths = parsed.values.get("put") ?? [];
  if (!parsed.values.has("as")) {
    if (!paths.includes(standardStream)) return { type: "put", paths };
    throw new UsageError("--put - reads stdin, and needs --as NAME", parsed.command);
  }
  if (paths.length > 1) {
    throw new UsageError(`--as names one file, and ${paths.length} are given`, parsed.command);
  }
  return { type: "put", paths, name: nameFlag(parsed, "as") };
}

/** The value of a flag that names a file in the ring. */
function nameFlag(parsed: ParsedFlags, flag: string): string {
  const name = flagValue(parsed, flag) ?? "";
  const error = nameError(name);
  if (error !== undefined) throw new UsageError(error, parsed.command);
  return name;
}

function assertGoesWith(
  parsed: ParsedFlags,
  flag: string,
  { type, goesWith }: { type: string; goesWith: string },
): void {
  if (type === goesWith || !parsed.values.has(flag)) return;
  throw new UsageError(`--${flag} goes with --${goesWith}, not with --${type}`, parsed.command);
}
