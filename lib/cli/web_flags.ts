/** `ring server`: what its command line says of the web front. */
import type { WebOptions } from "../web/web_options.ts";
import {
  byteCountFlag,
  type Flag,
  flagValue,
  hostFlag,
  numberFlag,
  optional,
  type ParsedFlags,
} from "./flags.ts";
import { UsageError } from "./usage_error.ts";

/** The longest text of `--cache-control`. */
const cacheControlLengthMax = 256;

/** The flags of the web front. */
export const webFlagRows: readonly Flag[] = [
  {
    name: "http-port",
    value: "PORT",
    help: "serve HTTP on this port (PORT + 4000, or the next free)",
  },
  { name: "http-ip", value: "IP", help: "and on this address (that of the ring)" },
  {
    name: "ring-http-port",
    value: "PORT",
    help: "serve /_ring/ on this port instead, apart from the files",
  },
  { name: "no-http", help: "do not serve HTTP" },
  { name: "cache-control", value: "TEXT", help: "Cache-Control of files over HTTP (no-cache)" },
  { name: "listing", help: "list folders that have no index.html" },
  { name: "spa", help: "serve index.html for what is not there" },
  { name: "cors", value: "ORIGIN", help: "let pages of this origin, or *, use the files" },
  { name: "private", help: "have reading over HTTP take the secret too (--secret-file)" },
  { name: "max-file", value: "SIZE", help: "the largest file taken over HTTP: 500MB (1GiB)" },
];

/**
 * How to serve HTTP; `undefined` if not at all.
 *
 * @throws {UsageError} if the flags make no sense.
 */
export function webFlags(parsed: ParsedFlags): WebOptions | undefined {
  if (parsed.switches.has("no-http")) {
    assertAlone(parsed);
    return undefined;
  }
  return {
    ...optional("port", numberFlag(parsed, "http-port", { min: 0, max: 65535 })),
    ...optional("ringHttpPort", numberFlag(parsed, "ring-http-port", { min: 0, max: 65535 })),
    ...optional("ip", hostFlag(parsed, "http-ip")),
    ...optional("cacheControl", cacheControlFlag(parsed)),
    ...(parsed.switches.has("listing") ? { listing: true } : {}),
    ...(parsed.switches.has("spa") ? { spa: true } : {}),
    ...(parsed.switches.has("private") ? { isPrivate: true } : {}),
    ...optional("cors", corsFlag(parsed)),
    ...optional("fileBytesMax", byteCountFlag(parsed, "max-file")),
  };
}

function assertAlone({ switches, values, command }: ParsedFlags): void {
  const other = webFlagRows.find(({ name }) =>
    name !== "no-http" && (switches.has(name) || values.has(name))
  );
  if (other === undefined) return;
  throw new UsageError(`--no-http and --${other.name} cannot be given together`, command);
}

function cacheControlFlag(parsed: ParsedFlags): string | undefined {
  const text = flagValue(parsed, "cache-control");
  // It becomes the value of a header field: visible characters and spaces (RFC 9110, 5.5).
  const isValid = text === undefined ||
    (/^[\x20-\x7e]+$/.test(text) && text.length <= cacheControlLengthMax);
  if (isValid) return text;
  throw new UsageError(
    `--cache-control must be visible ASCII characters, ${cacheControlLengthMax} at the most`,
    parsed.command,
  );
}

function corsFlag(parsed: ParsedFlags): string | undefined {
  const text = flagValue(parsed, "cors");
  if (text === undefined || text === "*" || originOf(text) === text) return text;
  throw new UsageError(
    `--cors must be * or an origin such as https://example.com, not ${JSON.stringify(text)}`,
    parsed.command,
  );
}

function originOf(text: string): string | undefined {
  return URL.canParse(text) ? new URL(text).origin : undefined;
}
