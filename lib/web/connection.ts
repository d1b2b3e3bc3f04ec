/**
 * A connection: one socket on which requests come, and are answered one after the other.
 *
 * Requests that were sent ahead (pipelined, RFC 9112, 9.3.2) wait for those before them: a GET after a PUT
 * of the same file sees what was put.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { formatAddress } from "../ring/address.ts";
import { bodyRefusal, type ErrorAnswer } from "./client_error.ts";
import type { Traffic } from "./traffic.ts";

/** How many requests may wait on one connection; who sends more without reading answers is cut off. */
const waitingMax = 256;

/** How long a connection that was told what is wrong may take to read that, in milliseconds. */
const lingerMs = 1000;

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Begins to answer. */
  readonly begin: () => void;
  /** Called when the answer is over, be it that the client has gone. */
  readonly end: () => void;
}

/** One connection of a client. */
export class Connection {
  /** Who is at the other end, for the log. */
  readonly remote: string;
  readonly #socket: Socket;
  readonly #traffic: Traffic;
  readonly #waiting: Exchange[] = [];
  #current: Exchange | undefined;
  /** The request that came last, answered or not: the only one whose body may still be coming. */
  #latest: IncomingMessage | undefined;
  #isEnding = false;
  #refusal: ErrorAnswer | undefined;
  #brokenWith: number | undefined;
  #received = 0;
  #sent = 0;
  #taken = 0;
  #movedAt = performance.now();

  constructor(socket: Socket, traffic: Traffic) {
    this.#socket = socket;
    this.#traffic = traffic;
    const { remoteAddress: host = "", remotePort: port = 0 } = socket;
    this.remote = formatAddress({ host, port });
    traffic.connections++;
    // It closes then, which is all there is to know; after a CONNECT nobody else takes its errors.
    socket.on("error", () => {});
    socket.once("end", () => this.#ended());
    socket.once("close", () => this.#closed());
  }

  /** Whether a request is being answered. */
  get isBusy(): boolean {
    return this.#current !== undefined;
  }

  /** Whether an answer is complete, and only has to be taken by the client. */
  get isFlushing(): boolean {
    return this.#current?.response.writableEnded ?? false;
  }

  /** Whether the body of a request is still coming. */
  get isReceiving(): boolean {
    return this.#latest?.complete === false;
  }

  /** The status that a request was answered with whose body could not be read; not by its handler. */
  get brokenWith(): number | undefined {
    return this.#brokenWith;
  }

  /** Takes a request, and begins to answer it when its turn has come. */
  take(exchange: Exchange): void {
    if (this.#waiting.length >= waitingMax) return void this.#socket.destroy();
    // It closes once; to listen for one time only would cost more.
    exchange.response.on("close", () => {
      if (exchange !== this.#current) return;
      exchange.end();
      this.#next();
    });
    this.#latest = exchange.request;
    this.#waiting.push(exchange);
    if (this.#current === undefined) this.#next();
  }

  /** Ends the connection as soon as all requests that have come are answered. */
  end(): void {
    this.#isEnding = true;
    if (this.#current === undefined) return void this.#socket.destroySoon();
    // The client is told, if it is not too late for that.
    const last = this.#waiting.at(-1) ?? this.#current;
    if (!last.response.headersSent) last.response.shouldKeepAlive = false;
  }

  /** Answers what is no request, after the requests before it, and ends the connection. */
  refuse(answer: ErrorAnswer): void {
    const { response, request } = this.#current ?? {};
    if (response === undefined) return this.#refuse(answer);
    if (request?.complete) {
      this.#refusal = answer;
      return;
    }
    // It is the body of a request that cannot be read.
    if (response.headersSent) return void this.#socket.destroy();
    this.#brokenWith = answer.status;
    this.#refuse(answer);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Notes what has moved since it was last asked; whether the connection has stood still too long. */
  look(now: number, stallMs: number): boolean {
    if (this.#count()) this.#movedAt = now;
    // A body goes on coming when its request has been answered, and holds up what comes after it.
    const isReceiving = (this.#current?.request ?? this.#latest)?.complete === false;
    const isSending = this.#socket.writableLength > 0;
    if (!isReceiving && !isSending) this.#movedAt = now;
    return now - this.#movedAt > stallMs;
  }

  /** How many bytes were written since this was last asked. */
  takeSent(): number {
    const { bytesWritten } = this.#socket;
    const taken = bytesWritten - this.#taken;
    this.#taken = bytesWritten;
    return taken;
  }

  #next(): void {
    if (this.#socket.destroyed) this.#waiting.length = 0;
    this.#current = this.#waiting.shift();
    // What was refused may be the body of this request, which then never ends.
    const isBroken = this.#refusal !== undefined && this.#current?.request.complete === false;
    if (isBroken) this.#current = undefined;
    if (this.#current !== undefined) return this.#current.begin();
    if (this.#refusal !== undefined) return this.#refuse(this.#refusal);
    if (this.#isEnding) this.#socket.destroySoon();
  }

  /** Bytes that are still on their way in are read, so that the answer is not lost by a reset. */
  #refuse({ status, bytes }: ErrorAnswer): void {
    if (this.#socket.destroyed) return;
    // A request that is being answered is counted at its end.
    if (!this.isBusy) this.#traffic.count({ method: "", status }, performance.now());
    const linger = setTimeout(() => this.#socket.destroy(), lingerMs);
    this.#socket.once("close", () => clearTimeout(linger));
    this.#socket.end(bytes);
    this.#socket.resume();
  }

  /** The client sends nothing more: a body that is not complete never will be. */
  #ended(): void {
    const last = this.#waiting.at(-1) ?? this.#current;
    if (last?.request.complete === false) this.refuse(bodyRefusal);
  }

  #closed(): void {
    this.#count();
    this.#traffic.connections--;
    this.#waiting.length = 0;
  }

  /** Counts the bytes that have moved; returns whether there are any. */
  #count(): boolean {
    const { bytesRead, bytesWritten, writableLength } = this.#socket;
    const received = bytesRead - this.#received;
    const sent = bytesWritten - writableLength - this.#sent;
    this.#received += received;
    this.#sent += sent;
    this.#traffic.bytesReceived += received;
    this.#traffic.bytesSent += sent;
    return received > 0 || sent > 0;
  }
}
