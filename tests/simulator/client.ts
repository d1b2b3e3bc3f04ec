/**
 * A simulated client: puts, gets and deletes a few names at servers at random, one request at a time.
 *
 * It never waits for ever, and a server that runs undisturbed must answer before it gives up.
 */
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import type { FileAnswer } from "../../lib/ring/request.ts";
import type { Ask } from "../../lib/ring/step.ts";
import { sha256 } from "./disk.ts";
import { assertCheck } from "./failure.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Server } from "./server.ts";
import { sendBodyAhead } from "./transfer.ts";
import type { World } from "./world.ts";

/** How long a client waits for an answer, in milliseconds. */
export const clientTimeoutMs = 30_000;
/** How long a client thinks between two requests, at most. */
const thinkMsMax = 1_500;
/** How often a client does not think at all. */
const hasteChance = 0.3;
/** How often a file is too large to travel with its record. */
const largeChance = 0.1;
const largeBytesMax = 10_000_000;
/** How often a client whose request came to nothing it knows of asks the same again, elsewhere. */
const retryChance = 0.5;
/** How often a large body goes ahead of its record. */
const aheadChance = 0.6;

/** What a client is told. */
export interface ClientOptions {
  readonly name: string;
  readonly random: Random;
  /** The files that it works on. */
  readonly items: readonly string[];
  /** When it stops asking. */
  readonly until: number;
}

/** What a client wants of any server. */
export type Wish =
  | { readonly type: "GET" | "DELETE"; readonly item: string }
  | {
    readonly type: "PUT";
    readonly item: string;
    readonly sha256: string;
    readonly size: number;
    /** The body; of a large file, a stand-in. */
    readonly body: Uint8Array;
  };

/** One request and what became of it. */
export interface Operation {
  readonly client: string;
  readonly wish: Wish;
  readonly ask: Ask;
  readonly server: string;
  readonly invokedAt: number;
  answeredAt?: number;
  /** `closed`: the server ended; `timeout`: nothing was heard. */
  answer?: FileAnswer | "closed" | "timeout";
}

/** One client. */
export class Client {
  readonly operations: Operation[] = [];
  readonly #world: World;
  readonly #options: ClientOptions;
  #bodies = 0;
  /** What it asks next: the outcome of the last time is unknown. */
  #again: Wish | undefined;

  constructor(world: World, options: ClientOptions) {
    this.#world = world;
    this.#options = options;
  }

  /** Asks one request after another until its time is over. */
  start(): void {
    const { random, until } = this.#options;
    const think = random.chance(hasteChance) ? 0 : random.integer(thinkMsMax);
    this.#world.schedule(think, () => {
      if (this.#world.now >= until) return;
      const server = random.pick(this.#world.servers.filter(isOpen));
      if (server === undefined) return this.start();
      this.#ask(server, this.#again ?? this.#drawWish());
      this.#again = undefined;
    });
  }

  /** Asks a server for a file and checks that it answers. */
  read(server: Server, item: string): void {
    this.#ask(server, { type: "GET", item });
  }

  #drawWish(): Wish {
    const { random, items, name } = this.#options;
    const item = random.pick(items) ?? "";
    const kind = random.integer(100);
    if (kind < 45) return { type: "GET", item };
    if (kind < 60) return { type: "DELETE", item };
    const text = random.chance(0.05) ? "" : `${name} ${++this.#bodies}`;
    const body = new TextEncoder().encode(text);
    if (!random.chance(largeChance)) {
      return { type: "PUT", item, body, size: body.length, sha256: sha256(text) };
    }
    const size = random.between(inlineBytesMax + 1, largeBytesMax);
    return { type: "PUT", item, body, size, sha256: sha256(`${size} bytes: ${text}`) };
  }

  /** Asks a server for what it wishes; a large body is received before the core hears of it. */
  #ask(server: Server, wish: Wish): void {
    const { process } = server;
    if (process === undefined) return;
    if (wish.type !== "PUT") return this.#send(server, { process, wish, ask: wish });
    const { body, ...put } = { ...wish, contentType: "text/plain" };
    const isLarge = wish.size > inlineBytesMax;
    if (!isLarge) return this.#send(server, { process, wish, ask: { ...put, body } });
    this.#world.statistics.countSituation("a large file is put");
    if (!server.disk.putBody(put.sha256, body)) {
      this.#world.statistics.countSituation("a large body finds no room");
      return this.start();
    }
    const { random } = this.#options;
    if (!random.chance(aheadChance)) return this.#send(server, { process, wish, ask: put });
    sendBodyAhead(this.#world, { from: process, sha256: put.sha256, body });
    this.#send(server, { process, wish, ask: { ...put, upload: random.hex(16) } });
  }

  #send(
    server: Server,
    { process, wish, ask }: { process: Process; wish: Wish; ask: Ask },
  ): void {
    const world = this.#world;
    const { name } = this.#options;
    const { name: at } = server;
    const operation: Operation = { client: name, wish, ask, server: at, invokedAt: world.now };
    this.operations.push(operation);
    world.trace.line(world.now, name, `asks ${server.name}: ${ask.type} "${ask.item}"`);
    world.schedule(world.network.delayMs(), () => {
      if (process.state === "ended" || process.isLeaving) return this.#end(operation, "closed");
      process.ask(ask, (answer) => {
        world.schedule(world.network.delayMs(), () => this.#end(operation, answer));
      });
    });
    world.schedule(clientTimeoutMs, () => {
      if (operation.answer !== undefined) return;
      const wasFree = process.state === "running" && process.disturbedAt < operation.invokedAt;
      assertCheck(
        !wasFree,
        "answers",
        () => `${server.name} did not answer ${ask.type} "${ask.item}" in ${clientTimeoutMs} ms`,
      );
      this.#end(operation, "timeout");
    });
  }

  #end(operation: Operation, answer: FileAnswer | "closed" | "timeout"): void {
    const world = this.#world;
    if (operation.answer !== undefined) return;
    operation.answer = answer;
    operation.answeredAt = world.now;
    const outcome = typeof answer === "string" ? answer : String(answer.status);
    world.trace.line(world.now, operation.client, `hears ${outcome} from ${operation.server}`);
    if (typeof answer === "string") world.statistics.countSituation("a client hears nothing");
    const isUnknown = typeof answer === "string" || answer.status === 503 || answer.status === 504;
    if (isUnknown && this.#options.random.chance(retryChance)) {
      world.statistics.countSituation("a client tries again");
      this.#again = operation.wish;
    }
    this.start();
  }
}

/** Reads every file at every server that runs, all at once; the client that does it is called `name`. */
export function readAll(world: World, name: string): Client {
  const { items, now, random } = world;
  const reader = new Client(world, {
    name,
    random: random.fork(`reader ${name}`),
    items,
    until: now,
  });
  for (const server of world.servers) {
    for (const item of items) if (server.running !== undefined) reader.read(server, item);
  }
  return reader;
}

function isOpen(server: Server): boolean {
  return server.isUp && server.process?.isLeaving === false;
}
