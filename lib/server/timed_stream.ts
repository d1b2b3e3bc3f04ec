/**
 * A connection's stream, with a memory of when it last moved. Sockets of Deno have no timeouts; the
 * server looks at all its connections now and then, and closes those that stand still (`watchdog.ts`).
 */
import type { ByteStream } from "../protocol/byte_stream.ts";

/** A stream that knows when bytes last went through it. */
export class TimedStream implements ByteStream {
  readonly #stream: ByteStream;
  /** When bytes were last read or written, in milliseconds of `performance.now()`. */
  #movedAt = performance.now();
  #writing = 0;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /** For how long nothing has been read or written, in milliseconds. */
  get stillForMs(): number {
    return performance.now() - this.#movedAt;
  }

  /** Whether bytes wait for the other side to take them. */
  get isWriting(): boolean {
    return this.#writing > 0;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    const count = await this.#stream.read(buffer);
    this.#movedAt = performance.now();
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    this.#writing++;
    try {
      return await this.#stream.write(bytes);
    } finally {
      this.#writing--;
      this.#movedAt = performance.now();
    }
  }

  close(): void {
    this.#stream.close();
  }

  closeWrite(): Promise<void> {
    return this.#stream.closeWrite?.() ?? Promise.resolve();
  }
}
