/**
 * The web server: listens for HTTP, and hands requests to the site once there is one.
 *
 * What a client may cost is bounded here: connections, the time that a header takes, its size, how long a
 * connection may stand still or idle. `node:http` reads and writes HTTP.
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { logger } from "../log.ts";
import { logAccess } from "./access_log.ts";
import type { Credentials } from "../protocol/credentials.ts";
import { Admission } from "./admission.ts";
import { bodyRefusal, refusalOf, tunnelRefusal } from "./client_error.ts";
import { isEncrypted, openClientSocket } from "./client_socket.ts";
import { Connection } from "./connection.ts";
import { Door } from "./door.ts";
import { eventsPath } from "./event_stream.ts";
import { redirectToHttps, sendProblem } from "./problem.ts";
import { headerFieldsMax, headProblem } from "./request_head.ts";
import { Traffic } from "./traffic.ts";

/** How many ports after the first one are tried. */
const portsTriedMax = 1000;

/** How many there may be at least, when the system does not grant the process files for more. */
const connectionsMin = 16;

/** How long a transfer may stand still unless told otherwise, in milliseconds. */
const stallMsDefault = 30_000;

/** How long a connection may be without a request unless told otherwise, in milliseconds. */
const idleMsDefault = 60_000;

/** How often connections are looked at, in milliseconds. */
const lookIntervalMs = 1000;

/** How long clients may take for the end of answers when the server closes, in milliseconds. */
const flushMs = 1000;
const flushLookMs = 10;

/** What is counted and logged for a request whose client has gone before there was an answer. */
const clientClosedStatus = 499;

const serverOptions: ServerOptions = {
  headersTimeout: 10_000,
  // A large file takes its time; one that stands still is found by looking.
  requestTimeout: 0,
  connectionsCheckingInterval: lookIntervalMs,
  maxHeaderSize: 16 * 1024,
  noDelay: true,
  // Judged with the rest of the head, and answered as all problems are.
  requireHostHeader: false,
};

const log = logger("http");

/** Answers one request. Never rejects. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Where to listen. */
export interface WebListenOptions {
  readonly ip: string;
  /** This port and no other, or any for 0. */
  readonly port?: number;
  /** Without `port`, the first to try. */
  readonly firstPort: number;
  /** How long a transfer may stand still, in milliseconds. */
  readonly stallMs?: number;
  /** What to encrypt with; absent, nothing is encrypted. */
  readonly credentials?: Credentials;
  /** How long a connection may be without a request, in milliseconds. */
  readonly idleMs?: number;
  /** Who is let in; who is not is closed at once. */
  readonly admission?: Admission;
}

/** An exchange that is over. */
interface Answered {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: Connection;
  /** In milliseconds of `performance.now()`. */
  readonly begunAt: number;
}

/** What `node:http` does with a socket that a client has connected to. */
type Serve = (socket: Duplex) => void;

/** A server for HTTP, or for HTTPS. */
export class WebServer {
  readonly #server: Server;
  readonly #stallMs: number;
  /** Those whose handshake is under way. */
  readonly #entering = new Set<Socket>();
  readonly #admission: Admission;
  readonly #connections = new Map<Socket, Connection>();
  readonly #door: Door;
  readonly #watch: ReturnType<typeof setInterval>;
  readonly #closed: Promise<void>;
  #doorClosed: Promise<void> | undefined;
  #traffic = new Traffic();
  #handler: Handler | undefined;
  #credentials: Credentials | undefined;
  #isDraining = false;
  /** The most connections that there were at a time. */
  #connectionsMost = 0;

  private constructor(
    server: Server,
    { stallMs = stallMsDefault, admission = new Admission(), credentials }: WebListenOptions,
  ) {
    this.#server = server;
    this.#stallMs = stallMs;
    this.#admission = admission;
    this.#credentials = credentials;
    this.#closed = new Promise((resolve) => server.once("close", () => resolve()));
    // Before the door, which listens to the connections as they come.
    if (credentials === undefined) {
      server.on("connection", (socket) => {
        if (this.#admit(socket)) this.#connect(socket);
      });
    } else this.#encrypt(server);
    this.#door = new Door({
      server,
      isFull: () => this.#admission.isFull,
      onShortage: () => this.#shed(),
    });
    this.#watch = setInterval(() => this.#look(), lookIntervalMs);
    server.on("request", (request, response) => this.#take(request, response));
    // Whoever reads the body says so to the client; whoever refuses it need not.
    server.on("checkContinue", (request, response) => this.#take(request, response));
    // What else a client expects may be left out of account (RFC 9110, section 10.1.1).
    server.on("checkExpectation", (request, response) => this.#take(request, response));
    server.on("connect", ({ socket }) => this.#connections.get(socket)?.refuse(tunnelRefusal));
    server.on("clientError", (error, socket) => this.#refuse(error, socket as Socket));
    server.on("error", (error) => log.warn(() => `Cannot accept connections: ${error.message}`));
  }

  /**
   * Listens; answers nothing before `serve` is called.
   * @throws {Error} The system's, with its `code`, when that cannot be done.
   */
  static async listen(options: WebListenOptions): Promise<WebServer> {
    const { ip, port, firstPort, idleMs = idleMsDefault } = options;
    const last = port ?? Math.min(firstPort + portsTriedMax, 65535);
    for (let candidate = port ?? firstPort;; candidate++) {
      const server = createServer({ ...serverOptions, keepAliveTimeout: idleMs });
      // What is beyond is not seen, so one more is let in to tell that there are too many.
      server.maxHeadersCount = headerFieldsMax + 1;
      // A client that has sent all it wants to may say so, and still read the answers.
      Object.assign(server, { httpAllowHalfOpen: true });
      try {
        await bind(server, { ip, port: candidate });
        return new WebServer(server, options);
      } catch (error) {
        if (!isAddressInUse(error) || candidate >= last) throw error;
      }
    }
  }

  /** The port that it listens on. */
  get port(): number {
    return this.#door.port;
  }

  /** How many connections have a request that is being answered. */
  get underWay(): number {
    return [...this.#connections.values()].filter(({ isBusy }) => isBusy).length;
  }

  /** Hands requests to `handler` from now on, and counts them in `traffic`. */
  serve(handler: Handler, traffic = new Traffic()): void {
    this.#traffic = traffic;
    this.#handler = handler;
  }

  /** Encrypts the connections that begin from now on with other credentials, where it does encrypt. */
  renew(credentials: Credentials): void {
    if (this.#credentials !== undefined) this.#credentials = credentials;
  }

  /** Takes no more connections, and ends each that there is as soon as it has its answers. */
  drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#doorClosed = this.#door.close();
    for (const connection of this.#connections.values()) connection.end();
  }

  /** Closes everything; only answers that are complete may be read to their end. */
  async close(): Promise<void> {
    this.drain();
    const end = performance.now() + flushMs;
    while (this.#isFlushing && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, flushLookMs));
    }
    clearInterval(this.#watch);
    for (const connection of this.#connections.values()) connection.close();
    for (const socket of this.#entering) socket.destroy();
    await Promise.all([this.#doorClosed, this.#closed]);
  }

  get #isFlushing(): boolean {
    return [...this.#connections.values()].some(({ isFlushing }) => isFlushing);
  }

  /** Puts TLS between the sockets that clients connect to and `node:http`. */
  #encrypt(server: Server): void {
    const serve = server.listeners("connection").map((listener) => listener as Serve);
    server.removeAllListeners("connection");
    server.on("connection", (socket) => {
      this.#enter(socket, serve).catch((error) => {
        log.debug(() =>
          `Cannot encrypt the connection of ${socket.remoteAddress}: ${error.message}`
        );
      });
    });
  }

  async #enter(socket: Socket, serve: readonly Serve[]): Promise<void> {
    if (this.#credentials === undefined) return void socket.destroy();
    if (!this.#admit(socket)) return;
    this.#entering.add(socket);
    try {
      const noteSilence = () => this.#traffic.refusals.note("silence");
      const opened = await openClientSocket(socket, this.#credentials, noteSilence);
      this.#connect(opened as unknown as Socket);
      for (const listener of serve) listener.call(this.#server, opened);
    } finally {
      this.#entering.delete(socket);
    }
  }

  /** Whether a connection is let in; it is counted until it is closed, and else closed at once. */
  #admit(socket: Socket): boolean {
    const { remoteAddress = "" } = socket;
    const refusedBy = this.#admission.enter(remoteAddress);
    if (refusedBy !== undefined) {
      this.#traffic.refusals.note(refusedBy);
      socket.destroy();
      return false;
    }
    socket.once("close", () => this.#admission.leave(remoteAddress));
    return true;
  }

  #connect(socket: Socket): void {
    const connection = new Connection(socket, this.#traffic);
    this.#connections.set(socket, connection);
    this.#connectionsMost = Math.max(this.#connectionsMost, this.#connections.size);
    socket.once("close", () => this.#connections.delete(socket));
    if (this.#isDraining) connection.end();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) return void request.socket.destroy();
    if (this.#isDraining) response.shouldKeepAlive = false;
    let begunAt = 0;
    connection.take({
      request,
      response,
      begin: () => {
        begunAt = performance.now();
        this.#handle(request, response);
      },
      end: () => this.#count({ request, response, connection, begunAt }),
    });
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const problem = headProblem(request);
    if (problem !== undefined) sendProblem(request, response, problem);
    else if (this.#credentials !== undefined && !isEncrypted(request)) {
      redirectToHttps(request, response);
    } else if (this.#handler !== undefined) void this.#handler(request, response);
    else response.writeHead(503, { "Retry-After": "1" }).end();
  }

  /** Counts and logs a request that has been answered. */
  #count({ request, response, connection, begunAt }: Answered): void {
    const { method = "", url: target = "" } = request;
    const now = performance.now();
    // Nothing was sent: as nginx has it, the client closed the connection.
    const status = response.headersSent
      ? response.statusCode
      : connection.brokenWith ?? clientClosedStatus;
    const isStream = target.startsWith(eventsPath);
    const seconds = (now - begunAt) / 1000;
    this.#traffic.count({ method, status, ...(isStream ? {} : { seconds }) }, now);
    logAccess(() => ({
      ...{ method, target, status },
      bytes: connection.takeSent(),
      milliseconds: now - begunAt,
      remote: connection.remote,
      isComplete: response.writableFinished,
    }));
  }

  #refuse(error: Error, socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || !socket.writable) return void socket.destroy();
    log.debug(() => `${connection.remote} sent no request: ${error.message}`);
    connection.refuse(connection.isReceiving ? bodyRefusal : refusalOf(error));
  }

  /** Gives up connections, so that the ring has open files left. */
  #shed(): void {
    const most = this.#connectionsMost;
    this.#connectionsMost = 0;
    this.#admission.limit(Math.max(connectionsMin, Math.floor(most / 2)));
    log.warn(
      `Too many open files with ${most} connections of HTTP: ` +
        `from now on there are ${this.#admission.connectionsMax} at the most`,
    );
    for (const connection of this.#connections.values()) {
      if (!connection.isBusy) connection.close();
    }
  }

  #look(): void {
    const now = performance.now();
    for (const connection of this.#connections.values()) {
      if (!connection.look(now, this.#stallMs)) continue;
      log.debug(() => `${connection.remote} stands still: closed`);
      this.#traffic.refusals.note("silence");
      connection.close();
    }
  }
}

function bind(server: Server, { ip, port }: { ip: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: ip, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
