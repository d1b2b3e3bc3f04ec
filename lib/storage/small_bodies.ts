/** Bodies that came with their records, in the same transactions: the table `bodies`. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { isSha256 } from "./body.ts";

/** Reads and writes small bodies; to write is the caller's transaction. */
export class SmallBodies {
  readonly #has: StatementSync;
  readonly #size: StatementSync;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;

  constructor(database: DatabaseSync) {
    this.#has = database.prepare("SELECT 1 FROM bodies WHERE sha256 = ?");
    this.#size = database.prepare("SELECT length(bytes) AS size FROM bodies WHERE sha256 = ?");
    this.#get = database.prepare("SELECT bytes FROM bodies WHERE sha256 = ?");
    this.#put = database.prepare("INSERT INTO bodies VALUES (?, ?) ON CONFLICT DO NOTHING");
    this.#remove = database.prepare("DELETE FROM bodies WHERE sha256 = ?");
  }

  has(sha256: string): boolean {
    return isSha256(sha256) && this.#has.get(Uint8Array.fromHex(sha256)) !== undefined;
  }

  /** The bytes in a body; `undefined` if it is not here. */
  sizeOf(sha256: string): number | undefined {
    const size = this.#size.get(Uint8Array.fromHex(sha256))?.size;
    return typeof size === "number" ? size : undefined;
  }

  get(sha256: string): Uint8Array | undefined {
    if (!isSha256(sha256)) return undefined;
    const bytes = this.#get.get(Uint8Array.fromHex(sha256))?.bytes;
    return bytes instanceof Uint8Array ? bytes : undefined;
  }

  put(sha256: string, bytes: Uint8Array): void {
    this.#put.run(Uint8Array.fromHex(sha256), bytes);
  }

  /** Whether there was such a body to remove. */
  remove(sha256: string): boolean {
    return Number(this.#remove.run(Uint8Array.fromHex(sha256)).changes) > 0;
  }
}
