/**
 * The records of a store on disk: the table `records`.
 *
 * A row is believed only when its checksum is right. One that is damaged is not there: it is left out,
 * replaced by whatever is written in its place, and removed when a scrub comes across it.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { assert } from "../ring/assert.ts";
import type { FileRecord } from "../ring/file_record.ts";
import { checksumOf } from "./checksum.ts";
import type { Row } from "./row.ts";
import { type ScanOptions, StoreFailedError } from "./store.ts";

/**
 * A name with the prefix ?2 is not below it, and below it followed by 0xFF, a byte that is in no
 * UTF-8: one range of the primary key. The column is compared to one lower bound only, as SQLite
 * would use but one of two.
 */
const scanQuery = `
  SELECT * FROM records
  WHERE name >= max(?1, ?2) AND name < ?2 || CAST(x'FF' AS TEXT) AND name <> ?1
    AND deleted <= ?3
  ORDER BY name LIMIT ?4 OFFSET ?5`;

/** A row that was changed behind the store's back. */
export interface DamagedRow {
  /** The name as it is now. */
  readonly name: string;
  /** The same in bytes, which may be no UTF-8. */
  readonly key: Uint8Array;
}

/** Rows, as they follow each other. */
export interface RecordPage {
  readonly records: readonly FileRecord[];
  readonly damaged: readonly DamagedRow[];
  /** Whether these are the last. */
  readonly isLast: boolean;
}

/** Reads and writes records; to write is the caller's transaction. */
export class RecordTable {
  readonly #look: StatementSync;
  readonly #scan: StatementSync;
  readonly #page: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #reindex: StatementSync;
  readonly #refer: StatementSync;

  constructor(database: DatabaseSync) {
    this.#look = database.prepare("SELECT * FROM records WHERE name = ?");
    this.#scan = database.prepare(scanQuery);
    this.#page = database.prepare(
      "SELECT *, CAST(name AS BLOB) AS key FROM records WHERE name > ? ORDER BY name LIMIT ?",
    );
    this.#put = database.prepare("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#remove = database.prepare("DELETE FROM records WHERE name = CAST(? AS TEXT)");
    this.#reindex = database.prepare("REINDEX records_by_body");
    this.#refer = database.prepare(
      "SELECT name FROM records WHERE sha256 = ? AND deleted = 0 ORDER BY name LIMIT 1",
    );
    // A damaged integer may be larger than a number can be.
    for (const read of [this.#look, this.#scan, this.#page]) read.setReadBigInts(true);
  }

  look(name: string): FileRecord | undefined {
    return recordOf(this.#look.get(name));
  }

  scan({ prefix = "", after = "", limit, tombstones }: ScanOptions): FileRecord[] {
    assert(Number.isInteger(limit) && limit > 0, `a scan is limited to ${limit} records`);
    const found: FileRecord[] = [];
    // Damaged rows are not counted in, so that a page is short only at the end.
    for (let offset = 0;; offset += limit) {
      const rows = this.#scan.all(after, prefix, tombstones ? 1 : 0, limit, offset);
      for (const row of rows) {
        const record = recordOf(row);
        if (record !== undefined && found.push(record) === limit) return found;
      }
      if (rows.length < limit) return found;
    }
  }

  /** The `limit` rows after a name, damaged ones too. */
  page(after: string, limit: number): RecordPage {
    const records: FileRecord[] = [];
    const damaged: DamagedRow[] = [];
    const rows = this.#page.all(after, limit);
    for (const row of rows) {
      const record = recordOf(row);
      if (record !== undefined) records.push(record);
      else damaged.push(damagedOf(row));
    }
    return { records, damaged, isLast: rows.length < limit };
  }

  /** Puts a record in the place of `previous`, and of a damaged row if there is none. */
  put(record: FileRecord, previous: FileRecord | undefined): void {
    if (previous === undefined && this.#look.get(record.name) !== undefined) this.#reindex.run();
    const { name, stamp, sha256, size, contentType, deleted } = record;
    this.#put.run(name, stamp, sha256, size, contentType, deleted ? 1 : 0, checksumOf(record));
  }

  /**
   * Removes damaged rows, and makes the index anew: it may have been right about them, and SQLite
   * takes an index that knows better than its table for corrupt.
   * @throws {StoreFailedError} If the table is damaged so badly that one cannot be found by its name.
   */
  remove(damaged: readonly DamagedRow[]): void {
    if (damaged.length === 0) return;
    this.#reindex.run();
    for (const { name, key } of damaged) {
      if (Number(this.#remove.run(key).changes) > 0) continue;
      const text = JSON.stringify(name);
      throw new StoreFailedError(
        `Cannot remove the damaged record ${text}: ring.db is damaged beyond repair`,
      );
    }
  }

  /** Makes the index of bodies anew from the table. */
  reindex(): void {
    this.#reindex.run();
  }

  /** The first name, tombstones aside, with this body. */
  firstWith(sha256: string): string | undefined {
    const name = this.#refer.get(sha256)?.name;
    return typeof name === "string" ? name : undefined;
  }

  /** Whether a record, tombstones aside, has this body. */
  refersTo(sha256: string): boolean {
    return this.#refer.get(sha256) !== undefined;
  }
}

function damagedOf(row: Row): DamagedRow {
  const { name, key } = row ?? {};
  assert(key instanceof Uint8Array, "a key is cast to bytes");
  return { name: String(name), key };
}

/** The record in a row; `undefined` if there is none, or it is not what was written. */
function recordOf(row: Row): FileRecord | undefined {
  const { name, stamp, sha256, size, content_type: contentType, deleted, checksum } = row ?? {};
  if (typeof name !== "string" || typeof stamp !== "string" || typeof sha256 !== "string") {
    return undefined;
  }
  if (typeof size !== "bigint" || typeof contentType !== "string") return undefined;
  const plain = { name, stamp, sha256, size: Number(size), contentType };
  const record: FileRecord = deleted === 0n ? plain : { ...plain, deleted: true };
  const isRight = (deleted === 0n || deleted === 1n) && checksum === BigInt(checksumOf(record));
  return isRight ? record : undefined;
}
