/** A crowd: connections to one port from loopback addresses of the test's choice. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { parseAddress } from "../../lib/ring/address.ts";

/** How long a client may be left without a sign, in milliseconds. */
const answerTimeoutMs = 10_000;

/** One client, whose connections come from one address. */
export class Client implements Disposable {
  readonly #socket: Socket;
  readonly #received: Uint8Array[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#received.push(chunk));
    // A connection that is reset is as closed as one that has ended.
    socket.on("error", () => {});
    socket.setTimeout(answerTimeoutMs, () => socket.destroy());
  }

  /** Connects to `address` from `from`; the server may already have closed the connection. */
  static async connect(address: string, from: string): Promise<Client> {
    const { host, port } = parseAddress(address) ?? {};
    if (host === undefined || port === undefined) throw new Error(`${address} is no address`);
    const socket = connect({ host, port, localAddress: from });
    const client = new Client(socket);
    await once(socket, "connect");
    return client;
  }

  /** Sends bytes, and resolves with what the server sends first; empty if it closes the connection. */
  async ask(bytes: Uint8Array): Promise<Uint8Array> {
    this.#received.length = 0;
    this.#socket.write(bytes);
    await Promise.race([once(this.#socket, "data"), once(this.#socket, "close")]);
    return this.#received[0] ?? new Uint8Array(0);
  }

  /** What the server has sent before it closed the connection. */
  async untilClosed(): Promise<string> {
    if (!this.#socket.destroyed) await once(this.#socket, "close");
    return this.#received.map((bytes) => new TextDecoder().decode(bytes)).join("");
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
