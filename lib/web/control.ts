/** Control: what is to be known of a server itself, under `/_ring/`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Secret } from "../protocol/secret.ts";
import type { FileRecord } from "../ring/file_record.ts";
import { stampMillis } from "../ring/stamp.ts";
import type { Backend } from "./backend.ts";
import { EventStream } from "./event_stream.ts";
import { metricsText, metricsType } from "./metrics.ts";
import { sendProblem } from "./problem.ts";
import { queryOf } from "./request_target.ts";
import { issueTicket, isTicket } from "./ticket.ts";
import type { WebOptions } from "./web_options.ts";

/** The most files, and how many unless told otherwise, in one answer to `files.json`. */
const filesMax = 1000;

const jsonType = "application/json";
const textType = "text/plain; charset=utf-8";

/** What is answered. */
interface Reply {
  readonly status?: number;
  readonly contentType: string;
  readonly text: string;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What {@linkcode Control} is told of a web front. */
export type ControlOptions = Pick<WebOptions, "secret" | "listenersPerAddressMax">;

/** Answers for one server. */
export class Control {
  readonly #backend: Backend;
  readonly #secret: Secret | undefined;
  readonly #events: EventStream;

  constructor(backend: Backend, { secret, listenersPerAddressMax }: ControlOptions = {}) {
    this.#backend = backend;
    this.#secret = secret;
    this.#events = new EventStream(backend, listenersPerAddressMax);
  }

  /**
   * Answers a GET or a HEAD of `path`, for example `_ring/health`; `false`, and nothing is sent, if there is
   * nothing of that name. Streams of events go on when this has returned.
   */
  handle(request: IncomingMessage, response: ServerResponse, path: string): Promise<boolean> {
    const answer = this.#answerOf(path.replace(/^\//, ""));
    if (answer === undefined) return Promise.resolve(false);
    answer({ request, response });
    return Promise.resolve(true);
  }

  /** Whether a request for `path` brings a ticket for it, which is as good as the secret. */
  isTicketed({ url }: IncomingMessage, path: string): boolean {
    if (path !== "_ring/events" || this.#secret === undefined) return false;
    const ticket = new URLSearchParams(queryOf(url)).get("ticket") ?? "";
    return isTicket(ticket, this.#secret, Date.now());
  }

  #answerOf(path: string): ((exchange: Exchange) => void) | undefined {
    switch (path) {
      case "_ring/health":
        return (exchange) => send(exchange, { contentType: textType, text: "ok\n" });
      case "_ring/ready":
        return (exchange) => this.#sendReady(exchange);
      case "_ring/status.json":
        return (exchange) => this.#sendStatus(exchange);
      case "_ring/files.json":
        return (exchange) => this.#sendFiles(exchange);
      case "_ring/metrics":
        return (exchange) =>
          send(exchange, {
            contentType: metricsType,
            text: metricsText(this.#backend, performance.now()),
          });
      case "_ring/events":
        return (exchange) => this.#sendEvents(exchange);
      default:
        return undefined;
    }
  }

  /** Whether this server holds every file. */
  get #isReady(): boolean {
    const { members, id } = this.#backend.status();
    const isAlive = members.some((member) => member.id === id && member.status === "alive");
    return isAlive && !this.#backend.isStopping;
  }

  #sendReady(exchange: Exchange): void {
    const isReady = this.#isReady;
    const text = isReady ? "ready\n" : "This server does not hold every file yet, or is stopping\n";
    send(exchange, { status: isReady ? 200 : 503, contentType: textType, text });
  }

  #sendStatus(exchange: Exchange): void {
    const { web, activity } = this.#backend;
    this.#allowMembers(exchange);
    const { requests, puts } = activity.traffic;
    const uptimeSeconds = Math.floor((performance.now() - activity.begunAt) / 1000);
    const isReady = this.#isReady;
    const secret = this.#secret;
    sendJson(exchange, {
      ...this.#backend.status(),
      ...{ web, uptimeSeconds, isReady, requests, puts },
      ...(secret === undefined ? {} : { ticket: issueTicket(secret, Date.now()) }),
    });
  }

  #sendFiles(exchange: Exchange): void {
    const { request, response } = exchange;
    const query = new URLSearchParams(queryOf(request.url));
    const limit = limitOf(query.get("limit"));
    if (limit === undefined) {
      const detail = `The limit must be a whole number from 1 to ${filesMax}`;
      return sendProblem(request, response, { status: 400, detail });
    }
    if (!this.#backend.isCurrent) {
      const detail = "This server does not hold every file yet; ask another, or try again";
      return sendProblem(request, response, { status: 503, detail });
    }
    const options = { prefix: query.get("prefix") ?? "", after: query.get("after") ?? "" };
    const found = this.#backend.list({ ...options, limit: limit + 1, tombstones: false });
    const files = found.slice(0, limit);
    const next = found.length > limit ? files.at(-1)?.name : undefined;
    sendJson(exchange, {
      files: files.map(fileJson),
      ...(next === undefined ? {} : { next }),
    });
  }

  #sendEvents(exchange: Exchange): void {
    const { request, response } = exchange;
    if (this.isTicketed(request, "_ring/events")) {
      response.setHeader("Access-Control-Allow-Origin", "*");
    } else this.#allowMembers(exchange);
    if (this.#backend.isStopping) {
      const detail = "This server is leaving the ring; listen at another";
      return sendProblem(request, response, { status: 503, detail });
    }
    if (request.method === "HEAD") return send(exchange, { contentType: eventsType, text: "" });
    const detail = this.#events.add({ request, response });
    if (detail !== undefined) sendProblem(request, response, { status: 503, detail });
  }

  /**
   * Lets the pages that other members serve read this answer: the page of one server shows the hops that
   * all of them see, and goes on when its own server stops.
   */
  #allowMembers({ request, response }: Exchange): void {
    const { origin } = request.headers;
    response.setHeader("Vary", "Origin");
    if (origin === undefined) return;
    const { members } = this.#backend.status();
    const isMember = members.some(({ web }) => web !== undefined && originOf(web) === origin);
    if (isMember) response.setHeader("Access-Control-Allow-Origin", origin);
  }
}

const eventsType = "text/event-stream";

/** The origin of a web front; what is no URL has none. */
function originOf(web: string): string | undefined {
  return URL.canParse(web) ? new URL(web).origin : undefined;
}

function limitOf(text: string | null): number | undefined {
  if (text === null) return filesMax;
  const limit = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0;
  return limit >= 1 && limit <= filesMax ? limit : undefined;
}

function fileJson({ name, size, contentType, stamp, sha256 }: FileRecord) {
  const modified = new Date(stampMillis(stamp)).toISOString();
  return { name, size, contentType, stamp, sha256, modified };
}

function sendJson(exchange: Exchange, value: unknown): void {
  send(exchange, { contentType: jsonType, text: `${JSON.stringify(value)}\n` });
}

function send({ request, response }: Exchange, { status = 200, contentType, text }: Reply): void {
  const body = new TextEncoder().encode(text);
  response.writeHead(status, {
    "Content-Type": contentType,
    ...(contentType === eventsType ? {} : { "Content-Length": String(body.length) }),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    ...(status === 503 ? { "Retry-After": "1" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}
