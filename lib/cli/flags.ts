/**
 * Flags: a table says which there are, and both the parser and the help read it, so that neither
 * knows a flag that the other does not.
 *
 * `parseArgs` of the standard library does the parsing. What it is lenient about is an error here: a
 * flag it does not know, a flag given twice, a value that is missing. `-get`, with one dash, is
 * `--get`, as in the original program.
 */
import { parseArgs } from "@std/cli";
import { formatAddress, parseAddress } from "../ring/address.ts";
import { parseByteCount } from "./byte_count.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage_error.ts";

/** One flag of a command. */
export interface Flag {
  /** Without dashes: `port`. */
  readonly name: string;
  /** One letter: `p`. */
  readonly short?: string;
  /** What stands for its value in the help: `PORT`. A flag without one is a switch. */
  readonly value?: string;
  /** The value may be left out. */
  readonly optional?: true;
  /** More values may follow, and the flag may be repeated. */
  readonly many?: true;
  /** What it does, in one line. */
  readonly help: string;
}

/** A command's flags, and its name for messages: `ring client`. */
export interface FlagTable {
  readonly command: string;
  readonly flags: readonly Flag[];
}

/** The switch that every command has. */
export const helpFlag: Flag = { name: "help", short: "h", help: "show this help" };

/** The flags that were given. */
export interface ParsedFlags {
  /** The command, for messages. */
  readonly command: string;
  /** The values of each flag that was given and takes any; an optional one left out is empty. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** The switches that were given. */
  readonly switches: ReadonlySet<string>;
}

/**
 * Sorts `args` into the flags of `table`. With `--help` among them nothing else is judged.
 *
 * @throws {UsageError} if a flag is unknown, is given twice, or lacks its value, or if a word belongs
 * to no flag.
 */
export function parseFlags(args: readonly string[], table: FlagTable): ParsedFlags {
  const { command, flags } = table;
  const valued = flags.filter((flag) => flag.value !== undefined);
  const unknown: string[] = [];
  const parsed = parseArgs(normalizeArgs(args, table), {
    string: ["_", ...valued.map((flag) => flag.name)],
    boolean: flags.filter((flag) => flag.value === undefined).map((flag) => flag.name),
    collect: valued.map((flag) => flag.name),
    alias: Object.fromEntries(
      flags.flatMap(({ name, short }) => short === undefined ? [] : [[short, name]]),
    ),
    unknown: (arg, key) => key === undefined || (unknown.push(arg), false),
  });
  const switches = new Set(flags.map((flag) => flag.name).filter((name) => parsed[name] === true));
  const values = new Map<string, readonly string[]>();
  if (switches.has(helpFlag.name)) return { command, values, switches };

  let rest = texts(parsed._);
  for (const flag of valued) {
    let given = texts(parsed[flag.name]);
    if (given.length === 0) continue;
    if (flag.many) {
      given = [...given, ...rest].filter((value) => value !== "");
      rest = [];
    }
    assertValues(flag, given, command);
    values.set(flag.name, given);
  }
  if (unknown[0] !== undefined) throw unknownFlag(unknown[0], table);
  if (rest[0] !== undefined) throw unexpectedWord(rest[0], table);
  return { command, values, switches };
}

/** Whether the arguments have this switch, even if they make no sense otherwise. */
export function asksFor(args: readonly string[], name: "json" | "verbose"): boolean {
  const spellings = [`--${name}`, `-${name}`, ...(name === "verbose" ? ["-v"] : [])];
  return args.some((arg) => spellings.includes(arg));
}

/** The one value of a flag, or `undefined` if it was not given. */
export function flagValue(parsed: ParsedFlags, name: string): string | undefined {
  return parsed.values.get(name)?.[0];
}

/**
 * The value of a flag that is a whole number.
 *
 * @throws {UsageError} if it is something else, or out of the range.
 */
export function numberFlag(
  parsed: ParsedFlags,
  name: string,
  { min, max }: { min: number; max: number },
): number | undefined {
  const text = flagValue(parsed, name);
  if (text === undefined) return undefined;
  const number = /^[0-9]{1,15}$/.test(text) ? Number(text) : NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(
    `--${name} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`,
    parsed.command,
  );
}

/**
 * The size that a flag was given.
 *
 * @throws {UsageError} if it is none.
 */
export function byteCountFlag(parsed: ParsedFlags, name: string): number | undefined {
  const text = flagValue(parsed, name);
  if (text === undefined) return undefined;
  const bytes = parseByteCount(text);
  if (bytes !== undefined) return bytes;
  throw new UsageError(
    `--${name} must be a size, such as 500MB, 1GiB or 1048576, not ${JSON.stringify(text)}`,
    parsed.command,
  );
}

/**
 * The value of a flag that is a duration, in milliseconds.
 *
 * @throws {UsageError} if it is something else, or out of the range.
 */
export function durationFlag(
  parsed: ParsedFlags,
  name: string,
  { min, max }: { min: number; max: number },
): number | undefined {
  const text = flagValue(parsed, name);
  if (text === undefined) return undefined;
  const duration = parseDuration(text);
  if (duration !== undefined && duration >= min && duration <= max) return duration;
  const range = `from ${formatDuration(min)} to ${formatDuration(max)}`;
  throw new UsageError(
    `--${name} must be a time ${range}, such as 500ms, 1s or 2m, not ${JSON.stringify(text)}`,
    parsed.command,
  );
}

/**
 * The value of a flag that is an IP address or a host name; an IPv6 address may be in brackets.
 *
 * @throws {UsageError} if it is something else.
 */
export function hostFlag(parsed: ParsedFlags, name: string): string | undefined {
  const text = flagValue(parsed, name);
  if (text === undefined) return undefined;
  const host = readHost(text);
  if (host !== undefined) return host;
  throw new UsageError(
    `--${name} must be an IP address or a host name, not ${JSON.stringify(text)}`,
    parsed.command,
  );
}

/** Reads a host, without the brackets of an IPv6 address; `undefined` if `text` is none. */
export function readHost(text: string): string | undefined {
  const host = text.replace(/^\[(.*)\]$/, "$1");
  // Only an IPv6 address has colons; the URL parser knows which texts are one.
  if (host.includes(":") && !URL.canParse(`http://[${host}]/`)) return undefined;
  return parseAddress(formatAddress({ host, port: 1 }))?.host;
}

/** An object with this one property, or with none if the value is `undefined`. */
export function optional<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { [key in Key]?: Value } {
  const object: { [key in Key]?: Value } = {};
  if (value !== undefined) object[key] = value;
  return object;
}

/**
 * Writes flags as `parseArgs` understands them: long ones with two dashes; switches with an explicit
 * value, or it would take a `true` that follows for one; and a value that is `-` joined to its flag,
 * or it would take that for a flag.
 */
function normalizeArgs(args: readonly string[], table: FlagTable): string[] {
  const end = args.indexOf("--");
  const flags = end === -1 ? args : args.slice(0, end);
  const normalized: string[] = [];
  for (const arg of flags.map((arg) => normalizeArg(arg, table))) {
    const before = normalized.at(-1);
    const joins = arg === "-" && before?.startsWith("--") && !before.includes("=");
    if (joins) normalized.splice(-1, 1, `${before}=-`);
    else normalized.push(arg);
  }
  return [...normalized, ...args.slice(flags.length)];
}

function normalizeArg(arg: string, { command, flags }: FlagTable): string {
  const match = /^(--?)([a-z][a-z-]*)(=.*)?$/s.exec(arg);
  if (match === null) return arg;
  const [, dashes, name, value = ""] = match;
  const flag = flags.find((flag) => flag.name === name || (dashes === "-" && flag.short === name));
  if (flag === undefined) return arg;
  if (flag.value !== undefined) return `--${flag.name}${value}`;
  if (value !== "") throw new UsageError(`--${flag.name} takes no value`, command);
  // With a value, `--no-http` would be taken for the opposite of `--http`.
  return flag.name.startsWith("no-") ? `--${flag.name}` : `--${flag.name}=true`;
}

function assertValues(flag: Flag, given: readonly string[], command: string): void {
  const { name, value } = flag;
  if (given.length > 1 && !flag.many) throw new UsageError(`--${name} is given twice`, command);
  if (flag.optional || (given.length > 0 && !given.includes(""))) return;
  throw new UsageError(
    `--${name} needs a value (one that begins with a dash is written --${name}=${value})`,
    command,
  );
}

function unknownFlag(arg: string, { command, flags }: FlagTable): UsageError {
  const typed = arg.replace(/=.*$/s, "");
  const name = nearest(typed.replace(/^-+/, ""), flags.map((flag) => flag.name));
  const hint = name === undefined ? "" : `; did you mean --${name}?`;
  return new UsageError(`There is no flag ${typed}${hint}`, command);
}

function unexpectedWord(word: string, { command, flags }: FlagTable): UsageError {
  const name = nearest(word, flags.map((flag) => flag.name));
  const hint = name === undefined ? "" : `; did you mean --${name}?`;
  return new UsageError(`Unexpected argument ${JSON.stringify(word)}${hint}`, command);
}

/** The texts in a list that `parseArgs` made; none if there is no such list. */
function texts(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((element) => typeof element === "string");
}
