/**
 * The driver: hands inputs to the core and performs its effects.
 *
 * Persist, then send, then acknowledge: effects are performed in the order in which the core gives
 * them, a `save` is durable when the next one is performed, and a `write` is answered only when it is.
 * Writes that arrive in the same turn of the event loop share one transaction, and so one disk sync.
 */
import { setImmediate } from "node:timers";
import { logger } from "../log.ts";
import type { FileAnswer, MemberMessage } from "../ring/message.ts";
import { Node, type NodeOptions } from "../ring/node.ts";
import type { Ask, Effect, Input, Link, RecordWrite, RequestId, Token } from "../ring/step.ts";
import { isPassing } from "../storage/disk_error.ts";
import type { BodyReader, Store } from "../storage/store.ts";
import type { Fetcher } from "./fetcher.ts";
import type { ServerOptions } from "./options.ts";
import type { Peers } from "./peers.ts";

/** How many writes share one transaction at the most: one blocks the event loop while it runs. */
export const batchWritesMax = 256;

const log = logger("ring");

/** The answer to a client, and with a GET that is 200 the body, open; the receiver closes it. */
export interface Answered {
  readonly answer: FileAnswer;
  readonly body?: BodyReader;
}

/** What {@linkcode Driver} is made of. */
export interface DriverOptions {
  readonly node: NodeOptions;
  readonly store: Store;
  readonly peers: Peers;
  readonly fetcher: Fetcher;
  readonly onCircle: ServerOptions["onCircle"];
  readonly onStop: (stop: Extract<Effect, { type: "stop" }>) => void;
  /** Something is broken that the server cannot go on with. */
  readonly onFatal: (error: unknown) => void;
}

/** Runs the core of one server. */
export class Driver {
  readonly #options: DriverOptions;
  readonly node: Node;
  readonly #inputs: Input[] = [];
  readonly #requests = new Map<RequestId, { ask: Ask; resolve: (answered: Answered) => void }>();
  readonly #links = new Map<Link, (message: MemberMessage) => void>();
  #writes: { token: Token; write: RecordWrite }[] = [];
  #lastRequest: RequestId = 0;
  #lastLink: Link = 0;
  #stepping = false;
  #stopped = false;
  #alarm: ReturnType<typeof setTimeout> | undefined;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.node = new Node(options.node);
  }

  /** How many requests of clients wait for their answer. */
  get requestsUnderWay(): number {
    return this.#requests.size;
  }

  /** Asks the ring on behalf of a client. */
  request(ask: Ask): Promise<Answered> {
    if (this.#stopped) return Promise.resolve(unanswered(ask));
    return new Promise((resolve) => {
      const request = ++this.#lastRequest;
      this.#requests.set(request, { ask, resolve });
      this.handle({ type: "request", request, ask });
    });
  }

  /** Names a connection, so that messages that come on it can be replied to. */
  openLink(send: (message: MemberMessage) => void): Link {
    const link = ++this.#lastLink;
    this.#links.set(link, send);
    return link;
  }

  /** The connection is gone: replies to it are dropped. */
  closeLink(link: Link): void {
    this.#links.delete(link);
  }

  /** Takes an input, and performs what follows from it. */
  handle(input: Input): void {
    if (this.#stopped) return;
    this.#inputs.push(input);
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      // Inputs that effects bring about wait until all effects of the step are performed.
      for (
        let next = this.#inputs.shift();
        next !== undefined && !this.#stopped;
        next = this.#inputs.shift()
      ) {
        const now = { monotonic: performance.now(), wall: Date.now() };
        for (const effect of this.node.step(next, now)) this.#perform(effect);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#stepping = false;
    }
  }

  /** Takes no more inputs and performs nothing more; what clients still wait for ends. */
  close(): void {
    this.#stopped = true;
    clearTimeout(this.#alarm);
    for (const { ask, resolve } of this.#requests.values()) resolve(unanswered(ask));
    this.#requests.clear();
  }

  #perform(effect: Effect): void {
    const { store, peers, onCircle, onStop } = this.#options;
    switch (effect.type) {
      case "save":
        return store.save(effect);
      case "write":
        return this.#queueWrite(effect);
      case "look":
        return this.#look(effect);
      case "scan":
        return this.#scan(effect);
      case "fetch":
        return this.#fetch(effect);
      case "send":
        return peers.send(effect.address, effect.message);
      case "reply":
        return this.#links.get(effect.link)?.(effect.message);
      case "answer":
        return this.#answer(effect.request, effect.answer);
      case "wake":
        return this.#setAlarm(effect.at);
      case "circle":
        return onCircle?.(effect.members);
      case "note":
        return effect.level === "warning" ? log.warn(effect.text) : log.info(effect.text);
      case "stop":
        return onStop(effect);
    }
  }

  #queueWrite({ token, write }: Extract<Effect, { type: "write" }>): void {
    this.#writes.push({ token, write });
    if (this.#writes.length === 1) setImmediate(() => this.#flushWrites());
  }

  #flushWrites(): void {
    if (this.#stopped) return;
    const batch = this.#writes.slice(0, batchWritesMax);
    this.#writes = this.#writes.slice(batchWritesMax);
    if (this.#writes.length > 0) setImmediate(() => this.#flushWrites());
    try {
      const outcomes = this.#options.store.write(batch.map(({ write }) => write));
      const files = this.#options.store.summary().digest;
      for (const [index, { token }] of batch.entries()) {
        const outcome = outcomes[index];
        if (outcome !== undefined) this.handle({ type: "written", token, outcome, files });
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #look({ token, item }: Extract<Effect, { type: "look" }>): void {
    const record = this.#options.store.look(item);
    this.#inputs.push({ type: "looked", token, ...(record === undefined ? {} : { record }) });
  }

  #scan({ token, after, limit }: Extract<Effect, { type: "scan" }>): void {
    // One more than asked for, to know whether there are more.
    const found = this.#options.store.scan({ after, limit: limit + 1, tombstones: true });
    const records = found.slice(0, limit);
    const last = found.length > limit ? records.at(-1)?.name : undefined;
    this.#inputs.push({
      type: "scanned",
      token,
      records,
      ...(last === undefined ? {} : { next: last }),
    });
  }

  #fetch(effect: Extract<Effect, { type: "fetch" }>): void {
    const { token } = effect;
    this.#options.fetcher.fetch(effect).then(
      ({ ok, body }) =>
        this.handle({ type: "fetched", token, ok, ...(body === undefined ? {} : { body }) }),
      (error) => this.#fail(error),
    );
  }

  #answer(request: RequestId, answer: FileAnswer): void {
    const resolve = this.#requests.get(request)?.resolve;
    this.#requests.delete(request);
    resolve?.(answer.type === "GET" && answer.status === 200 ? this.#open(answer) : { answer });
  }

  /** Opens the body of a GET at once, as the next write may replace the file. */
  #open(answer: FileAnswer): Answered {
    const { type, item } = answer;
    try {
      const body = this.#options.store.openBody(answer.sha256 ?? "");
      if (body !== undefined) return { answer, body };
    } catch (error) {
      if (!isPassing(error)) throw error;
      const reason = "This server has too many open files; try again";
      return { answer: { type, item, status: 503, error: reason } };
    }
    const error = `The body of ${JSON.stringify(item)} is missing on this server`;
    log.error(error);
    return { answer: { type, item, status: 500, error } };
  }

  #setAlarm(at: number): void {
    clearTimeout(this.#alarm);
    // Rounded up: a timer that fires before its time would find nothing to do.
    const delay = Math.max(0, Math.ceil(at - performance.now()));
    this.#alarm = setTimeout(() => this.handle({ type: "wake" }), delay);
  }

  #fail(error: unknown): void {
    this.close();
    this.#options.onFatal(error);
  }
}

/** What is answered when the server stops before the ring has answered. */
function unanswered({ type, item }: Ask): Answered {
  const error = "This server stops, and does not know the outcome";
  return { answer: { type, item, status: type === "GET" ? 503 : 504, error } };
}
