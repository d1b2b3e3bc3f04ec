/** Two ends of a connection in memory, that can be slow, short of breath, or broken. */
import type { ByteStream } from "../../lib/protocol/byte_stream.ts";

/** How the bytes travel. */
export interface PipeOptions {
  /** The most bytes that wait to be read; a write waits for room. */
  readonly capacity?: number;
  /** The most bytes that one write takes. */
  readonly writeBytesMax?: number;
  /** The most bytes that one read gives. */
  readonly readBytesMax?: number;
}

/** One direction. */
class Pipe {
  readonly writes: number[] = [];
  #bytes: number[] = [];
  #ended = false;
  #broken = false;
  #waiting: (() => void)[] = [];

  constructor(readonly options: PipeOptions) {}

  async read(buffer: Uint8Array): Promise<number | null> {
    await this.#until(() => this.#bytes.length > 0 || this.#ended);
    if (this.#bytes.length === 0) return null;
    const bytesMax = Math.min(buffer.length, this.options.readBytesMax ?? Infinity);
    const bytes = this.#bytes.splice(0, bytesMax);
    buffer.set(bytes);
    this.#wake();
    return bytes.length;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const capacity = this.options.capacity ?? Infinity;
    await this.#until(() => this.#bytes.length < capacity);
    if (this.#ended) throw new Error("broken pipe");
    const room = Math.min(capacity - this.#bytes.length, this.options.writeBytesMax ?? Infinity);
    const taken = bytes.subarray(0, room);
    for (const byte of taken) this.#bytes.push(byte);
    this.writes.push(taken.length);
    this.#wake();
    return taken.length;
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  breakDown(): void {
    this.#broken = true;
    this.#wake();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!this.#broken && !condition()) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#broken) throw new Error("connection reset");
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** One end. */
export class MemoryStream implements ByteStream {
  closed = false;

  constructor(private readonly input: Pipe, private readonly output: Pipe) {}

  /** The size of each write that went out here. */
  get writes(): readonly number[] {
    return this.output.writes;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.input.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.output.write(bytes);
  }

  closeWrite(): Promise<void> {
    this.output.end();
    return Promise.resolve();
  }

  close(): void {
    if (this.closed) throw new Error("closed twice");
    this.closed = true;
    this.output.end();
    this.input.breakDown();
  }

  /** As if the network had broken: both ends fail. */
  reset(): void {
    this.output.breakDown();
    this.input.breakDown();
  }
}

/** The two ends of a connection. */
export function memoryPair(options: PipeOptions = {}): [MemoryStream, MemoryStream] {
  const there = new Pipe(options);
  const back = new Pipe(options);
  return [new MemoryStream(back, there), new MemoryStream(there, back)];
}
