/** `ring server`: what its command line says. */
import { formatAddress, parseAddress } from "../ring/address.ts";
import { type LogFormat, logFormats } from "../log.ts";
import { membersMax } from "../ring/member.ts";
import { portDefault, type ServerOptions } from "../server/options.ts";
import { isWildcard } from "../server/web_front.ts";
import type { WebOptions } from "../web/web_options.ts";
import { boundFlagRows, boundFlags, type BoundOptions } from "./bound_flags.ts";
import { webFlagRows, webFlags } from "./web_flags.ts";
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
  readHost,
} from "./flags.ts";
import { type Environment, secretFile, secretFileFlag } from "./secret_file.ts";
import { serverTlsFiles, serverTlsFlags, type TlsFiles } from "./tls_files.ts";
import { UsageError } from "./usage_error.ts";

/** Where a server listens unless told otherwise: loopback, but apart from 127.0.0.1. */
export const ipDefault = "127.0.1.1";

/** Where it listens by default on a machine that has no {@linkcode ipDefault}, as macOS. */
export const ipFallback = "127.0.0.1";

/** The limits of `--check-interval`, in milliseconds. */
const checkIntervalMs = { min: 200, max: 60_000 };

/** The limits of `--min-copies`. */
const minCopies = { min: 1, max: membersMax };

/** The flags of `ring server`. */
export const serverFlags: FlagTable = {
  command: "ring server",
  flags: [
    { name: "ip", value: "IP", help: `listen on this address (${ipDefault})` },
    { name: "port", value: "PORT", help: `listen on this port (${portDefault}, or the next free)` },
    { name: "prev-ip", value: "IP", help: "join the ring after the server there (own IP)" },
    { name: "prev-port", value: "PORT", help: `and on this port (${portDefault})` },
    {
      name: "advertise",
      value: "HOST[:PORT]",
      help: "tell other servers to connect to this (where it listens)",
    },
    { name: "data", value: "DIR", help: "keep the files in this folder (ring-data/PORT)" },
    { name: "memory", help: "keep the files in memory: they end with the server" },
    {
      name: "check-interval",
      value: "TIME",
      help: "check the next server this often: 500ms, 1s, 2m (1s)",
    },
    {
      name: "min-copies",
      value: "N",
      help: "refuse writes unless N servers get them (1)",
    },
    ...boundFlagRows,
    secretFileFlag,
    { name: "insecure", help: "let others than this machine in without a secret" },
    ...serverTlsFlags,
    ...webFlagRows,
    { name: "verbose", short: "v", help: "log every message sent and received" },
    { name: "log-format", value: "FORMAT", help: "write logs as text or json (text)" },
    helpFlag,
  ],
};

/** What `ring server` is told to do. */
export type ServerCommand =
  | { readonly type: "help" }
  | {
    readonly type: "serve";
    /** Absent, {@linkcode ipDefault} or else {@linkcode ipFallback}. */
    readonly ip?: string;
    readonly port?: number;
    readonly previousIp?: string;
    readonly previousPort?: number;
    readonly advertise?: string;
    /** A folder, or memory; absent, a folder named after the port. */
    readonly data?: { readonly directory: string } | "memory";
    readonly checkIntervalMs?: number;
    readonly minCopies?: number;
    /** The file with the ring's secret. */
    readonly secretFile?: string;
    /** The files to encrypt with; absent, nothing is encrypted. */
    readonly tls?: TlsFiles;
    /** How to serve files over HTTP; absent, not at all. */
    readonly web?: WebOptions;
    readonly verbose: boolean;
    readonly logFormat: LogFormat;
  } & BoundOptions;

/**
 * Reads the arguments that follow `ring server`.
 *
 * @throws {UsageError} if they make no sense.
 */
export function parseServerCommand(
  args: readonly string[],
  environment: Environment = {},
): ServerCommand {
  const parsed = parseFlags(args, serverFlags);
  if (parsed.switches.has("help")) return { type: "help" };
  const ip = hostFlag(parsed, "ip");
  const advertise = advertiseFlag(parsed);
  if (ip !== undefined && isWildcard(ip) && advertise === undefined) {
    throw new UsageError(
      `--ip ${ip} means every address of this machine, so other servers must be told which one ` +
        "to connect to: add --advertise HOST",
      parsed.command,
    );
  }
  const web = webFlags(parsed);
  const secret = secretFile(parsed, environment);
  if (web?.isPrivate && secret === undefined) {
    throw new UsageError("--private needs --secret-file FILE", parsed.command);
  }
  const isGuarded = secret !== undefined || parsed.switches.has("insecure");
  if (!isGuarded) assertLoopback(parsed, [ip, web?.ip, advertise]);
  return {
    type: "serve",
    ...optional("ip", ip),
    ...optional("port", numberFlag(parsed, "port", { min: 0, max: 65535 })),
    ...optional("previousIp", hostFlag(parsed, "prev-ip")),
    ...optional("previousPort", numberFlag(parsed, "prev-port", { min: 1, max: 65535 })),
    ...optional("advertise", advertise),
    ...optional("data", dataFlags(parsed)),
    ...optional("checkIntervalMs", durationFlag(parsed, "check-interval", checkIntervalMs)),
    ...optional("minCopies", numberFlag(parsed, "min-copies", minCopies)),
    ...boundFlags(parsed),
    ...optional("secretFile", secret),
    ...optional("tls", serverTlsFiles(parsed)),
    ...optional("web", web),
    verbose: parsed.switches.has("verbose"),
    logFormat: logFormatFlag(parsed),
  };
}

/** How to start the server that `command` describes, on `ip`. */
export function serverOptions(
  command: ServerCommand & { type: "serve" },
  ip: string,
): ServerOptions {
  const { data, previousIp, previousPort } = command;
  const hasPrevious = previousIp !== undefined || previousPort !== undefined;
  const previous = formatAddress({
    host: previousIp ?? ownIp(ip),
    port: previousPort ?? portDefault,
  });
  return {
    ip,
    ...optional("port", command.port),
    ...optional("advertise", command.advertise),
    ...(hasPrevious ? { previous } : {}),
    ...(data === "memory"
      ? {}
      : { dataDirectory: (port) => data?.directory ?? `ring-data/${port}` }),
    ...optional("checkIntervalMs", command.checkIntervalMs),
    ...optional("minCopies", command.minCopies),
    ...optional("bytesMax", command.bytesMax),
    ...optional("filesMax", command.filesMax),
    ...optional("connectionsMax", command.connectionsMax),
    ...optional("connectionsPerAddressMax", command.connectionsPerAddressMax),
    ...optional("web", command.web),
  };
}

/** Throws if others than this machine could connect to one of these, and so write. */
function assertLoopback({ command }: ParsedFlags, hosts: readonly (string | undefined)[]): void {
  const open = hosts.find((host) => host !== undefined && !isLoopback(host));
  if (open === undefined) return;
  throw new UsageError(
    `At ${open} others than this machine could read, write and join: make a secret ` +
      "(ring secret > ring.secret) and give it to every server and client with " +
      "--secret-file ring.secret; or, if that is meant, add --insecure",
    command,
  );
}

/** Whether nobody but this machine reaches an address, with or without a port. */
function isLoopback(text: string): boolean {
  const host = parseAddress(text)?.host ?? text;
  return /^127(\.[0-9]+){1,3}$/.test(host) || host === "::1" || host.toLowerCase() === "localhost";
}

function advertiseFlag(parsed: ParsedFlags): string | undefined {
  const text = flagValue(parsed, "advertise");
  if (text === undefined) return undefined;
  const address = parseAddress(text);
  const host = readHost(address?.host ?? text);
  if (host !== undefined && !isWildcard(host)) return address === undefined ? host : text;
  throw new UsageError(
    `--advertise must be HOST or HOST:PORT that other servers can connect to, not ` +
      JSON.stringify(text),
    parsed.command,
  );
}

function dataFlags(parsed: ParsedFlags): { directory: string } | "memory" | undefined {
  const directory = flagValue(parsed, "data");
  if (!parsed.switches.has("memory")) return directory === undefined ? undefined : { directory };
  if (directory === undefined) return "memory";
  throw new UsageError("--data and --memory cannot be given together", parsed.command);
}

function logFormatFlag(parsed: ParsedFlags): LogFormat {
  const text = flagValue(parsed, "log-format") ?? "text";
  const format = logFormats.find((format) => format === text);
  if (format !== undefined) return format;
  throw new UsageError(
    `--log-format must be text or json, not ${JSON.stringify(text)}`,
    parsed.command,
  );
}

/** How this server reaches another one on its own machine. */
function ownIp(ip: string): string {
  if (!isWildcard(ip)) return ip;
  return ip.includes(":") ? "::1" : "127.0.0.1";
}
