/**
 * Room on the disk: whether there is any, and a reserve of it for what must not fail.
 *
 * A full disk must still take the list, or a server could not say that it is not dead, and tombstones,
 * or nothing could be deleted to make room. So a file of `reserveBytes`, written in full, keeps room
 * that nobody else can take. When the disk is full it is emptied, and what is written then lives on
 * its room. Between such writes, and when the store is closed, it takes back what it can get.
 *
 * The store is full as long as the reserve is not whole. To find room again is to take it back whole:
 * that it fits is the proof that no figure of a file system, a quota or a container would give.
 *
 * The log of the database is on the same disk. A checkpoint, which copies it into the database's file,
 * lets it begin anew, but takes room first for all by which the file is to grow. So that the reserve
 * has room for that, the growth is bounded: by checkpoints that come early, and by small transactions.
 *
 * As long as there is room the log keeps its own, and is written over: a log that grows has to be made
 * durable with its size, and its blocks, which makes every commit take longer.
 */
import { randomBytes } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ifRoom } from "./disk_error.ts";
import { integerOf } from "./row.ts";

/** The size of the reserve, in bytes: for `growthBytesMax`, and dozens of commits. */
export const reserveBytes = 8 * 1024 * 1024;

/**
 * The most bytes of bodies that one transaction may store, unless it is of one record. The larger, the
 * fewer pages of the indexes are written again and again. With the longest names, and pages half empty,
 * 256 records make the file grow by up to 4.5 MiB: with `growthBytes` that is `growthBytesMax`.
 */
export const transactionBytesMax = 2.5 * 1024 * 1024;

/** How long to wait before looking for room again, in milliseconds. */
export const roomLookMs = 1000;

/** The fewest pages that the database may have left before its limit: for a small file. */
const databasePagesMin = 16;

/** By how much the database's file is to grow at the next checkpoint when that is done early. */
const growthBytes = 2.5 * 1024 * 1024;

/** The most by which a checkpoint may let the file grow when there is no room, in bytes. */
const growthBytesMax = 7 * 1024 * 1024;

/** How many pages a look for room gives back to the disk: few, as to move them takes room, too. */
const vacuumPages = 32;

/** How many pages in the log bring about a checkpoint when there is room. */
const checkpointPages = 512;

/** Blocks are counted in these, whatever the file system's own are. Source: Linux, `stat(2)`. */
const blockBytes = 512;

/** What {@linkcode Room} needs. */
export interface RoomOptions {
  readonly database: DatabaseSync;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

/** The room of one store, in the directory of its database. */
export class Room {
  readonly #path: string;
  readonly #now: () => number;
  readonly #database: Pages;
  #isWhole: boolean;
  #lookedAt: number;

  /** Takes the reserve if it is not there and there is room for it. */
  constructor(directory: string, { database, now }: RoomOptions) {
    this.#path = `${directory}/reserve`;
    this.#now = now;
    this.#database = new Pages(`${directory}/ring.db`, database);
    this.#lookedAt = now();
    this.#isWhole = isWhole(this.#path) || this.#fill();
    this.#database.setCheckpoints(this.#isWhole);
  }

  /** Whether there is no room; looks for it if the last look was a while ago. */
  get isFull(): boolean {
    if (this.#isWhole) return false;
    if (this.#now() - this.#lookedAt < roomLookMs) return true;
    this.#lookedAt = this.#now();
    this.#isWhole = this.#fill() || this.#makeRoom();
    if (this.#isWhole) this.#database.setCheckpoints(true);
    return !this.#isWhole;
  }

  /** Notes that something was removed: the next look is worth it. */
  noteRemoval(): void {
    this.#lookedAt = -Infinity;
  }

  /** Notes that a transaction has ended: the growth of the database must not become too much. */
  noteTransaction(): void {
    if (!this.#isWhole || this.#database.growth <= growthBytes) return;
    if (!this.#database.checkpoint()) this.release();
  }

  /** Gives up the reserve, so that what must not fail can be written; the store is full from now on. */
  release(): void {
    this.#lookedAt = this.#now();
    if (this.#isWhole) this.#database.setCheckpoints(false);
    this.#isWhole = false;
    this.#empty();
    this.#tryCheckpoint();
  }

  /** Takes what room there is, or the checkpoint that closes the database would use it up in vain. */
  close(): void {
    if (!this.#isWhole) this.#fill();
  }

  /** Whether there was room for the whole reserve; if not, it has what there was. */
  #fill(): boolean {
    if (this.#database.left < databasePagesMin) return false;
    return ifRoom("keep room in reserve", () => fillFile(this.#path)) !== undefined;
  }

  /** Gives pages that the database does not use back to the disk, and tries again. */
  #makeRoom(): boolean {
    if (this.#database.unused === 0) return false;
    this.#empty();
    this.#database.vacuum();
    this.#tryCheckpoint();
    return this.#fill();
  }

  /** Empties the log if the reserve can have room for it; else that would be used up in vain. */
  #tryCheckpoint(): void {
    if (this.#database.growth <= growthBytesMax) this.#database.emptyLog();
  }

  #empty(): void {
    ifRoom("give up the reserve", () => emptyFile(this.#path));
  }
}

/** The pages of a database, in its file and in its log. */
class Pages {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #checkpoint: StatementSync;
  readonly #emptyLog: StatementSync;
  readonly #vacuum: StatementSync;
  readonly #count: StatementSync;
  readonly #pageBytes: number;
  #fileBytes = 0;

  constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
    this.#checkpoint = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
    this.#emptyLog = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
    this.#vacuum = database.prepare(`PRAGMA incremental_vacuum(${vacuumPages})`);
    this.#count = database.prepare("PRAGMA page_count");
    this.#pageBytes = this.#read("page_size");
  }

  /** How many more the database may have. */
  get left(): number {
    return this.#read("max_page_count") - this.#read("page_count") + this.unused;
  }

  get unused(): number {
    return this.#read("freelist_count");
  }

  /** Whether the log is copied into the file, and begun anew, by itself. */
  setCheckpoints(areAutomatic: boolean): void {
    const pages = areAutomatic ? checkpointPages : 0;
    this.#database.prepare(`PRAGMA wal_autocheckpoint = ${pages}`).get();
  }

  /** By how many bytes the file will grow at a checkpoint. */
  get growth(): number {
    const bytes = integerOf(this.#count.get(), "page_count") * this.#pageBytes;
    if (bytes - this.#fileBytes <= growthBytes) return bytes - this.#fileBytes;
    this.#fileBytes = Deno.statSync(this.#path).size;
    return bytes - this.#fileBytes;
  }

  /** Copies the log into the file, so that it begins anew; returns whether there was room for that. */
  checkpoint(): boolean {
    return ifRoom("copy the log", () => this.#checkpoint.get()) !== undefined;
  }

  /** Gives the room of the log back to the disk as well, if there is room for what it holds. */
  emptyLog(): void {
    ifRoom("empty the log", () => this.#emptyLog.get());
  }

  /** Gives some unused pages back to the disk. */
  vacuum(): void {
    // A pragma that works row by row: only `all` lets it work to the end.
    ifRoom("shrink the database", () => this.#vacuum.all());
  }

  #read(pragma: string): number {
    return integerOf(this.#database.prepare(`PRAGMA ${pragma}`).get(), pragma);
  }
}

/** Whether the file is there, and takes all the room that it is to keep. */
function isWhole(path: string): boolean {
  try {
    const { size, blocks } = Deno.statSync(path);
    return size === reserveBytes && (blocks === null || blocks * blockBytes >= reserveBytes);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Fills the file, with random bytes, as zeros can be compressed. */
function fillFile(path: string): true {
  using file = Deno.openSync(path, { create: true, write: true, truncate: true });
  const bytes = randomBytes(reserveBytes);
  for (let offset = 0; offset < bytes.length;) offset += file.writeSync(bytes.subarray(offset));
  file.syncDataSync();
  return true;
}

/** Empties the file, and waits until its room is free. */
function emptyFile(path: string): void {
  using file = Deno.openSync(path, { create: true, write: true, truncate: true });
  file.syncSync();
}
