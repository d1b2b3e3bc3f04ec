/**
 * The write-ahead log of a database, made durable from here.
 *
 * SQLite can do that itself at each commit (`synchronous=FULL`), but then the process stands still until
 * the disk has answered. A server that stands still does not pass messages on, and so a write would take
 * the time of a disk at every hop of the ring. SQLite therefore syncs only where the order of log and
 * database needs it (`synchronous=NORMAL`: around a checkpoint, and the head of a log that begins anew).
 * A commit counts for nothing before it was followed by {@linkcode WriteAheadLog.sync}, which works in
 * the background: a crash may lose it, as it may lose a transaction that was never committed.
 *
 * Source: SQLite, "Write-Ahead Logging"; Linux, `fdatasync(2)`.
 */
import { StoreFailedError } from "./disk_error.ts";

/** The log of a database that is open, and in use by nobody but this process. */
export class WriteAheadLog implements Disposable {
  readonly #file: Deno.FsFile;
  /** Another one, as a file that is being synced in the background is taken. */
  readonly #background: Deno.FsFile;

  /** Takes the log of the database at `path`, and makes durable what is in it. */
  constructor(path: string) {
    using held = new DisposableStack();
    this.#file = held.use(Deno.openSync(`${path}-wal`, { write: true }));
    this.#background = held.use(Deno.openSync(`${path}-wal`, { write: true }));
    // A process that was killed may have written what it did not make durable.
    this.syncNow();
    held.move();
  }

  /**
   * Makes durable what was committed, in the background. One at a time.
   * @throws {StoreFailedError} If the disk fails.
   */
  async sync(): Promise<void> {
    try {
      await this.#background.syncData();
    } catch (error) {
      throw syncError(error);
    }
  }

  /**
   * Makes durable what was committed, before it returns.
   * @throws {StoreFailedError} If the disk fails.
   */
  syncNow(): void {
    try {
      this.#file.syncDataSync();
    } catch (error) {
      throw syncError(error);
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
    this.#background.close();
  }
}

/** Whatever the reason, no room included, what was committed may not be on the disk. */
function syncError(cause: unknown): StoreFailedError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StoreFailedError(`Cannot make a transaction durable: ${reason}`, { cause });
}
