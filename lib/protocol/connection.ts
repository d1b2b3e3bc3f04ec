/**
 * A connection that carries frames and bodies, for servers and clients alike.
 *
 * Receiving is pulled, one frame at a time, so a peer that sends faster than it is served fills its
 * own socket and no memory of ours. Sending is a queue (`send_queue.ts`). Both end together: when a
 * read or a write fails, or `close()` is called, everything that is pending ends.
 *
 * Deadlines are the caller's: it sets a timer, and calls `close()`.
 */
import { assert } from "../ring/assert.ts";
import { ConnectionError } from "./byte_stream.ts";
import type { ByteStream } from "./byte_stream.ts";
import { frameBytesMax, FrameDecoder } from "./frame.ts";
import type { FrameEvent, JsonObject } from "./frame.ts";
import { ProtocolError } from "./protocol_error.ts";
import { SendQueue } from "./send_queue.ts";

export { ConnectionError } from "./byte_stream.ts";
export type { ByteStream } from "./byte_stream.ts";

/** The most bytes that one read takes from the stream. */
const readBytesMax = 64 * 1024;

/** A frame received; `size` raw bytes follow it, if that is not `undefined`. */
export interface Received {
  readonly value: JsonObject;
  readonly size: number | undefined;
}

/** Frames and bodies, on a stream of bytes. */
export class FrameConnection {
  readonly #stream: ByteStream;
  readonly #queue: SendQueue;
  readonly #decoder = new FrameDecoder();
  /** What the decoder works on: read into again only when that has used it up. */
  readonly #buffer = new Uint8Array(readBytesMax);
  #receiving = false;
  /** The size of the body that is not yet received to its end. */
  #bodySize: number | undefined;
  /** Nothing more comes: the stream has ended. */
  #ended = false;
  #bytesReceived = 0;
  #closed = false;
  #failure: ConnectionError | undefined;

  /** Takes over the stream, and closes it. */
  constructor(stream: ByteStream) {
    this.#stream = stream;
    this.#queue = new SendQueue(stream, (error) => this.#fail(error));
  }

  /** Whether the connection is closed, by `close()` or by a failure. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether part of a frame has been received, and the rest has not. */
  get isMidFrame(): boolean {
    return !this.#decoder.idle;
  }

  /** Bytes received so far, bodies included. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /** Bytes sent so far, as far as the stream has taken them, bodies included. */
  get bytesWritten(): number {
    return this.#queue.bytesWritten;
  }

  /** Bytes of frames that wait to be sent, or for the other side to take them. */
  get bytesWaiting(): number {
    return this.#queue.bytesWaiting;
  }

  /**
   * The next frame, or `undefined` when the other side has ended or `close()` was called. A body must
   * have been received to its end, or skipped, before the next call. A frame may have `bytesMax` bytes.
   *
   * @throws {ProtocolError} for what is no frame, or one that is cut; later calls throw it again.
   * The connection stays open, for an answer.
   * @throws {ConnectionError} when the connection has failed.
   */
  async receive(bytesMax = frameBytesMax): Promise<Received | undefined> {
    if (this.#closed && this.#failure === undefined) return undefined;
    assert(this.#bodySize === undefined, "a frame is received before the body of the one before");
    const event = await this.#nextEvent(bytesMax);
    if (event === undefined) return undefined;
    assert(event.type === "frame", `a frame was due, and not ${event.type}`);
    const { value, size } = event;
    this.#bodySize = size;
    if (size === 0) await this.skipBody();
    return { value, size };
  }

  /**
   * The body of the frame received last, in chunks that are the caller's to keep. One that is left
   * early can be gone on with, or skipped.
   *
   * @throws {ProtocolError} when the other side ends before the body does.
   * @throws {ConnectionError} when the connection is closed or has failed.
   */
  async *body(): AsyncGenerator<Uint8Array, void, void> {
    let bytes = await this.#nextOfBody();
    while (bytes !== undefined) {
      // A copy, as the next read overwrites the buffer.
      yield bytes.slice();
      bytes = await this.#nextOfBody();
    }
  }

  /**
   * The whole body of the frame received last, empty if it has none, in memory of its own.
   *
   * @throws {ProtocolError} 413 if it has more than `bytesMax` bytes, and as `body()` does.
   */
  async readBody(bytesMax: number): Promise<Uint8Array> {
    const size = this.#bodySize ?? 0;
    if (size > bytesMax) {
      throw new ProtocolError(
        413,
        `Cannot take a body of ${size} bytes: it may have at most ${bytesMax}`,
      );
    }
    const body = new Uint8Array(size);
    let filled = 0;
    let bytes = await this.#nextOfBody();
    while (bytes !== undefined) {
      body.set(bytes, filled);
      filled += bytes.length;
      bytes = await this.#nextOfBody();
    }
    return body;
  }

  /** Receives what is left of a body, if anything, and drops it; throws as `body()` does. */
  async skipBody(): Promise<void> {
    while (await this.#nextOfBody() !== undefined);
  }

  /**
   * Queues bytes, which may not be changed afterwards; frames queued in one turn go out together.
   * Resolves when there is room for more: at once, unless the other side is slow. Whoever need not
   * wait may ignore the promise: its rejection is never unhandled. Over `sendQueueBytesMax` the
   * connection is closed.
   *
   * @throws {ConnectionError} when the connection is closed or has failed.
   */
  send(...pieces: Uint8Array[]): Promise<void> {
    return this.#queue.send(pieces);
  }

  /** As `send`, for what can wait for what is sent next, or for {@linkcode laterMs}. */
  sendLater(...pieces: Uint8Array[]): Promise<void> {
    return this.#queue.send(pieces, { canWait: true });
  }

  /**
   * Queues a body of `size` bytes, to be taken chunk by chunk as the other side receives it; what is
   * sent after it waits. Resolves when all of it is written. A source that fails, or that does not
   * give `size` bytes, closes the connection, as nothing else would tell the other side.
   *
   * @throws {ConnectionError} when the connection is closed or has failed; `cause` has the failure
   * of the source.
   */
  sendBody(size: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#queue.sendBody(size, chunks);
  }

  /**
   * Resolves when everything queued has been written.
   *
   * @throws {ConnectionError} when the connection is closed or has failed.
   */
  flush(): Promise<void> {
    return this.#queue.flush();
  }

  /**
   * Writes what is queued, and tells the other side that no more will come; receiving goes on.
   *
   * @throws {ConnectionError} when the connection is closed or has failed.
   */
  async closeWrite(): Promise<void> {
    await this.flush();
    try {
      await this.#stream.closeWrite?.();
    } catch (cause) {
      throw this.#failed("Cannot end a connection", cause);
    }
  }

  /**
   * Reads and drops what the other side still sends, up to its end or `bytesMax` bytes: closed with
   * bytes unread, a socket would reset the connection, and the other side lose our last answer.
   */
  async drain(bytesMax: number): Promise<void> {
    let bytes = 0;
    while (!this.#closed && bytes < bytesMax) {
      const count = await this.#stream.read(this.#buffer).catch(() => null);
      if (count === null) return;
      bytes += count;
    }
  }

  /** Closes the connection; what is queued is lost. Harmless when it is closed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.fail(new ConnectionError("Cannot send: the connection is closed"));
    this.#stream.close();
  }

  async #nextOfBody(): Promise<Uint8Array | undefined> {
    if (this.#bodySize === undefined) return undefined;
    const event = await this.#nextEvent();
    if (event === undefined) {
      throw new ConnectionError("Cannot receive a body: the connection is closed");
    }
    if (event.type === "data") return event.bytes;
    assert(event.type === "end", `a body was due, and not a ${event.type}`);
    this.#bodySize = undefined;
    return undefined;
  }

  /** The next event, or `undefined` at the end. */
  async #nextEvent(bytesMax = frameBytesMax): Promise<FrameEvent | undefined> {
    assert(!this.#receiving, "two receive from one connection");
    this.#receiving = true;
    try {
      while (!this.#closed) {
        const event = this.#decoder.next(bytesMax);
        if (event !== undefined || this.#ended) return event;
        await this.#read();
      }
    } finally {
      this.#receiving = false;
    }
    if (this.#failure !== undefined) throw this.#failure;
    return undefined;
  }

  async #read(): Promise<void> {
    let count: number | null;
    try {
      count = await this.#stream.read(this.#buffer);
    } catch (cause) {
      // After close() this is only the read that it ended.
      if (!this.#closed) this.#failed("Cannot receive", cause);
      return;
    }
    if (count !== null) {
      this.#bytesReceived += count;
      this.#decoder.push(this.#buffer.subarray(0, count));
      return;
    }
    this.#ended = true;
    if (!this.#closed) this.#decoder.end();
  }

  #failed(what: string, cause: unknown): ConnectionError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = new ConnectionError(`${what}: ${reason}`, { cause });
    this.#fail(error);
    return error;
  }

  #fail(error: ConnectionError): void {
    if (this.#closed) return;
    this.#failure = error;
    this.#queue.fail(error);
    this.close();
  }
}
