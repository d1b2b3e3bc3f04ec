/** The records of a store on disk: the table `records`. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { assert } from "../ring/assert.ts";
import type { FileRecord } from "../ring/file_record.ts";
import { integerOf, type Row, textOf } from "./row.ts";
import type { ScanOptions } from "./store.ts";

/**
 * A name with the prefix ?2 is not below it, and below it followed by 0xFF, a byte that is in no
 * UTF-8: one range of the primary key. The column is compared to one lower bound only, as SQLite
 * would use but one of two.
 */
const scanQuery = `
  SELECT * FROM records
  WHERE name >= max(?1, ?2) AND name < ?2 || CAST(x'FF' AS TEXT) AND name <> ?1
    AND deleted <= ?3
  ORDER BY name LIMIT ?4`;

/** Reads and writes records; to write is the caller's transaction. */
export class RecordTable {
  readonly #look: StatementSync;
  readonly #scan: StatementSync;
  readonly #put: StatementSync;
  readonly #refer: StatementSync;

  constructor(database: DatabaseSync) {
    this.#look = database.prepare("SELECT * FROM records WHERE name = ?");
    this.#scan = database.prepare(scanQuery);
    this.#put = database.prepare("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?)");
    this.#refer = database.prepare(
      "SELECT 1 FROM records WHERE sha256 = ? AND deleted = 0 LIMIT 1",
    );
  }

  look(name: string): FileRecord | undefined {
    const row = this.#look.get(name);
    return row === undefined ? undefined : recordOf(row);
  }

  scan({ prefix = "", after = "", limit, tombstones }: ScanOptions): FileRecord[] {
    assert(Number.isInteger(limit) && limit > 0, `a scan is limited to ${limit} records`);
    return this.#scan.all(after, prefix, tombstones ? 1 : 0, limit).map(recordOf);
  }

  put({ name, stamp, sha256, size, contentType, deleted }: FileRecord): void {
    this.#put.run(name, stamp, sha256, size, contentType, deleted ? 1 : 0);
  }

  /** Whether a record, tombstones aside, has this body. */
  refersTo(sha256: string): boolean {
    return this.#refer.get(sha256) !== undefined;
  }
}

function recordOf(row: Row): FileRecord {
  const record = {
    name: textOf(row, "name"),
    stamp: textOf(row, "stamp"),
    sha256: textOf(row, "sha256"),
    size: integerOf(row, "size"),
    contentType: textOf(row, "content_type"),
  };
  return integerOf(row, "deleted") === 0 ? record : { ...record, deleted: true };
}
