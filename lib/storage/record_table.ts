/**
 * The records of a store on disk: the table `records`.
 *
 * A row is believed only when its checksum is right. One that is damaged is not there: it is left out,
 * replaced by whatever is written in its place, and removed when a scrub comes across it.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { assert } from "../ring/assert.ts";
import type { FileRecord } from "../ring/file_record.ts";
import type { Stamp } from "../ring/stamp.ts";
import { bucketOf, type BucketRange } from "./bucket.ts";
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

/** The records of a bucket: says by which index, as SQLite might prefer the primary key. */
export const bucketQuery = `
  SELECT * FROM records INDEXED BY records_by_bucket
  WHERE bucket = ? AND name > ? ORDER BY name LIMIT ? OFFSET ?`;

/** The oldest tombstones. */
export const tombstonesQuery = `
  SELECT * FROM records WHERE deleted = 1 AND stamp <= ? ORDER BY stamp, name LIMIT ? OFFSET ?`;

const insertStatement = `
  INSERT INTO records (name, stamp, sha256, size, content_type, deleted, checksum, bucket)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING`;

/** Not an insertion that replaces: a name keeps its bucket, and so its place in that index. */
const updateStatement = `
  UPDATE records
  SET stamp = ?2, sha256 = ?3, size = ?4, content_type = ?5, deleted = ?6, checksum = ?7
  WHERE name = ?1 AND bucket = ?8`;

const indexes = ["records_by_body", "records_by_bucket", "tombstones_by_stamp"];

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
  readonly #bucket: StatementSync;
  readonly #tombstones: StatementSync;
  readonly #page: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #remove: StatementSync;
  readonly #reindex: readonly StatementSync[];
  readonly #refer: StatementSync;
  readonly #byBody: StatementSync;
  readonly #byBucket: StatementSync;
  readonly #byStamp: StatementSync;

  constructor(database: DatabaseSync) {
    this.#look = database.prepare("SELECT * FROM records WHERE name = ?");
    this.#scan = database.prepare(scanQuery);
    this.#bucket = database.prepare(bucketQuery);
    this.#tombstones = database.prepare(tombstonesQuery);
    this.#page = database.prepare(
      "SELECT *, CAST(name AS BLOB) AS key FROM records WHERE name > ? ORDER BY name LIMIT ?",
    );
    this.#insert = database.prepare(insertStatement);
    this.#update = database.prepare(updateStatement);
    this.#remove = database.prepare("DELETE FROM records WHERE name = CAST(? AS TEXT)");
    this.#reindex = indexes.map((index) => database.prepare(`REINDEX ${index}`));
    this.#refer = database.prepare(
      "SELECT name FROM records WHERE sha256 = ? AND deleted = 0 ORDER BY name LIMIT 1",
    );
    const find = (index: string, condition: string) =>
      database.prepare(`SELECT 1 FROM records INDEXED BY ${index} WHERE ${condition} AND name = ?`);
    this.#byBody = find("records_by_body", "sha256 = ? AND deleted = 0");
    this.#byBucket = find("records_by_bucket", "bucket = ?");
    this.#byStamp = find("tombstones_by_stamp", "stamp = ? AND deleted = 1");
    // A damaged integer may be larger than a number can be.
    const reads = [this.#look, this.#scan, this.#bucket, this.#tombstones, this.#page];
    for (const read of reads) read.setReadBigInts(true);
  }

  look(name: string): FileRecord | undefined {
    return recordOf(this.#look.get(name));
  }

  scan({ prefix = "", after = "", limit, tombstones }: ScanOptions): FileRecord[] {
    assert(Number.isInteger(limit) && limit > 0, `a scan is limited to ${limit} records`);
    return readSound(
      limit,
      (offset) => this.#scan.all(after, prefix, tombstones ? 1 : 0, limit, offset),
    );
  }

  /** The records of a bucket, in the order of the bytes of their names. */
  bucket(bucket: number, { after, limit }: BucketRange): FileRecord[] {
    return readSound(limit, (offset) => this.#bucket.all(bucket, after, limit, offset));
  }

  /** The oldest tombstones. */
  tombstones({ upTo, limit }: { upTo: Stamp; limit: number }): FileRecord[] {
    return readSound(limit, (offset) => this.#tombstones.all(upTo, limit, offset));
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
    const { name } = record;
    const columns = columnsOf(record);
    const statement = previous === undefined ? this.#insert : this.#update;
    if (Number(statement.run(...columns).changes) > 0) return;
    this.removeDamaged([{ name, key: new TextEncoder().encode(name) }]);
    this.#insert.run(...columns);
  }

  /** Removes a record. */
  remove({ name }: FileRecord): void {
    this.#remove.run(new TextEncoder().encode(name));
  }

  /**
   * Removes damaged rows, and makes the indexes anew: they may have been right about them, and SQLite
   * takes an index that knows better than its table for corrupt.
   * @throws {StoreFailedError} If the table is damaged so badly that one cannot be found by its name.
   */
  removeDamaged(damaged: readonly DamagedRow[]): void {
    if (damaged.length === 0) return;
    this.reindex();
    for (const { name, key } of damaged) {
      if (Number(this.#remove.run(key).changes) > 0) continue;
      const text = JSON.stringify(name);
      throw new StoreFailedError(
        `Cannot remove the damaged record ${text}: ring.db is damaged beyond repair`,
      );
    }
  }

  /** Makes the indexes anew from the table. */
  reindex(): void {
    for (const index of this.#reindex) index.run();
  }

  /** Whether a record is in all indexes in which it should be. */
  isIndexed({ name, stamp, sha256, deleted }: FileRecord): boolean {
    const special = deleted
      ? this.#byStamp.get(stamp, name)
      : this.#byBody.get(Uint8Array.fromHex(sha256), name);
    return special !== undefined && this.#byBucket.get(bucketOf(name), name) !== undefined;
  }

  /** The first name, tombstones aside, with this body. */
  firstWith(sha256: string): string | undefined {
    const name = this.#refer.get(Uint8Array.fromHex(sha256))?.name;
    return typeof name === "string" ? name : undefined;
  }

  /** Whether a record, tombstones aside, has this body. */
  refersTo(sha256: string): boolean {
    return this.#refer.get(Uint8Array.fromHex(sha256)) !== undefined;
  }
}

/**
 * The first `limit` records in the rows that `read` gives, `limit` at a time after an offset. Damaged
 * rows are not counted in, so that a page is short only at the end.
 */
function readSound(limit: number, read: (offset: number) => Row[]): FileRecord[] {
  const found: FileRecord[] = [];
  for (let offset = 0;; offset += limit) {
    const rows = read(offset);
    for (const row of rows) {
      const record = recordOf(row);
      if (record !== undefined && found.push(record) === limit) return found;
    }
    if (rows.length < limit) return found;
  }
}

/** What stands for a record, in the order in which the statements have it. */
function columnsOf(record: FileRecord): SQLInputValue[] {
  const { name, stamp, sha256, size, contentType, deleted } = record;
  const bucket = bucketOf(name);
  const hash = Uint8Array.fromHex(sha256);
  const checksum = checksumOf(record, bucket);
  return [name, stamp, hash, size, contentType, deleted ? 1 : 0, checksum, bucket];
}

function damagedOf(row: Row): DamagedRow {
  const { name, key } = row ?? {};
  assert(key instanceof Uint8Array, "a key is cast to bytes");
  return { name: String(name), key };
}

/** The record in a row; `undefined` if there is none, or it is not what was written. */
function recordOf(row: Row): FileRecord | undefined {
  const { name, stamp, sha256: hash, size, content_type: contentType, deleted } = row ?? {};
  if (typeof name !== "string" || typeof stamp !== "string") return undefined;
  if (!(hash instanceof Uint8Array) || typeof size !== "bigint") return undefined;
  if (typeof contentType !== "string") return undefined;
  const plain = { name, stamp, sha256: hash.toHex(), size: Number(size), contentType };
  const record: FileRecord = deleted === 0n ? plain : { ...plain, deleted: true };
  const isRight = (deleted === 0n || deleted === 1n) &&
    row?.checksum === BigInt(checksumOf(record, Number(row?.bucket)));
  return isRight ? record : undefined;
}
