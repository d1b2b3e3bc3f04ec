/** The dialler: opens connections to other servers, within a time, and makes sure who is there. */
import { FrameConnection } from "../protocol/connection.ts";
import type { Credentials } from "../protocol/credentials.ts";
import { greet, type Party } from "../protocol/handshake.ts";
import { secure } from "../protocol/tls_stream.ts";
import { type Address, parseAddress } from "../ring/address.ts";
import { TimedStream } from "./timed_stream.ts";

/** How long it may take to connect, the handshake included, in milliseconds. */
const dialTimeoutMs = 2000;

/** A connection to another server. */
export interface Dialled {
  readonly connection: FrameConnection;
  readonly stream: TimedStream;
}

/** What {@linkcode Dialler} is made of. */
export interface DiallerOptions {
  /** Absent, there is no handshake: the ring has no secret. */
  readonly party?: Party;
  /** What to encrypt with, now; absent, nothing is encrypted. */
  readonly credentials?: () => Credentials | undefined;
}

/** Opens the connections of one server. */
export class Dialler {
  readonly #options: DiallerOptions;

  constructor(options: DiallerOptions = {}) {
    this.#options = options;
  }

  /**
   * Connects to a server.
   * @throws {Deno.errors.ConnectionRefused} when its host is up and nobody listens there.
   * @throws {HandshakeError} when it does not know the ring's secret or its certificate is not good, or it
   * says the same of us.
   * @throws {Error} of another kind when it cannot be reached, or not in time.
   */
  async dial(address: Address): Promise<Dialled> {
    const parsed = parseAddress(address);
    if (parsed === undefined) throw new Error(`Cannot connect to ${address}: that is no address`);
    const { host: hostname, port } = parsed;
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), dialTimeoutMs);
    try {
      const conn = await Deno.connect({ hostname, port, signal: timeout.signal });
      conn.setNoDelay(true);
      const { signal } = timeout;
      const credentials = this.#options.credentials?.();
      const opened = await secure(conn, { credentials, host: hostname, signal });
      const stream = new TimedStream(opened.stream);
      const connection = new FrameConnection(stream);
      await this.#greet(connection, { endPoint: opened.endPoint, signal });
      return { connection, stream };
    } finally {
      clearTimeout(timer);
    }
  }

  async #greet(
    connection: FrameConnection,
    { endPoint, signal }: { endPoint: string | undefined; signal: AbortSignal },
  ): Promise<void> {
    const { party } = this.#options;
    if (party === undefined) return;
    const close = () => connection.close();
    signal.addEventListener("abort", close);
    try {
      await greet(connection, endPoint === undefined ? party : { ...party, endPoint });
    } catch (error) {
      close();
      throw error;
    } finally {
      signal.removeEventListener("abort", close);
    }
  }
}
