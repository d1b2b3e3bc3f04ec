/**
 * A cache of so many bytes. What was not asked for lately makes room for what is new: an entry that was asked
 * for since its turn came last is passed over once (the second chance, or CLOCK, of Corbató 1968), so that to
 * ask for one changes nothing but a mark.
 */

/** What an entry takes beside its own bytes, about. */
const entryBytes = 1024;

interface Entry<Value> {
  readonly value: Value;
  readonly bytes: number;
  /** Whether it was asked for since its turn came last. */
  isUsed: boolean;
}

/** Keeps values by keys of text. */
export class ByteCache<Value> {
  readonly #bytesMax: number;
  /** In the order in which their turns come. */
  readonly #entries = new Map<string, Entry<Value>>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** What all values take, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.isUsed = true;
    return entry.value;
  }

  /** Keeps a value, unless it is too large for the cache. */
  set(key: string, value: Value, bytes: number): void {
    this.delete(key);
    const cost = bytes + 2 * key.length + entryBytes;
    if (cost > this.#bytesMax) return;
    this.#makeRoom(cost);
    this.#entries.set(key, { value, bytes: cost, isUsed: false });
    this.#bytes += cost;
  }

  delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }

  /** Ends, as whoever is passed over once is not a second time. */
  #makeRoom(bytes: number): void {
    for (const [key, entry] of this.#entries) {
      if (this.#bytes + bytes <= this.#bytesMax) return;
      this.delete(key);
      if (!entry.isUsed) continue;
      entry.isUsed = false;
      this.#entries.set(key, entry);
      this.#bytes += entry.bytes;
    }
  }
}
