/**
 * The driver: hands inputs to the core and performs its effects.
 *
 * Persist, then send, then acknowledge: effects are performed in the order in which the core gives
 * them, a `save` is durable when the next one is performed, and a `write` is answered only when it is.
 * Writes that arrive in the same turn of the event loop, or while the disk syncs those before, share one
 * transaction, and one sync.
 */
import { setImmediate } from "node:timers";
import { logger } from "../log.ts";
import type { MemberMessage } from "../ring/message.ts";
import type { CollectAnswer, FileAnswer } from "../ring/request.ts";
import { Node, type NodeOptions, pauseMsMin } from "../ring/node.ts";
import type {
  Ask,
  Effect,
  Input,
  Link,
  RecordWrite,
  RequestId,
  Token,
  WriteOutcome,
} from "../ring/step.ts";
import { isPassing } from "../storage/disk_error.ts";
import type { Answered } from "../storage/answered.ts";
import type { Store } from "../storage/store.ts";
import type { Activity } from "../web/activity.ts";
import type { Fetcher } from "./fetcher.ts";
import type { ServerOptions } from "./options.ts";
import type { Peers } from "./peers.ts";

/** How many writes share one transaction at the most: one blocks the event loop while it runs. */
export const batchWritesMax = 256;

const log = logger("ring");

/** A request of a client that waits for its answer. */
interface Waiting {
  readonly ask: Ask;
  readonly resolve: (answered: Answered) => void;
}

/** A record that waits for its transaction. */
interface QueuedWrite {
  readonly token: Token;
  readonly write: RecordWrite;
}

/** What {@linkcode Driver} is made of. */
export interface DriverOptions {
  readonly node: NodeOptions;
  readonly store: Store;
  readonly peers: Peers;
  readonly fetcher: Fetcher;
  readonly activity: Activity;
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
  readonly #requests = new Map<RequestId, Waiting>();
  readonly #collections = new Map<RequestId, (answer: CollectAnswer) => void>();
  readonly #mendings = new Map<RequestId, (lost: readonly string[] | undefined) => void>();
  readonly #links = new Map<Link, (message: MemberMessage) => void>();
  #writes: QueuedWrite[] = [];
  /** Ends when nothing waits to be written. */
  #writing: Promise<void> | undefined;
  #lastRequest: RequestId = 0;
  #lastLink: Link = 0;
  #filesVersion = 0;
  #steppedAt = -Infinity;
  #stepping = false;
  #stopped = false;
  #alarm: ReturnType<typeof setTimeout> | undefined;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.node = new Node(options.node);
  }

  /** How many requests of clients wait for their answer. */
  get requestsUnderWay(): number {
    return this.#requests.size + this.#collections.size;
  }

  /** Changes whenever a file in the store may have. */
  get filesVersion(): number {
    return this.#filesVersion;
  }

  /**
   * Whether this server may answer from its store without asking the core: it holds everything, and was
   * not stopped since it last looked at the time, as it may have been held dead meanwhile.
   */
  get isCurrent(): boolean {
    return this.node.isCurrent && performance.now() - this.#steppedAt < pauseMsMin;
  }

  /** Asks the ring on behalf of a client. */
  request(ask: Ask): Promise<Answered> {
    if (this.#stopped) return Promise.resolve(unanswered(ask));
    return new Promise((resolve) => this.#request({ ask, resolve }));
  }

  /** Has the tombstones dropped that no server can be without, on all servers. */
  collect(): Promise<CollectAnswer> {
    if (this.#stopped) return Promise.resolve(uncollected);
    return new Promise((resolve) => {
      const request = ++this.#lastRequest;
      this.#collections.set(request, resolve);
      this.handle({ type: "collect", request });
    });
  }

  /**
   * Has what was damaged, and was removed from the store, brought back from other servers. Returns the
   * names that could not be had; `undefined` if the server stops before that is known.
   */
  mend(names: readonly string[]): Promise<readonly string[] | undefined> {
    if (this.#stopped) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const request = ++this.#lastRequest;
      const files = this.#options.store.summary().digest;
      this.#mendings.set(request, resolve);
      this.handle({ type: "damaged", request, names, files });
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
    if (input.type === "message") {
      this.#options.activity.noteReceived(input.message, performance.now());
    }
    if (input.type === "damaged") {
      this.#filesVersion++;
      this.#options.activity.damaged += input.names.length;
    }
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
        this.#steppedAt = now.monotonic;
        for (const effect of this.node.step(next, now)) this.#perform(effect);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#stepping = false;
    }
  }

  /**
   * Takes no more inputs and performs nothing more; what clients still wait for ends. Resolves when the
   * store is not used any more.
   */
  async close(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#alarm);
    for (const { ask, resolve } of this.#requests.values()) resolve(unanswered(ask));
    for (const resolve of this.#collections.values()) resolve(uncollected);
    for (const resolve of this.#mendings.values()) resolve(undefined);
    for (const waiting of [this.#requests, this.#collections, this.#mendings]) waiting.clear();
    await this.#writing;
  }

  #request(waiting: Waiting): void {
    const request = ++this.#lastRequest;
    this.#requests.set(request, waiting);
    this.handle({ type: "request", request, ask: waiting.ask });
  }

  #perform(effect: Effect): void {
    const { store, peers, activity, onCircle, onStop } = this.#options;
    switch (effect.type) {
      case "save":
        store.save(effect);
        return activity.note({ type: "list", members: this.node.members });
      case "write":
        return this.#queueWrite(effect);
      case "look":
        return this.#look(effect);
      case "digest":
        return this.#digest(effect);
      case "compare":
        return this.#compare(effect);
      case "collect":
        return this.#collect(effect);
      case "fetch":
        return this.#fetch(effect);
      case "send":
        activity.noteSent(effect.message, performance.now());
        return peers.send(effect.address, effect.message);
      case "reply":
        activity.noteSent(effect.message, performance.now());
        return this.#links.get(effect.link)?.(effect.message);
      case "answer":
        return this.#answer(effect.request, effect.answer);
      case "mended":
        return settle(this.#mendings, effect.request)?.(effect.lost);
      case "wake":
        return this.#setAlarm(effect.at);
      case "circle":
        return onCircle?.(effect.members);
      case "note":
        activity.note(effect);
        return effect.level === "warning" ? log.warn(effect.text) : log.info(effect.text);
      case "refused":
        return activity.refusals.note(effect.bound);
      case "stop":
        return onStop(effect);
    }
  }

  #queueWrite({ token, write }: Extract<Effect, { type: "write" }>): void {
    this.#writes.push({ token, write });
    this.#writing ??= this.#writeAll().catch((error) => this.#fail(error));
  }

  /** Writes what waits, batch by batch; what comes while the disk syncs waits for the next one. */
  async #writeAll(): Promise<void> {
    while (this.#writes.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#stopped) return;
      const batch = this.#writes.slice(0, batchWritesMax);
      this.#writes = this.#writes.slice(batchWritesMax);
      const outcomes = this.#options.store.write(batch.map(({ write }) => write));
      this.#filesVersion++;
      await this.#options.store.sync();
      if (this.#stopped) return;
      this.#acknowledge(batch, outcomes);
    }
    this.#writing = undefined;
  }

  /** Tells the core what became of writes, which are durable now. */
  #acknowledge(batch: readonly QueuedWrite[], outcomes: readonly WriteOutcome[]): void {
    const files = this.#options.store.summary().digest;
    for (const [index, { token, write }] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) continue;
      if (outcome.outcome === "full") this.#options.activity.refusals.note("room");
      if (outcome.outcome === "stored") {
        this.#options.activity.noteStored(write.record, outcome.previous);
      }
      this.handle({ type: "written", token, outcome, files });
    }
  }

  #look({ token, item }: Extract<Effect, { type: "look" }>): void {
    const record = this.#options.store.look(item);
    this.#inputs.push({ type: "looked", token, ...(record === undefined ? {} : { record }) });
  }

  #digest({ token }: Extract<Effect, { type: "digest" }>): void {
    this.#inputs.push({ type: "digested", token, digests: this.#options.store.digests() });
  }

  #compare({ token, digests, after, limit }: Extract<Effect, { type: "compare" }>): void {
    // One more than asked for, to know whether there are more.
    const found = this.#options.store.compare({ digests, after, limit: limit + 1 });
    const records = found.slice(0, limit);
    const last = found.length > limit ? records.at(-1)?.name : undefined;
    this.#inputs.push({
      type: "compared",
      token,
      records,
      ...(last === undefined ? {} : { next: last }),
    });
  }

  #collect({ token, upTo, limit }: Extract<Effect, { type: "collect" }>): void {
    const { store } = this.#options;
    const dropped = store.collect({ upTo, limit });
    this.#filesVersion++;
    this.#inputs.push({ type: "collected", token, dropped, files: store.summary().digest });
  }

  #fetch(effect: Extract<Effect, { type: "fetch" }>): void {
    const { token } = effect;
    this.#options.fetcher.fetch(effect).then(
      ({ ok, body }) =>
        this.handle({ type: "fetched", token, ok, ...(body === undefined ? {} : { body }) }),
      (error) => this.#fail(error),
    );
  }

  #answer(request: RequestId, answer: FileAnswer | CollectAnswer): void {
    if (answer.type === "GC") return settle(this.#collections, request)?.(answer);
    const waiting = settle(this.#requests, request);
    if (waiting === undefined) return;
    if (answer.type !== "GET" || answer.status !== 200) return waiting.resolve({ answer });
    this.#answerFile(answer, waiting);
  }

  /** Answers a GET; a body that is lost here is asked for at the other servers, once. */
  #answerFile(answer: FileAnswer, { ask, resolve }: Waiting): void {
    const { item } = answer;
    const answered = this.#open(answer);
    if (answered !== undefined) return resolve(answered);
    if (ask.type === "GET" && ask.bodyLost === undefined) {
      log.warn(`The body of ${JSON.stringify(item)} is missing here: other servers are asked`);
      return this.#request({ ask: { type: "GET", item, bodyLost: true }, resolve });
    }
    const error = `The body of ${JSON.stringify(item)} is missing on this server; try again`;
    resolve({ answer: { type: "GET", item, status: 503, error } });
  }

  /** Opens the body of a GET at once, as the next write may replace the file; it may be missing. */
  #open(answer: FileAnswer): Answered | undefined {
    const { type, item } = answer;
    try {
      const body = this.#options.store.openBody(answer.sha256 ?? "");
      return body && { answer, body };
    } catch (error) {
      if (!isPassing(error)) throw error;
      const reason = "This server has too many open files; try again";
      return { answer: { type, item, status: 503, error: reason } };
    }
  }

  #setAlarm(at: number): void {
    clearTimeout(this.#alarm);
    // Rounded up: a timer that fires before its time would find nothing to do.
    const delay = Math.max(0, Math.ceil(at - performance.now()));
    this.#alarm = setTimeout(() => this.handle({ type: "wake" }), delay);
  }

  #fail(error: unknown): void {
    void this.close();
    this.#options.onFatal(error);
  }
}

/** What waits for this answer, and from now on does not any more. */
function settle<Value>(waiting: Map<RequestId, Value>, request: RequestId): Value | undefined {
  const value = waiting.get(request);
  waiting.delete(request);
  return value;
}

const stopsFirst = "This server stops, and does not know the outcome";

/** What is answered when the server stops before the ring has answered. */
function unanswered({ type, item }: Ask): Answered {
  return { answer: { type, item, status: type === "GET" ? 503 : 504, error: stopsFirst } };
}

const uncollected: CollectAnswer = { type: "GC", status: 504, error: stopsFirst };
