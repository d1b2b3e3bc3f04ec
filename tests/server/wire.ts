/**
 * A client that can do everything wrong: it sends bytes as they are given, reads only when it is told
 * to, and stops where it likes. What it reads is decoded, and every body is read to its end.
 */
import { FrameConnection } from "../../lib/protocol/connection.ts";
import { decodeAnswer } from "../../lib/protocol/decode.ts";
import { encodeFrame, type JsonObject } from "../../lib/protocol/frame.ts";
import { greet } from "../../lib/protocol/handshake.ts";
import type { Secret } from "../../lib/protocol/secret.ts";
import { parseAddress } from "../../lib/ring/address.ts";
import type { ClientAnswer } from "../../lib/ring/request.ts";

/** The largest body that a test reads, in bytes. */
const bodyBytesMax = 64 * 1024 * 1024;

/** How long the server may leave a test without an answer, in milliseconds. */
const answerTimeoutMs = 20_000;

/** What came back: the object of a frame, and the body after it. */
export interface Reply {
  readonly value: JsonObject;
  readonly body: Uint8Array;
}

/** One connection to a server. */
export class Wire implements Disposable {
  readonly #conn: Deno.TcpConn;
  readonly #connection: FrameConnection;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.#connection = new FrameConnection(conn);
  }

  /** With a secret, it proves to know it first. */
  static async connect(address: string, secret?: Secret): Promise<Wire> {
    const target = parseAddress(address);
    if (target === undefined) throw new Error(`${address} is no address`);
    const conn = await Deno.connect({ hostname: target.host, port: target.port });
    conn.setNoDelay(true);
    const wire = new Wire(conn);
    try {
      if (secret !== undefined) {
        await greet(wire.#connection, { secret, id: "" });
        // What the test sends goes past the connection's queue.
        await wire.#connection.flush();
      }
    } catch (error) {
      wire.close();
      throw error;
    }
    return wire;
  }

  /** Sends bytes as they are, all of them. */
  async sendBytes(...pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) {
      for (let sent = 0; sent < piece.length;) {
        sent += await this.#conn.write(piece.subarray(sent));
      }
    }
  }

  /** Sends an object as a frame, whatever it is, and what is to follow it. */
  async send(message: object, ...after: readonly Uint8Array[]): Promise<void> {
    await this.sendBytes(encodeFrame(message), ...after);
  }

  /** The next frame with its body, or `undefined` when the server has closed the connection. */
  async receive(): Promise<Reply | undefined> {
    const timer = setTimeout(() => this.close(), answerTimeoutMs);
    try {
      const received = await this.#connection.receive();
      if (received === undefined) return undefined;
      return { value: received.value, body: await this.#connection.readBody(bodyBytesMax) };
    } finally {
      clearTimeout(timer);
    }
  }

  /** The next answer to a client; fails if the server has closed the connection. */
  async answer(): Promise<ClientAnswer & { readonly body: Uint8Array }> {
    const reply = await this.receive();
    if (reply === undefined) throw new Error("The server closed the connection without an answer");
    const answer = decodeAnswer(reply.value, "size" in reply.value ? reply.body.length : undefined);
    return { ...answer, body: reply.body };
  }

  /** Sends a request and returns its answer. */
  async ask(
    message: object,
    ...after: readonly Uint8Array[]
  ): Promise<ClientAnswer & { readonly body: Uint8Array }> {
    await this.send(message, ...after);
    return await this.answer();
  }

  /** Puts a file, and returns the answer. */
  put(item: string, body: Uint8Array): Promise<ClientAnswer> {
    return this.ask({ type: "PUT", item, size: body.length }, body);
  }

  /** Reads, and drops, until the server has closed the connection, however it does. */
  async untilClosed(): Promise<void> {
    try {
      while (await this.receive() !== undefined);
    } catch {
      // A connection that was reset, or a frame that was cut, is as closed as one that has ended.
    }
  }

  /** Ends the sending half: the server reads an end, and can still answer. */
  async end(): Promise<void> {
    await this.#conn.closeWrite();
  }

  close(): void {
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
