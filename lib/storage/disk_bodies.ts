/**
 * The bodies of a store on disk: small ones in its database, large ones in files.
 *
 * A small body comes and goes in the transactions of its records. A file cannot: it is there before its
 * record, and is awaited until that comes (`awaited_bodies.ts`); and when the last record that refers to
 * it is replaced it is released, and removed once that is durable. A file that was removed earlier would
 * be missed if a crash brought the record back.
 */
import { emptySha256, type FileRecord, hasLargeBody } from "../ring/file_record.ts";
import type { RecordWrite, WriteOutcome } from "../ring/step.ts";
import { AwaitedBodies } from "./awaited_bodies.ts";
import { BytesReader, needsStoredBody } from "./body.ts";
import { attempt, fullError } from "./disk_error.ts";
import type { LargeBodies } from "./large_bodies.ts";
import type { SmallBodies } from "./small_bodies.ts";
import type { BodyReader, BodyWriter } from "./store.ts";

/** What {@linkcode DiskBodies} is made of. */
export interface DiskBodiesParts {
  readonly small: SmallBodies;
  readonly large: LargeBodies;
  /** Whether a record refers to a body. */
  readonly refersTo: (sha256: string) => boolean;
  readonly room: { readonly isFull: boolean; noteRemoval(): void };
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

/** What became of a batch of records. */
export interface Written {
  readonly outcomes: readonly WriteOutcome[];
  /** The bodies of records that were replaced, as far as they may be files. */
  readonly replaced: ReadonlySet<string>;
}

/** Keeps the bodies of one store as long as they are needed. */
export class DiskBodies {
  readonly #parts: DiskBodiesParts;
  readonly #awaited: AwaitedBodies;
  /** How many transactions were committed, and how many of these are durable. */
  #committed = 0;
  #durable = 0;
  /**
   * Files that perhaps nobody needs any more, once so many transactions are durable. What was released
   * last is last.
   */
  readonly #released = new Map<string, number>();

  /** Removes the files that a crash has left without a record. */
  constructor(parts: DiskBodiesParts) {
    this.#parts = parts;
    this.#awaited = new AwaitedBodies(parts.now);
    parts.large.sweep(parts.refersTo);
  }

  has(sha256: string): boolean {
    const { small, large } = this.#parts;
    return sha256 === emptySha256 || small.has(sha256) || large.has(sha256);
  }

  /**
   * Whether the body of a record is here, as long as the record says: what all records come to is read
   * back as a number, and a size that is made up could be too large for one.
   *
   * Asks the file system only if the body may be a file: to hear that there is none takes long.
   */
  hasFor(record: FileRecord): boolean {
    const { small, large } = this.#parts;
    const { sha256, size } = record;
    const mayBeFile = hasLargeBody(record) || this.#awaited.has(sha256);
    const found = small.sizeOf(sha256) ?? (mayBeFile ? large.sizeOf(sha256) : undefined);
    return found === size;
  }

  /** Opens a body; `undefined` if it is not here. */
  open(sha256: string): BodyReader | undefined {
    if (sha256 === emptySha256) return new BytesReader(new Uint8Array(0));
    const bytes = this.#parts.small.get(sha256);
    return bytes === undefined ? this.#parts.large.open(sha256) : new BytesReader(bytes);
  }

  /**
   * Begins a file.
   * @throws {StoreFullError} If there is no room, for even an empty one.
   */
  create(): BodyWriter {
    const { large, room } = this.#parts;
    this.expire();
    if (room.isFull) throw fullError("write a body");
    return large.create({
      arrived: (sha256) => this.#awaited.add(sha256),
      isFull: () => room.isFull,
    });
  }

  /** Lets go of the files that have waited for their records too long, or are too many. */
  expire(): void {
    this.#release(this.#awaited.expire());
  }

  /** Stores a small body, in the transaction of its record. */
  put(sha256: string, bytes: Uint8Array): void {
    if (bytes.length > 0) this.#parts.small.put(sha256, bytes);
  }

  /**
   * Removes those of these bodies that no record refers to any more, in the transaction that replaced
   * their records; returns what is not a small one, and so may be a file.
   */
  drop(replaced: Iterable<string>): Set<string> {
    const { small, refersTo } = this.#parts;
    const left = new Set<string>();
    for (const sha256 of replaced) {
      if (!refersTo(sha256) && !small.remove(sha256)) left.add(sha256);
    }
    return left;
  }

  /** Lets go of the files of records that a batch has replaced, and of records that came to nothing. */
  settle(batch: readonly RecordWrite[], { outcomes, replaced }: Written): void {
    const released = new Set(replaced);
    batch.forEach((write, i) => {
      if (!needsStoredBody(write) || outcomes[i]?.outcome === "bodyMissing") return;
      this.#awaited.settle(write.record.sha256);
      released.add(write.record.sha256);
    });
    this.#release(released);
  }

  /** Notes that a transaction was committed: nothing that is released goes before it is durable. */
  noteCommit(): void {
    this.#committed++;
  }

  /**
   * What has been committed is about to be made durable: to be called before that begins, and what it
   * returns when it is done.
   */
  beginSync(): () => void {
    const committed = this.#committed;
    return () => {
      this.#durable = Math.max(this.#durable, committed);
      this.#removeUnneeded();
    };
  }

  /**
   * Lets go of files: at once, or when what was committed before is durable. One that was released and
   * waits already waits longer: its last record may have been replaced since.
   */
  #release(bodies: Iterable<string>): void {
    for (const sha256 of bodies) {
      this.#released.delete(sha256);
      this.#released.set(sha256, this.#committed);
    }
    this.#removeUnneeded();
  }

  /** Removes those files whose time has come that no record refers to, nor is to. */
  #removeUnneeded(): void {
    const { large, room, refersTo } = this.#parts;
    attempt("remove bodies", () => {
      for (const [sha256, committed] of this.#released) {
        if (committed > this.#durable) break;
        this.#released.delete(sha256);
        if (this.#awaited.has(sha256) || refersTo(sha256)) continue;
        if (large.remove(sha256)) room.noteRemoval();
      }
    });
  }
}
