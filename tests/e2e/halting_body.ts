/** A body whose upload stands still in the middle, so that something can happen meanwhile. */

/** Bytes to put, of which the second half is sent only after {@linkcode HaltingBody.resume}. */
export class HaltingBody implements AsyncIterable<Uint8Array> {
  readonly #bytes: Uint8Array;
  readonly #halfSent = Promise.withResolvers<void>();
  readonly #resumed = Promise.withResolvers<void>();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes in all. */
  get size(): number {
    return this.#bytes.length;
  }

  /** Resolves when the first half is on its way. */
  get halfSent(): Promise<void> {
    return this.#halfSent.promise;
  }

  /** Lets the second half go. */
  resume(): void {
    this.#resumed.resolve();
  }

  /** The two halves; the client asks for the second when it has sent the first. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    const half = Math.floor(this.size / 2);
    yield this.#bytes.subarray(0, half);
    this.#halfSent.resolve();
    await this.#resumed.promise;
    yield this.#bytes.subarray(half);
  }
}
