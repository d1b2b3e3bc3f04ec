/**
 * A simulated client: puts, gets and deletes a few names at servers at random, one request at a time.
 *
 * It never waits for ever, and a server that runs undisturbed must answer before it gives up.
 */
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import type { FileAnswer } from "../../lib/ring/message.ts";
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

/** One request and what became of it. */
export interface Operation {
  readonly client: string;
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
      if (server?.process === undefined) return this.start();
      this.#request(server, server.process);
    });
  }

  /** Asks a server for a file and checks that it answers. */
  read(server: Server, item: string): void {
    if (server.process !== undefined) this.#send(server, server.process, { type: "GET", item });
  }

  #request(server: Server, process: Process): void {
    const { random, items } = this.#options;
    const item = random.pick(items) ?? "";
    const kind = random.integer(100);
    if (kind < 45) return this.#send(server, process, { type: "GET", item });
    if (kind < 60) return this.#send(server, process, { type: "DELETE", item });
    this.#put(server, process, item);
  }

  #put(server: Server, process: Process, item: string): void {
    const world = this.#world;
    const { random, name } = this.#options;
    const text = `${name} ${++this.#bodies}`;
    const body = random.chance(0.05) ? new Uint8Array() : new TextEncoder().encode(text);
    const contentType = "text/plain";
    if (!random.chance(largeChance)) {
      const hash = sha256(body.length === 0 ? "" : text);
      const size = body.length;
      return this.#send(server, process, {
        type: "PUT",
        item,
        sha256: hash,
        size,
        contentType,
        body,
      });
    }
    const size = random.between(inlineBytesMax + 1, largeBytesMax);
    const hash = sha256(`${size} bytes: ${text}`);
    const put: Ask = { type: "PUT", item, sha256: hash, size, contentType };
    world.statistics.countSituation("a large file is put");
    server.disk.putBody(hash, body);
    if (!random.chance(aheadChance)) return this.#send(server, process, put);
    sendBodyAhead(world, { from: process, sha256: hash, body });
    this.#send(server, process, { ...put, upload: random.hex(16) });
  }

  #send(server: Server, process: Process, ask: Ask): void {
    const world = this.#world;
    const { name } = this.#options;
    const operation: Operation = { client: name, ask, server: server.name, invokedAt: world.now };
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
    this.start();
  }
}

function isOpen(server: Server): boolean {
  return server.isUp && server.process?.isLeaving === false;
}
