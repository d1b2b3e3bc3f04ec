/** A server that answers FETCH, well or badly, as a test tells it. */
import { FrameConnection } from "../../lib/protocol/connection.ts";
import { decodeIncoming } from "../../lib/protocol/decode.ts";
import { encodeAnswer } from "../../lib/protocol/encode.ts";
import { ip } from "./ring.ts";

/** One connection that was opened to the source. */
export class SourceConnection {
  readonly #connection: FrameConnection;
  readonly #bodies: ReadonlyMap<string, Uint8Array>;

  constructor(connection: FrameConnection, bodies: ReadonlyMap<string, Uint8Array>) {
    this.#connection = connection;
    this.#bodies = bodies;
  }

  /** The hash that is asked for next; `undefined` when the other side has closed the connection. */
  async nextFetch(): Promise<string | undefined> {
    const received = await this.#connection.receive();
    if (received === undefined) return undefined;
    const message = decodeIncoming(received.value, received.size);
    if (message.type !== "FETCH") throw new Error(`The source was sent a ${message.type}`);
    return message.sha256;
  }

  /** Answers as a good source does: with the body, or that it is not here. */
  async answer(sha256: string): Promise<void> {
    const body = this.#bodies.get(sha256);
    if (body === undefined) {
      return await this.send(encodeAnswer({ type: "FETCH", status: 404, sha256 }));
    }
    await this.send(fetchAnswer(sha256, body), body);
  }

  /** Answers everything until the other side closes the connection. */
  async answerAll(): Promise<void> {
    for (let sha256 = await this.nextFetch(); sha256 !== undefined;) {
      await this.answer(sha256);
      sha256 = await this.nextFetch();
    }
  }

  async send(...pieces: Uint8Array[]): Promise<void> {
    await this.#connection.send(...pieces);
  }

  /** Closes the connection, once what was sent is written. */
  async close(): Promise<void> {
    await this.#connection.flush();
    this.#connection.close();
  }

  /** Waits until the other side has closed the connection. */
  async untilClosed(): Promise<void> {
    while (await this.nextFetch() !== undefined);
  }
}

/** What a source does with its first, second, … connection; all later ones are treated as the last. */
export type Behaviour = (connection: SourceConnection, number: number) => Promise<void>;

/** A source; ends its connections when it is disposed of. */
export class FakeSource implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: ip, port: 0 });
  readonly #connections: FrameConnection[] = [];
  readonly #running: Promise<void>[] = [];
  readonly #accepting: Promise<void>;

  /** Has these bodies, by their hashes. */
  constructor(bodies: ReadonlyMap<string, Uint8Array>, behave: Behaviour = answerAll) {
    this.#accepting = this.#accept(bodies, behave);
  }

  get address(): string {
    return `${ip}:${this.#listener.addr.port}`;
  }

  /** How many connections have been opened to it. */
  get connections(): number {
    return this.#connections.length;
  }

  async #accept(bodies: ReadonlyMap<string, Uint8Array>, behave: Behaviour): Promise<void> {
    for await (const conn of this.#listener) {
      const connection = new FrameConnection(conn);
      const number = this.#connections.push(connection);
      // How a connection ends that the other side breaks off is its business.
      const run = behave(new SourceConnection(connection, bodies), number).catch(() => {});
      this.#running.push(run.finally(() => connection.close()));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    await this.#accepting;
    await Promise.all(this.#running);
  }
}

/** The frame that announces a body. */
export function fetchAnswer(sha256: string, body: Uint8Array): Uint8Array {
  return encodeAnswer({ type: "FETCH", status: 200, sha256, size: body.length });
}

function answerAll(connection: SourceConnection): Promise<void> {
  return connection.answerAll();
}
