import type { DatabaseSync, StatementSync } from "node:sqlite";

/**
 * Transactions of one database. By prepared statements throughout: an error of theirs says by its
 * number whether the disk is full or broken, one of `exec` does not.
 */
export class Transactions {
  readonly #database: DatabaseSync;
  readonly #syncNow: () => void;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;

  /** `syncNow` makes durable what was committed (`write_ahead_log.ts`). */
  constructor(database: DatabaseSync, syncNow: () => void) {
    this.#database = database;
    this.#syncNow = syncNow;
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
    this.#rollback = database.prepare("ROLLBACK");
  }

  /** Does `body` in one transaction, durable on return; if it throws, nothing of it was done. */
  run<Result>(body: () => Result): Result {
    const result = this.commit(body);
    this.#syncNow();
    return result;
  }

  /** Does `body` in one transaction, durable when the log has been synced. */
  commit<Result>(body: () => Result): Result {
    this.#begin.run();
    try {
      const result = body();
      this.#commit.run();
      return result;
    } catch (error) {
      // A full or a broken disk has rolled it back already, and then another ROLLBACK is an error.
      if (this.#database.isTransaction) this.#rollback.run();
      throw error;
    }
  }
}
