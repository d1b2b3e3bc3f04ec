/** The dialler: opens connections to other servers, within a time, and proves who it is. */
import { FrameConnection } from "../protocol/connection.ts";
import { greet, type Party } from "../protocol/handshake.ts";
import { type Address, parseAddress } from "../ring/address.ts";
import { TimedStream } from "./timed_stream.ts";

/** How long it may take to connect, the handshake included, in milliseconds. */
const dialTimeoutMs = 2000;

/** A connection to another server. */
export interface Dialled {
  readonly connection: FrameConnection;
  readonly stream: TimedStream;
}

/** Opens the connections of one server. */
export class Dialler {
  readonly #party: Party | undefined;

  /** Without a party there is no handshake: the ring has no secret. */
  constructor(party?: Party) {
    this.#party = party;
  }

  /**
   * Connects to a server.
   * @throws {Deno.errors.ConnectionRefused} when its host is up and nobody listens there.
   * @throws {HandshakeError} when it does not know the ring's secret, or says that we do not.
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
      const stream = new TimedStream(conn);
      const connection = new FrameConnection(stream);
      await this.#greet(connection, timeout.signal);
      return { connection, stream };
    } finally {
      clearTimeout(timer);
    }
  }

  async #greet(connection: FrameConnection, signal: AbortSignal): Promise<void> {
    if (this.#party === undefined) return;
    const close = () => connection.close();
    signal.addEventListener("abort", close);
    try {
      await greet(connection, this.#party);
    } catch (error) {
      close();
      throw error;
    } finally {
      signal.removeEventListener("abort", close);
    }
  }
}
