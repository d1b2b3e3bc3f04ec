/** A socket of Node as a stream of bytes. */
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { type ByteStream, ConnectionError } from "./byte_stream.ts";

/** The most bytes of one write, so that whoever watches a large one sees it move. */
const writeBytesMax = 64 * 1024;

/** Reads and writes a socket, with no more in memory than one read brings. */
export class SocketStream implements ByteStream {
  readonly #socket: Duplex;
  /** What was received and did not fit into the buffer of a read. */
  #rest: Uint8Array | undefined;
  #ended = false;
  #failure: Error | undefined;
  /** Called when there may be something to read, or nothing will come any more. */
  #wake: () => void = () => {};

  /** Takes over the socket, and closes it. */
  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on("readable", () => {
      this.onReadable();
      this.#wake();
    });
    socket.on("end", () => {
      this.#ended = true;
      this.#wake();
    });
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new ConnectionError("the connection is closed")));
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    for (;;) {
      const bytes = this.#rest ?? this.take();
      if (bytes !== undefined) {
        const count = Math.min(bytes.length, buffer.length);
        buffer.set(bytes.subarray(0, count));
        this.#rest = count < bytes.length ? bytes.subarray(count) : undefined;
        return count;
      }
      if (this.#ended) return null;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async write(bytes: Uint8Array): Promise<number> {
    const piece = bytes.subarray(0, writeBytesMax);
    await new Promise<void>((resolve, reject) => {
      this.#socket.write(piece, (error) => error ? reject(error) : resolve());
    });
    return piece.length;
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = () => reject(new ConnectionError("the connection is closed"));
      if (this.#socket.destroyed) return fail();
      this.#socket.once("close", fail);
      this.#socket.end(() => {
        this.#socket.off("close", fail);
        resolve();
      });
    });
  }

  close(): void {
    this.#socket.destroy();
    this.#fail(new ConnectionError("the connection is closed"));
  }

  /** There is something to read, whether or not anybody wants it. */
  protected onReadable(): void {}

  /** What has been received, if anything. */
  protected take(): Uint8Array | undefined {
    if (this.#failure !== undefined) return undefined;
    const bytes: Buffer | null = this.#socket.read();
    return bytes === null || bytes.length === 0 ? undefined : bytes;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }
}
