/**
 * The body of a PUT on its way to a server: counted, hashed, and watched.
 *
 * The connection asks for a chunk when the one before is written, so the time between two chunks is
 * the server's, and the watchdog runs; the time in which the source makes a chunk is ours.
 */
import { createHash } from "node:crypto";
import type { Watchdog } from "./watchdog.ts";

/** One body, sent once. */
export class Upload {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #hash = createHash("sha256");
  #taken = 0;
  #failure: { readonly error: unknown } | undefined;

  /** `source` is to give `size` bytes. */
  constructor(readonly size: number, source: AsyncIterable<Uint8Array>) {
    this.#source = source;
  }

  /** Whether all bytes have been handed to the connection: before that nothing can be stored. */
  get complete(): boolean {
    return this.#taken === this.size;
  }

  /** Why the source could not be read, if it could not. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** SHA-256 of all bytes, in hexadecimal; to be called once, at the end. */
  digest(): string {
    return this.#hash.digest("hex");
  }

  /** The body, for the connection to send, which may take `timeoutMs` for each chunk of it. */
  async *chunks(watchdog: Watchdog, timeoutMs: number): AsyncGenerator<Uint8Array, void, void> {
    try {
      for await (const chunk of this.#exactly()) {
        watchdog.start(timeoutMs);
        yield chunk;
        watchdog.stop();
      }
    } finally {
      watchdog.stop();
    }
  }

  /** What the source gives, as long as that is as many bytes as were announced. */
  async *#exactly(): AsyncGenerator<Uint8Array, void, void> {
    try {
      for await (const chunk of this.#source) {
        if (this.#taken + chunk.length > this.size) {
          throw new RangeError(`it has more than ${this.size} bytes`);
        }
        this.#hash.update(chunk);
        this.#taken += chunk.length;
        yield chunk;
      }
      if (this.complete) return;
      throw new RangeError(`it has only ${this.#taken} of ${this.size} bytes`);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }
}
