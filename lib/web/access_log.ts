/** The access log: one line for each request, when it has been answered. */
import { type LogFields, logger } from "../log.ts";

const log = logger("http");

/** A request that was answered, for the log. */
export interface AccessEntry {
  readonly method: string;
  /** As it came, not decoded, but for a ticket: who reads the log is not to listen with it. */
  readonly target: string;
  readonly status: number;
  /** Bytes sent, the header included. */
  readonly bytes: number;
  readonly milliseconds: number;
  /** Address and port of the client. */
  readonly remote: string;
  /** Whether the client got the whole answer. */
  readonly isComplete: boolean;
}

/** Logs a request, for those who want to see all (`-v`): a line, or with `--log-format json` its fields. */
export function logAccess(makeEntry: () => AccessEntry): void {
  let entry: AccessEntry | undefined;
  const made = () => entry ??= withoutTicket(makeEntry());
  log.debug(() => accessLine(made()), () => fieldsOf(made()));
}

/** The same request, without what its target may bring to be let in by. */
export function withoutTicket(entry: AccessEntry): AccessEntry {
  return { ...entry, target: entry.target.replace(/([?&]ticket=)[^&]+/g, "$1-") };
}

function fieldsOf(entry: AccessEntry): LogFields {
  // Whole microseconds.
  return { ...entry, milliseconds: Math.round(entry.milliseconds * 1000) / 1000 };
}

/**
 * One request as a line.
 *
 * @example `127.0.0.1:51234 GET "/index.html" 200 1204 bytes 1.3 ms`
 */
export function accessLine(entry: AccessEntry): string {
  const { method, target, status, bytes, milliseconds, remote, isComplete } = entry;
  const time = milliseconds.toFixed(1);
  const end = isComplete ? "" : ", broken off";
  return `${remote} ${method} ${JSON.stringify(target)} ${status} ${bytes} bytes ${time} ms${end}`;
}
