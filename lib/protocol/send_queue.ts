/**
 * What waits to be sent on one connection, in order: frames, and bodies that are streamed.
 *
 * One loop, the pump, empties the queue. It begins one turn after the first frame was queued, or
 * `gatherMs` if the turn takes longer, so that the receiver has something to do meanwhile; and it writes
 * what has gathered by then, or during the write before, as one piece. A body is an item of the
 * queue like a frame: its chunks are asked for when its turn comes, each when the one before has been
 * written, so a body is never in memory, and frames sent meanwhile go out after it.
 *
 * What can wait is queued as well, but begins nothing: it goes out with what is sent next, or after
 * `laterMs`. So messages that nobody waits for wake no process of their own.
 *
 * The queue is bounded: who sends is told to wait at a high-water mark, and who does not wait loses
 * the connection at `sendQueueBytesMax`.
 */
import { setImmediate } from "node:timers";
import { ConnectionError } from "./byte_stream.ts";
import type { ByteStream } from "./byte_stream.ts";

/** The most bytes that may wait on one connection, bodies not counted. */
export const sendQueueBytesMax = 8 * 1024 * 1024;

/** Above so many bytes, whoever sends is asked to wait. */
export const sendHighWaterBytes = 256 * 1024;

/** For how long what can wait does, in milliseconds: far less than anybody's patience (`hopTimeoutMs`). */
export const laterMs = 10;

/** A connection is busy that sent something so many milliseconds ago, or less. */
const busyMs = 1;

/** For how long frames are gathered at the least, if the turn takes as long, in milliseconds. */
export const gatherMs = 0.2;

/** Frames are gathered into writes of at most so many bytes: a FORWARD with its body is one. */
const writeBytesMax = 128 * 1024;

/** The other side takes less than is sent to it: the connection is given up. */
export class SendQueueFullError extends ConnectionError {}

interface BodyItem {
  readonly size: number;
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly sent: PromiseWithResolvers<void>;
}

type Item = Uint8Array | BodyItem;

const done = Promise.resolve();

/** The sending half of a connection. */
export class SendQueue {
  readonly #stream: ByteStream;
  readonly #onFailure: (error: ConnectionError) => void;
  #items: Item[] = [];
  /** Bytes of frames, those that are being written included. */
  #bytes = 0;
  #bytesWritten = 0;
  #pumping = false;
  /** When the queue was emptied last, in milliseconds of `performance.now()`. */
  #pumpedAt = -Infinity;
  /** The turn whose end the pump waits for. */
  #turn: { readonly beganAt: number; readonly end: () => void } | undefined;
  #later: ReturnType<typeof setTimeout> | undefined;
  #failure: ConnectionError | undefined;

  /** Settled when the queue falls to the high-water mark. */
  #roomy: PromiseWithResolvers<void> | undefined;
  /** Settled when the queue is empty. */
  #empty: PromiseWithResolvers<void> | undefined;
  /** Bodies that are queued or under way. */
  readonly #bodies = new Set<BodyItem>();

  /** `onFailure` is called once, when a write, or the source of a body, fails. */
  constructor(stream: ByteStream, onFailure: (error: ConnectionError) => void) {
    this.#stream = stream;
    this.#onFailure = onFailure;
  }

  /** Bytes that the stream has taken so far, bodies included. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Bytes of frames that wait to be taken, what is being written included. */
  get bytesWaiting(): number {
    return this.#bytes;
  }

  /** Queues bytes, not to be changed afterwards; resolves when there is room for more. */
  send(pieces: readonly Uint8Array[], { canWait = false } = {}): Promise<void> {
    if (this.#failure !== undefined) return rejected(this.#failure);
    let bytes = 0;
    for (const piece of pieces) bytes += piece.length;
    if (this.#bytes + bytes > sendQueueBytesMax) {
      const error = new SendQueueFullError(
        `Cannot send ${bytes} bytes: ${this.#bytes} wait, and at most ${sendQueueBytesMax} may`,
      );
      this.#break(error);
      return rejected(error);
    }
    this.#bytes += bytes;
    this.#items.push(...pieces);
    if (!canWait) this.#start();
    else this.#later ??= setTimeout(() => this.#start(), laterMs);
    if (this.#bytes <= sendHighWaterBytes) return done;
    this.#roomy ??= deferred();
    return this.#roomy.promise;
  }

  /** Queues a body; resolves when it has been written. */
  sendBody(size: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#failure !== undefined) return rejected(this.#failure);
    const body = { size, chunks, sent: deferred() };
    this.#bodies.add(body);
    this.#items.push(body);
    this.#start();
    return body.sent.promise;
  }

  /** Resolves when nothing waits to be written. */
  flush(): Promise<void> {
    if (this.#failure !== undefined) return rejected(this.#failure);
    if (this.#items.length > 0) this.#start();
    if (!this.#pumping) return done;
    this.#empty ??= deferred();
    return this.#empty.promise;
  }

  /** Drops what waits, and rejects everybody who waits for it. */
  fail(error: ConnectionError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    clearTimeout(this.#later);
    this.#items = [];
    this.#bytes = 0;
    this.#roomy?.reject(error);
    this.#empty?.reject(error);
    for (const body of this.#bodies) body.sent.reject(error);
    this.#bodies.clear();
  }

  #break(error: ConnectionError): void {
    if (this.#failure !== undefined) return;
    this.fail(error);
    this.#onFailure(error);
  }

  #start(): void {
    clearTimeout(this.#later);
    this.#later = undefined;
    if (this.#turn !== undefined && performance.now() - this.#turn.beganAt > gatherMs) {
      this.#turn.end();
    }
    if (this.#pumping) return;
    this.#pumping = true;
    // It never rejects: it hands its failure to everybody who waits.
    void this.#pump();
  }

  async #pump(): Promise<void> {
    // What is sent in this turn goes out together; where little is sent, nothing is worth waiting for.
    const now = performance.now();
    if (now - this.#pumpedAt < busyMs) await this.#turnEnd(now);
    else await done;
    try {
      while (this.#items.length > 0) {
        const items = this.#items;
        this.#items = [];
        for (const item of gather(items)) {
          if (item instanceof Uint8Array) await this.#writeFrames(item);
          else await this.#writeBody(item);
          if (this.#failure !== undefined) return;
        }
      }
      this.#pumping = false;
      this.#pumpedAt = performance.now();
      this.#empty?.resolve();
      this.#empty = undefined;
    } catch (cause) {
      this.#break(asConnectionError(cause));
    }
  }

  /** Resolves when the event loop has handed out all that it has just been given, or takes too long. */
  async #turnEnd(beganAt: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = { beganAt, end: resolve };
    setImmediate(resolve);
    await promise;
    this.#turn = undefined;
  }

  async #writeFrames(bytes: Uint8Array): Promise<void> {
    await this.#write(bytes);
    if (this.#failure !== undefined) return;
    this.#bytes -= bytes.length;
    if (this.#bytes > sendHighWaterBytes) return;
    this.#roomy?.resolve();
    this.#roomy = undefined;
  }

  async #writeBody(body: BodyItem): Promise<void> {
    let sent = 0;
    for await (const chunk of body.chunks) {
      if (this.#failure !== undefined) return;
      sent += chunk.length;
      if (sent > body.size) break;
      await this.#write(chunk);
    }
    if (this.#failure !== undefined) return;
    if (sent !== body.size) {
      const amount = sent > body.size ? `${sent} or more` : `only ${sent}`;
      throw new ConnectionError(
        `Cannot send a body of ${body.size} bytes: its source has ${amount}`,
      );
    }
    this.#bodies.delete(body);
    body.sent.resolve();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    let written = 0;
    while (written < bytes.length && this.#failure === undefined) {
      const count = await this.#stream.write(written === 0 ? bytes : bytes.subarray(written));
      written += count;
      this.#bytesWritten += count;
    }
  }
}

/** The same items, with frames that stand together joined, up to `writeBytesMax`. */
function* gather(items: readonly Item[]): Generator<Item> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  for (const item of items) {
    const fits = item instanceof Uint8Array && bytes + item.length <= writeBytesMax;
    if (!fits && pieces.length > 0) {
      yield join(pieces, bytes);
      pieces = [];
      bytes = 0;
    }
    if (item instanceof Uint8Array) {
      pieces.push(item);
      bytes += item.length;
    } else {
      yield item;
    }
  }
  if (pieces.length > 0) yield join(pieces, bytes);
}

function join(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1) return first;
  const joined = new Uint8Array(bytes);
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.length;
  }
  return joined;
}

function asConnectionError(cause: unknown): ConnectionError {
  if (cause instanceof ConnectionError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConnectionError(`Cannot send: ${reason}`, { cause });
}

/** A promise for others to wait for; that nobody may be waiting when it is rejected is no fault. */
function deferred(): PromiseWithResolvers<void> {
  const result = Promise.withResolvers<void>();
  result.promise.catch(ignore);
  return result;
}

function rejected(error: ConnectionError): Promise<void> {
  const promise = Promise.reject(error);
  promise.catch(ignore);
  return promise;
}

/** The failure reaches whoever waits, and whoever receives on the connection. */
function ignore(): void {}
