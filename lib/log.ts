/**
 * Logs: what an operator reads on stderr. The only module that imports LogTape.
 *
 * stdout is for results (`listening …`, a file's bytes), stderr for logs. Without `verbose` they are
 * few: warnings, errors, and notes that an operator would want. With it, every message sent and
 * received. Log text carries names and sentences that came from outside, so control characters are
 * escaped: nothing that a client sends can move the cursor of an operator's terminal.
 */
import {
  configureSync,
  getAnsiColorFormatter,
  getLogger,
  getTextFormatter,
  type LogRecord,
  type TextFormatter,
  type TextFormatterOptions,
} from "@logtape/logtape";

/** How logs are written: a line of text each, or a JSON object on a line each. */
export const logFormats = ["text", "json"] as const;

/** One of {@linkcode logFormats}. */
export type LogFormat = typeof logFormats[number];

/** How to log. */
export interface LogOptions {
  /** Everything, every message sent and received included. */
  readonly verbose: boolean;
  readonly format: LogFormat;
  /** Warnings and errors only, unless `verbose`. */
  readonly quiet?: boolean;
}

/** What to log: text, or a function that makes it, called only if it is going to be written. */
export type LogMessage = string | (() => string);

/** What a message says, for programs: with `--log-format json` it stands beside the message. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** Logs for one part of the program. */
export interface Logger {
  /** `fields`, if given, is called only if it is going to be written. */
  debug(message: LogMessage, fields?: () => LogFields): void;
  info(message: LogMessage): void;
  warn(message: LogMessage): void;
  error(message: LogMessage): void;
}

const root = "ring";

/** Whether there is anybody for what `debug` is told: asked here, as that is far quicker than a logger. */
let isVerbose = false;

/**
 * Sends logs to stderr from now on; until it is called nothing is logged.
 *
 * @example
 * ```ts ignore
 * configureLog({ verbose: false, format: "text" });
 * logger("server").warn("Cannot read the disk.");
 * // 2026-01-31T12:00:00.000Z [WRN] server: Cannot read the disk.
 * ```
 */
export function configureLog({ verbose, format, quiet = false }: LogOptions): void {
  const formatter = format === "json" ? formatJson : textFormatter();
  isVerbose = verbose;
  configureSync({
    reset: true,
    sinks: { stderr: (record) => console.error(formatter(record).trimEnd()) },
    loggers: [
      {
        category: root,
        sinks: ["stderr"],
        lowestLevel: verbose ? "debug" : quiet ? "warning" : "info",
      },
      { category: ["logtape", "meta"], sinks: ["stderr"], lowestLevel: "warning" },
    ],
  });
}

/** The logger of the part of the program that `category` names, for example `server`. */
export function logger(category: string): Logger {
  const inner = getLogger([root, category]);
  // A tagged template takes text as it is; in a plain string LogTape would replace `{…}`.
  return {
    debug: (message, fields) => {
      if (!isVerbose) return;
      if (fields === undefined) return inner.debug((log) => log`${textOf(message)}`);
      inner.debug("{message}", () => ({ ...fields(), message: textOf(message) }));
    },
    info: (message) => inner.info((log) => log`${textOf(message)}`),
    warn: (message) => inner.warn((log) => log`${textOf(message)}`),
    error: (message) => inner.error((log) => log`${textOf(message)}`),
  };
}

/** A log record as one JSON object: `time` (RFC 3339), `level`, `category`, `message`, and its fields. */
export function formatJson(record: LogRecord): string {
  const { timestamp, level, category, message, properties } = record;
  const line = JSON.stringify({
    time: new Date(timestamp).toISOString(),
    level,
    category: categoryOf(category),
    message: message.join(""),
    ...properties,
  });
  // JSON escapes the control characters below U+0020, but a terminal obeys these too.
  return line.replace(/[\u007f-\u009f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}

/** A formatter of one line of text, with colour if stderr is a terminal that wants it. */
function textFormatter(): TextFormatter {
  const options: TextFormatterOptions & { timestamp: "rfc3339"; level: "ABBR" } = {
    timestamp: "rfc3339",
    level: "ABBR",
    category: categoryOf,
    // Text as it is, without quotes, and with control characters and line ends escaped.
    value: "bare",
  };
  return Deno.stderr.isTerminal() && !Deno.noColor
    ? getAnsiColorFormatter(options)
    : getTextFormatter(options);
}

function categoryOf(category: readonly string[]): string {
  return category[0] === root ? category.slice(1).join(".") : category.join(".");
}

function textOf(message: LogMessage): string {
  return typeof message === "string" ? message : message();
}
