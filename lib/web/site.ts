/** The site: what a web front answers, whatever it is asked. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { logger } from "../log.ts";
import { isPassing } from "../storage/disk_error.ts";
import type { Backend } from "./backend.ts";
import { Control } from "./control.ts";
import { allow, allowOrigin, allowReading, answerOptions, answerReadingOptions } from "./cors.ts";
import { deleteFile } from "./delete_file.ts";
import { Gate, loginPath } from "./gate.ts";
import { Login } from "./login.ts";
import { originFor } from "./origin.ts";
import { isPagePath, servePage } from "./page.ts";
import { redirect, sendProblem } from "./problem.ts";
import { putFile } from "./put_file.ts";
import { Reads } from "./reads.ts";
import { encodeName, parseTarget, type RequestTarget } from "./request_target.ts";
import type { Exchange } from "./send_body.ts";
import type { Side } from "./side.ts";
import { Turns } from "./turns.ts";
import type { WebOptions } from "./web_options.ts";

const log = logger("web");

const answered = Promise.resolve();

/** What is told to everybody, also where reading takes the secret: load balancers ask it. */
const openPaths: ReadonlySet<string> = new Set(["_ring/health", "_ring/ready"]);

/** A request, and what the port that it came to serves. */
interface SideExchange extends Exchange {
  readonly side: Side;
}

type FileTarget = Extract<RequestTarget, { type: "file" | "folder" }>;

/** Answers the requests of one server. */
export class Site {
  readonly #backend: Backend;
  readonly #options: WebOptions;
  readonly #reads: Reads;
  readonly #control: Control;
  readonly #gate: Gate;
  readonly #login: Login;
  readonly #turns = new Turns();
  #underWay = 0;

  constructor(backend: Backend, options: WebOptions) {
    this.#backend = backend;
    this.#options = options;
    this.#reads = new Reads(backend, options);
    this.#control = new Control(backend, options);
    this.#gate = new Gate({ ...options, web: backend.web });
    this.#login = new Login(this.#gate, options.secret);
  }

  /** How many requests are being answered. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Answers one request that came to the port of this side. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse, side: Side): Promise<void> {
    const exchange = { request, response, side };
    const target = parseTarget(request.url ?? "");
    try {
      if (side !== "ring" && this.#answerAtOnce(exchange, target)) return answered;
    } catch (error) {
      answerFailure(error, exchange);
      return answered;
    }
    return this.#handle(exchange, target);
  }

  async #handle(exchange: SideExchange, target: RequestTarget): Promise<void> {
    this.#underWay++;
    try {
      await this.#answer(exchange, target);
    } catch (error) {
      answerFailure(error, exchange);
    } finally {
      this.#underWay--;
    }
  }

  /** Answers what is asked most, a small file that is here, without a promise: a tenth faster. */
  #answerAtOnce(exchange: Exchange, target: RequestTarget): boolean {
    const isPlain = exchange.request.method === "GET" && target.type === "file" &&
      this.#options.cors === undefined && this.#gate.isOpen && !this.#backend.isStopping;
    return isPlain && this.#reads.handleAtOnce(exchange, target.name);
  }

  async #answer(exchange: SideExchange, target: RequestTarget): Promise<void> {
    const { request, response, side } = exchange;
    if (target.type === "ring") return await this.#answerRing(exchange, target.path);
    const cors = side === "ring" ? undefined : this.#options.cors;
    if (cors !== undefined) allowOrigin(response, cors);
    if (target.type === "invalid") {
      return sendProblem(request, response, { status: 400, detail: target.detail });
    }
    if (this.#backend.isStopping) return refuseStopping(request, response);
    if (request.method === "OPTIONS") return answerOptions(request, response, cors);
    if (target.type === "server") return refuseMethod(request, response, allow);
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (isRead && side === "ring") return this.#pointToFile(exchange, target);
    const problem = this.#gate.refusalOf(request, isRead ? "read" : "write", side);
    if (problem !== undefined) return sendProblem(request, response, problem);
    await this.#answerFile(exchange, target);
  }

  async #answerFile(
    exchange: Exchange,
    target: FileTarget,
  ): Promise<void> {
    const { request, response } = exchange;
    const write = (name: string) => ({ ...exchange, name, turns: this.#turns });
    switch (request.method) {
      case "GET":
      case "HEAD":
        return await this.#reads.handle(exchange, target);
      case "PUT":
        if (target.type === "folder") return refuseFolder(exchange);
        return await putFile(this.#backend, this.#options, write(target.name));
      case "DELETE":
        if (target.type === "folder") return refuseFolder(exchange);
        return await deleteFile(this.#backend, write(target.name));
      default:
        return refuseMethod(request, response, allow);
    }
  }

  /** Says where a file is to be read: not at the origin of the page, where its scripts would run as ours. */
  #pointToFile({ request, response }: Exchange, target: FileTarget): void {
    const path = target.type === "file" ? target.name : target.prefix;
    const files = originFor(request, this.#backend.files);
    const location = path === "" ? "/_ring/" : files + encodeName(path);
    const headers = { "Location": location };
    sendProblem(request, response, { status: 307, detail: `It is at ${location}`, headers });
  }

  /** What is about the ring has a port of its own. */
  #refuseRing({ request, response }: Exchange): void {
    const origin = originFor(request, this.#backend.web);
    const detail = `What is about the ring is at ${origin}/_ring/`;
    sendProblem(request, response, { status: 404, detail });
  }

  /** Nothing of the ring is written by HTTP, whatever it is named. */
  async #answerRing({ request, response, side }: SideExchange, path: string): Promise<void> {
    const { method } = request;
    if (side === "files" && !openPaths.has(path)) return this.#refuseRing({ request, response });
    if (await this.#login.handle({ request, response }, path)) return;
    if (method === "OPTIONS") return answerReadingOptions(response);
    if (method !== "GET" && method !== "HEAD") return refuseMethod(request, response, allowReading);
    if (path === "_ring") return redirect(request, response, "/_ring/");
    if (path === "_ring/" && this.#gate.refusalOf(request, "read", side) !== undefined) {
      // It would be of no use: none of what it shows would be told.
      return sendToLogin({ request, response });
    }
    if (isPagePath(`/${path}`)) return servePage(request, response);
    const isAdmitted = openPaths.has(path) || this.#control.isTicketed(request, path);
    const problem = isAdmitted ? undefined : this.#gate.refusalOf(request, "read", side);
    if (problem !== undefined) return sendProblem(request, response, problem);
    if (await this.#control.handle(request, response, path)) return;
    sendProblem(request, response, { status: 404, detail: "There is no such page of the ring" });
  }
}

/** Where reading takes the secret the page begins with the form, which leads back to it. */
function sendToLogin({ request, response }: Exchange): void {
  const headers = { "Location": loginPath };
  sendProblem(request, response, { status: 303, detail: `Log in at ${loginPath}`, headers });
}

/** A folder is there when there are files in it, and cannot be put or deleted itself. */
function refuseFolder({ request, response }: Exchange): void {
  const detail = "A name that ends with a slash is a folder's, not a file's";
  sendProblem(request, response, { status: 409, detail });
}

function refuseMethod(request: IncomingMessage, response: ServerResponse, allowed: string): void {
  const detail = `This is not to be had by ${request.method}, but by ${allowed}`;
  sendProblem(request, response, { status: 405, detail, headers: { "Allow": allowed } });
}

function refuseStopping(request: IncomingMessage, response: ServerResponse): void {
  const detail = "This server is leaving the ring; ask another";
  sendProblem(request, response, { status: 503, detail, headers: { "Connection": "close" } });
}

/** What nobody expected is logged, and said without its particulars. */
function answerFailure(
  error: unknown,
  { request, response }: Exchange,
): void {
  if (isPassing(error)) {
    const detail = "This server has too many open files; try again";
    return sendProblem(request, response, { status: 503, detail });
  }
  log.error(() => `Cannot answer ${request.method} ${request.url}: ${String(error)}`);
  sendProblem(request, response, { status: 500, detail: "This server has failed" });
}
