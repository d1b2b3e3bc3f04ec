/**
 * The door: keeps a server accepting connections.
 *
 * When a process has too many files open, or a socket is lost to a fault of the runtime, a listening socket
 * of `node:net` in Deno 2.9 stops accepting, for ever and without a word. So whoever listens knocks at its
 * own door now and then, when nobody else has come in meanwhile; if that is not noticed, it listens anew.
 */
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { logger } from "../log.ts";

/** How often to knock, and how long to wait until that is noticed, in milliseconds. */
const knockIntervalMs = 5000;
const knockWaitMs = 2000;

const log = logger("http");

/** What {@linkcode Door} is made of. */
export interface DoorOptions {
  readonly server: Server;
  /** Whether connections are refused, as there are enough. */
  readonly isFull: () => boolean;
  /** The process has too many files open. */
  readonly onShortage: () => void;
  /** How often to knock, in milliseconds. */
  readonly intervalMs?: number;
}

/** The listening socket of one server. */
export class Door {
  readonly #options: DoorOptions;
  readonly #address: AddressInfo;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #onConnection = (socket: Socket) => this.#noteConnection(socket);
  #hasAccepted = false;
  #isClosed = false;
  #knocking: Promise<void> | undefined;
  /** Gives up a connection that is being opened. */
  #impatience: AbortController | undefined;
  /** Called when the connection from this local port is accepted. */
  #awaited: { readonly port: number; readonly seen: () => void } | undefined;

  /** `server` listens already. */
  constructor(options: DoorOptions) {
    this.#options = options;
    // Bound to a port, and so not to a pipe.
    this.#address = options.server.address() as AddressInfo;
    this.#timer = setInterval(() => this.#look(), options.intervalMs ?? knockIntervalMs);
    options.server.on("connection", this.#onConnection);
  }

  get port(): number {
    return this.#address.port;
  }

  /** Stops listening; ends when nothing is left to be done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#impatience?.abort();
    this.#awaited?.seen();
    this.#options.server.close();
    await this.#knocking;
  }

  #noteConnection({ remotePort }: Socket): void {
    this.#hasAccepted = true;
    if (remotePort === this.#awaited?.port) this.#awaited?.seen();
  }

  #look(): void {
    const isWorking = this.#hasAccepted || this.#options.isFull();
    this.#hasAccepted = false;
    if (isWorking || this.#knocking !== undefined) return;
    this.#knocking = this.#try().finally(() => {
      this.#knocking = undefined;
    });
  }

  /** Knocks, and listens anew if nobody hears it. Never rejects. */
  async #try(): Promise<void> {
    try {
      if (await this.#knock() || this.#isClosed || this.#options.isFull()) return;
      this.#listenAnew();
    } catch (error) {
      if (this.#isClosed) return;
      log.warn(() => `Cannot connect to this server's own web address: ${messageOf(error)}`);
      if (error instanceof Deno.errors.ConnectionRefused) return this.#listenAnew();
      this.#options.onShortage();
    }
  }

  /** Connects to this server itself; whether it has noticed. */
  async #knock(): Promise<boolean> {
    using connection = await this.#connect();
    if (connection === undefined) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), knockWaitMs);
    this.#awaited = { port: connection.localAddr.port, seen: () => resolve(true) };
    const isNoticed = this.#hasAccepted || await promise;
    this.#awaited = undefined;
    clearTimeout(timer);
    return isNoticed;
  }

  /** `undefined` if that takes too long: where nobody accepts, the system's queue is full in the end. */
  async #connect(): Promise<Deno.TcpConn | undefined> {
    const { signal } = this.#impatience = new AbortController();
    const timer = setTimeout(() => this.#impatience?.abort(), knockWaitMs);
    try {
      return await Deno.connect({ ...this.#own(), signal });
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    } finally {
      clearTimeout(timer);
      this.#impatience = undefined;
    }
  }

  #listenAnew(): void {
    const { server, onShortage } = this.#options;
    const { address: host, port } = this.#address;
    log.warn("The web front had stopped accepting connections: it listens anew");
    onShortage();
    if (server.listening) server.close();
    server.listen({ host, port });
  }

  /** Where this server reaches itself. */
  #own(): { hostname: string; port: number } {
    const { address, port } = this.#address;
    const hostname = address === "::" ? "::1" : address === "0.0.0.0" ? "127.0.0.1" : address;
    return { hostname, port };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
