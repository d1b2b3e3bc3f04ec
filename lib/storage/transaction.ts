import type { DatabaseSync, StatementSync } from "node:sqlite";

/**
 * Transactions of one database. By prepared statements throughout: an error of theirs says by its
 * number whether the disk is full or broken, one of `exec` does not.
 */
export class Transactions {
  readonly #database: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
    this.#rollback = database.prepare("ROLLBACK");
  }

  /** Does `body` in one transaction, durable on return; if it throws, nothing of it was done. */
  run<Result>(body: () => Result): Result {
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
