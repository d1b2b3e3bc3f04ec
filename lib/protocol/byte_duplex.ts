/** A stream of bytes as a stream of Node, which is what `node:tls` and `node:http` work on. */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { type ByteStream, ConnectionError } from "./byte_stream.ts";

/** The most bytes that one read takes: those of a few records of TLS. */
const readBytesMax = 64 * 1024;

/** How long the other side may take to end a connection that has ended here, in milliseconds. */
const lingerMs = 1000;

/** A stream of bytes, from whose beginning something may have been read. */
export class ByteDuplex extends Duplex {
  readonly #stream: ByteStream;
  #begun: Uint8Array | undefined;
  #isHeld = false;
  #isReadDue = false;
  #lingers = false;
  #reading: Promise<void> = Promise.resolve();
  /** Settled when nothing waits to be written. */
  #drained: PromiseWithResolvers<void> | undefined;
  #bytesRead = 0;
  #bytesWritten = 0;

  /** Takes over the stream, and closes it. `begun` is what was read from it before. */
  constructor(stream: ByteStream, begun?: Uint8Array) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    // It closes then, which is all that whoever has not asked for more need know.
    this.on("error", () => {});
    this.#begun = begun;
  }

  /** Bytes read from the stream so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Bytes written so far, those included that wait, as `node:net` counts them. */
  get bytesWritten(): number {
    return this.#bytesWritten + this.writableLength;
  }

  /** Resolves when the stream has taken all that was written; rejects when it does not. */
  drained(): Promise<void> {
    if (this.destroyed) return Promise.reject(new ConnectionError("the connection is closed"));
    if (this.writableLength === 0) return Promise.resolve();
    this.#drained ??= Promise.withResolvers();
    return this.#drained.promise;
  }

  /**
   * Closes when the other side has, or a second is over. To close a socket at once into which something has
   * come that nobody has read loses what is on its way out.
   */
  destroyGently(): void {
    this.#lingers = true;
    this.destroy();
  }

  /** Reads nothing more until `release` is called: `node:tls` takes whatever comes, wanted or not. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    if (!this.#isReadDue) return;
    this.#isReadDue = false;
    this._read();
  }

  override _read(): void {
    if (this.#isHeld) {
      this.#isReadDue = true;
      return;
    }
    this.#reading = this.#read().then((bytes) => {
      this.push(bytes);
    }, (error) => {
      this.destroy(error);
    });
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#write(chunk).then(() => {
      done();
      // What is written is no longer counted after that.
      if (this.writableLength > 0) return;
      this.#drained?.resolve();
      this.#drained = undefined;
    }, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    (this.#stream.closeWrite?.() ?? Promise.resolve()).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#lingers && error === null) void this.#linger();
    else this.#close();
    this.#drained?.reject(error ?? new ConnectionError("the connection is closed"));
    done(error);
  }

  async #read(): Promise<Buffer | null> {
    const begun = this.#begun;
    this.#begun = undefined;
    if (begun !== undefined) return Buffer.from(begun);
    const buffer = Buffer.alloc(readBytesMax);
    const count = await this.#stream.read(buffer);
    if (count === null) return null;
    this.#bytesRead += count;
    return buffer.subarray(0, count);
  }

  /** Never rejects: what fails here has ended. */
  async #linger(): Promise<void> {
    const timer = setTimeout(() => this.#close(), lingerMs);
    try {
      await this.#stream.closeWrite?.();
      await this.#reading;
      const buffer = new Uint8Array(readBytesMax);
      while (await this.#stream.read(buffer) !== null);
    } catch {
      // The other side has reset the connection, or it has been closed here, in time.
    }
    clearTimeout(timer);
    this.#close();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    let written = 0;
    while (written < bytes.length) written += await this.#stream.write(bytes.subarray(written));
    this.#bytesWritten += bytes.length;
  }

  /** Whoever made the stream may have closed it already. */
  #close(): void {
    try {
      this.#stream.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}
