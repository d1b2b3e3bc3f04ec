/** What the errors of a disk mean to whoever uses it: no room, or broken. */
import { StoreFailedError, StoreFullError, StoreOpenError } from "./store.ts";

export { StoreFailedError };

const sqliteCorrupt = 11;
const sqliteFull = 13;
const sqliteNotADatabase = 26;

/** No room, or no more of one's quota. */
const fullCodes: readonly string[] = ["ENOSPC", "EDQUOT"];

/** Too many open files: the world's error, but not the disk's, and it passes. */
const passingCodes: readonly string[] = ["EMFILE", "ENFILE"];

/**
 * What to throw when `error` came of an attempt to `action`, for example `write a body`: a
 * `StoreFullError` or a `StoreFailedError`; what is not the disk's error stays as it is.
 */
export function diskError(action: string, error: unknown): unknown {
  if (!isSystemError(error) || passingCodes.includes(error.code)) return error;
  if (isFull(error)) return fullError(action, error);
  return new StoreFailedError(`Cannot ${action}: ${error.message}`, { cause: error });
}

/** What to throw when there is no room for an attempt to `action`. */
export function fullError(action: string, cause?: unknown): StoreFullError {
  return new StoreFullError(`Cannot ${action}: there is no room on the disk`, { cause });
}

/** What `body` returns; what it throws is told by {@linkcode diskError}. */
export function attempt<Result>(action: string, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    throw diskError(action, error);
  }
}

/** What `body` returns, or `undefined` if there is no room for it. */
export function ifRoom<Result>(action: string, body: () => Result): Result | undefined {
  try {
    return attempt(action, body);
  } catch (error) {
    if (error instanceof StoreFullError) return undefined;
    throw error;
  }
}

/** Whether an error says that the disk cannot read what it holds: `EIO`. */
export function isUnreadable(error: unknown): boolean {
  return isSystemError(error) && error.code === "EIO";
}

/** Whether an error passes by itself: too many open files. */
export function isPassing(error: unknown): boolean {
  return isSystemError(error) && passingCodes.includes(error.code);
}

/** What to throw when `error` came of an attempt to open the store in `directory`. */
export function openError(directory: string, error: unknown): unknown {
  if (error instanceof StoreOpenError || !(error instanceof Error)) return error;
  const reason = openReason(error);
  if (reason === undefined) return error;
  return new StoreOpenError(`Cannot open the store in "${directory}": ${reason}`, { cause: error });
}

function openReason(error: Error): string | undefined {
  if (error instanceof Deno.errors.NotCapable) {
    return "this program was not given the permission to read and write there";
  }
  if (error instanceof Deno.errors.PermissionDenied) return "the operating system forbids it";
  if (error instanceof Deno.errors.NotADirectory) return "it is not a directory";
  if (!isSystemError(error)) return undefined;
  if (isFull(error)) return "there is no room on the disk";
  if (sqliteCode(error) === sqliteNotADatabase) return "its ring.db is not a database";
  if (sqliteCode(error) === sqliteCorrupt) return "its ring.db is damaged";
  return error.message;
}

function isFull(error: SystemError): boolean {
  return fullCodes.includes(error.code) || sqliteCode(error) === sqliteFull;
}

/** SQLite's primary result code, without the extension in the higher bits. */
function sqliteCode({ errcode }: SystemError): number | undefined {
  return typeof errcode === "number" ? errcode & 0xff : undefined;
}

/** An error of the operating system, such as `EIO`, or of SQLite, which has an `errcode`. */
interface SystemError extends Error {
  readonly code: string;
  readonly errcode?: unknown;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && "code" in error && typeof error.code === "string" &&
    /^(ERR_SQLITE_ERROR|E[A-Z0-9]+)$/.test(error.code);
}
