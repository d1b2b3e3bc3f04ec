/**
 * The database of a store: how it is opened, and what is in it.
 *
 * A commit goes to the write-ahead log, and is made durable there by who commits (`write_ahead_log.ts`);
 * `synchronous=NORMAL` keeps the order of log and database. The directory's lock keeps other processes
 * out, so the database needs no locks of its own nor shared memory for its index
 * (`locking_mode=EXCLUSIVE`). Source: SQLite, "Write-Ahead Logging" and "Pragma
 * statements".
 */
import { DatabaseSync } from "node:sqlite";
import { stampZero } from "../ring/stamp.ts";
import { randomId } from "./random_id.ts";
import { formatDigest, noRecords } from "./record_totals.ts";
import { integerOf, textOf } from "./row.ts";
import { StoreOpenError } from "./store.ts";
import { Transactions } from "./transaction.ts";

/**
 * The format that this program reads and writes. Every change of `schema` raises it: version 2 has
 * checksums of records; version 3 their buckets, and hashes as bytes; version 4 where the web fronts of
 * members are.
 */
export const formatVersion = 4;

/** How to open a database. */
export interface DatabaseOptions {
  /** The most pages, of `pageBytes`, in the database file: lets a test fill the disk. */
  readonly pagesMax?: number | undefined;
}

/**
 * The size of a page, in bytes, in a new database; one that has another keeps it. Measured with 10,000
 * files of 10 KiB: to write them takes a quarter longer with SQLite's own 4 KiB, which makes twice as
 * many system calls, and an eighth with 16 KiB, which rewrites more of the indexes.
 */
const pageBytes = 8 * 1024;

/** The most memory that the database takes for pages, in KiB. */
const cacheKiBMax = 8 * 1024;

/** What remains of the log, in bytes, when a checkpoint has emptied it. */
const logBytesMax = 8 * 1024 * 1024;

const synchronousNormal = 1;

/**
 * `name` has the BINARY collation: the order of its bytes as UTF-8. The totals of all records are
 * kept in `server`, as to hash 100,000 records again at every start takes about a second; a row of it
 * with the digests of the buckets still fits into one page. `checksum` is that of `checksum.ts`. The
 * indexes by hash are the larger part of what a write of small files comes to: so hashes are bytes.
 */
const schema = `
  CREATE TABLE server (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    incarnation INTEGER NOT NULL,
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    digest TEXT NOT NULL,
    buckets BLOB NOT NULL,
    highest_stamp TEXT NOT NULL,
    stamp_ceiling TEXT NOT NULL
  ) STRICT;

  CREATE TABLE members (
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    incarnation INTEGER NOT NULL,
    status TEXT NOT NULL,
    address TEXT NOT NULL,
    position TEXT NOT NULL,
    web TEXT NOT NULL
  ) STRICT;

  CREATE TABLE records (
    name TEXT PRIMARY KEY,
    stamp TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX records_by_body ON records (sha256) WHERE deleted = 0;
  CREATE INDEX records_by_bucket ON records (bucket, name);
  CREATE INDEX tombstones_by_stamp ON records (stamp, name) WHERE deleted = 1;

  CREATE TABLE bodies (
    sha256 BLOB PRIMARY KEY,
    bytes BLOB NOT NULL
  ) STRICT;
`;

/**
 * Opens the database at `path`, or makes it.
 * @throws {StoreOpenError} If it is of another format, or another program's, or cannot be durable.
 */
export function openDatabase(path: string, { pagesMax }: DatabaseOptions = {}): DatabaseSync {
  using held = new DisposableStack();
  const database = new DatabaseSync(path);
  held.defer(() => database.close());
  configure(database, path);
  if (pagesMax !== undefined) database.exec(`PRAGMA max_page_count = ${pagesMax}`);

  const version = pragmaInteger(database, "user_version");
  if (version === 0) create(database, path);
  else if (version !== formatVersion) {
    throw new StoreOpenError(
      `Cannot open "${path}": its format is ${version}, and this ring knows format ` +
        `${formatVersion} only; ${version > formatVersion ? "a newer" : "an older"} ring wrote it`,
    );
  }
  held.move();
  return database;
}

const settings = [
  "journal_mode = WAL",
  "synchronous = NORMAL",
  // macOS: fsync alone does not reach the disk there.
  "fullfsync = ON",
  "checkpoint_fullfsync = ON",
  `journal_size_limit = ${logBytesMax}`,
  `cache_size = ${-cacheKiBMax}`,
  "temp_store = MEMORY",
];

/** Sets what durability rests on, and reads it back: SQLite ignores a pragma it cannot obey. */
function configure(database: DatabaseSync, path: string): void {
  // First, as it is to be known before the log is opened.
  database.prepare("PRAGMA locking_mode = EXCLUSIVE").get();
  // To be set before there is anything. Vacuuming gives the disk the room back that files have left.
  if (pragmaInteger(database, "page_count") === 0) {
    database.prepare(`PRAGMA page_size = ${pageBytes}`).get();
    database.prepare("PRAGMA auto_vacuum = INCREMENTAL").get();
  }
  for (const setting of settings) database.prepare(`PRAGMA ${setting}`).get();
  const journal = textOf(database.prepare("PRAGMA journal_mode").get(), "journal_mode");
  if (journal !== "wal") {
    throw new StoreOpenError(`Cannot open "${path}": its journal is "${journal}", not "wal"`);
  }
  const synchronous = pragmaInteger(database, "synchronous");
  if (synchronous !== synchronousNormal) {
    throw new StoreOpenError(
      `Cannot open "${path}": its synchronous setting is ${synchronous}, not ${synchronousNormal}`,
    );
  }
}

function create(database: DatabaseSync, path: string): void {
  const tables = integerOf(database.prepare("SELECT count(*) AS n FROM sqlite_schema").get(), "n");
  if (tables > 0) {
    throw new StoreOpenError(`Cannot open "${path}": it is the database of another program`);
  }
  // Made durable with all that is in the log, when that is opened.
  new Transactions(database, () => {}).run(() => {
    database.exec(schema);
    const { digest, buckets, highestStamp } = noRecords;
    database.prepare("INSERT INTO server VALUES (1, ?, 0, 0, 0, ?, ?, ?, ?)")
      .run(randomId(), formatDigest(digest), buckets, highestStamp, stampZero);
    database.exec(`PRAGMA user_version = ${formatVersion}`);
  });
}

function pragmaInteger(database: DatabaseSync, pragma: string): number {
  return integerOf(database.prepare(`PRAGMA ${pragma}`).get(), pragma);
}
