/** Pipelined PUTs through the ring protocol: no more than frames on a socket. */
import { encodeFrame, FrameDecoder } from "../../lib/protocol/frame.ts";
import { type Address, parseAddress } from "../../lib/ring/address.ts";
import { type BatchWriter, exchange } from "./pipeline.ts";

/** What a PUT has to say about itself. */
export interface RingWriterOptions {
  readonly bodyBytes: number;
  /** How many servers must have it. */
  readonly copies: number;
}

/** Batches of PUT. */
export class RingWriter implements BatchWriter {
  static #next = 0;
  readonly #conn: Deno.TcpConn;
  readonly #decoder = new FrameDecoder();
  readonly #options: RingWriterOptions;
  readonly #rest: string;

  private constructor(conn: Deno.TcpConn, options: RingWriterOptions) {
    this.#conn = conn;
    this.#options = options;
    this.#rest = "x".repeat(options.bodyBytes - 12);
  }

  /** A connection to the server at `address`. */
  static async connect(address: Address, options: RingWriterOptions): Promise<RingWriter> {
    const { host: hostname = "", port = 0 } = parseAddress(address) ?? {};
    const conn = await Deno.connect({ hostname, port });
    conn.setNoDelay(true);
    return new RingWriter(conn, options);
  }

  async write(count: number): Promise<void> {
    const { bodyBytes } = this.#options;
    const frames = Array.from({ length: count }, () => {
      const number = RingWriter.#next++;
      const head = encodeFrame({ type: "PUT", item: `put-${number % 1000}`, size: bodyBytes });
      const body = encoder.encode(`${number}`.padStart(12, "0") + this.#rest);
      return [head, body];
    });
    let left = count;
    await exchange(this.#conn, concatenate(frames.flat()), (chunk) => {
      left -= this.#countAnswers(chunk);
      return left === 0;
    });
  }

  close(): void {
    this.#conn.close();
  }

  #countAnswers(chunk: Uint8Array): number {
    // The decoder keeps what it is given until it has used it up.
    this.#decoder.push(chunk);
    let answers = 0;
    for (let event = this.#decoder.next(); event !== undefined; event = this.#decoder.next()) {
      if (event.type !== "frame" || event.value.copies !== this.#options.copies) {
        throw new Error(`A server has answered ${JSON.stringify(event)}`);
      }
      answers++;
    }
    return answers;
  }
}

const encoder = new TextEncoder();

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
