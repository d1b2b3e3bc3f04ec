/** A simulated world: virtual time, servers, clients and the network between them, from one seed. */
import type { NodeOptions } from "../../lib/ring/node.ts";
import { Checks } from "./checks.ts";
import type { Client } from "./client.ts";
import { EventQueue } from "./event_queue.ts";
import { Network, type NetworkQuality } from "./network.ts";
import type { Core } from "./process.ts";
import { Random } from "./random.ts";
import { Server } from "./server.ts";
import { Statistics } from "./statistics.ts";
import type { Trace } from "./trace.ts";

/** What a world is made of. */
export interface WorldOptions {
  readonly seed: string;
  readonly trace: Trace;
  readonly quality: NetworkQuality;
  /** How far a wall clock may be off, in milliseconds, either way. */
  readonly skewMsMax: number;
  readonly createCore: (options: NodeOptions) => Core;
}

/** Everything that is simulated. */
export class World {
  readonly random: Random;
  readonly trace: Trace;
  readonly statistics = new Statistics();
  readonly network: Network;
  readonly checks: Checks;
  readonly quality: NetworkQuality;
  readonly skewMsMax: number;
  readonly createCore: (options: NodeOptions) => Core;
  readonly servers: Server[] = [];
  readonly clients: Client[] = [];
  readonly #queue = new EventQueue();
  #now = 0;
  #disturbedAt = 0;
  #previouslyDisturbedAt = 0;
  #hasBroken = false;
  #events = 0;

  constructor({ seed, trace, quality, skewMsMax, createCore }: WorldOptions) {
    this.random = new Random(seed);
    this.trace = trace;
    this.quality = quality;
    this.skewMsMax = skewMsMax;
    this.createCore = createCore;
    this.checks = new Checks(this);
    this.network = new Network(() => this.#now, {
      quality,
      random: this.random.fork("network"),
      schedule: (delayMs, run) => this.schedule(delayMs, run),
      onBreak: () => {
        this.#hasBroken = true;
        this.statistics.countFault("connection break");
        this.statistics.countSituation("a connection breaks");
      },
    });
  }

  /** Virtual time, in milliseconds from the beginning. */
  get now(): number {
    return this.#now;
  }

  /** How many events have happened. */
  get events(): number {
    return this.#events;
  }

  /** When a server last was started, stopped or harmed. */
  get disturbedAt(): number {
    return this.#disturbedAt;
  }

  /** When the last disturbance before the one of this moment was. */
  get previouslyDisturbedAt(): number {
    return this.#disturbedAt < this.#now ? this.#disturbedAt : this.#previouslyDisturbedAt;
  }

  /** Whether nothing was harmed so far: no fault, no broken connection. */
  get isCalm(): boolean {
    return !this.#hasBroken;
  }

  /** Notes that a server was started, stopped or harmed. */
  disturb({ harms = false } = {}): void {
    this.#previouslyDisturbedAt = this.previouslyDisturbedAt;
    this.#disturbedAt = this.#now;
    if (harms) this.#hasBroken = true;
  }

  /** Adds a server, not yet started. */
  addServer(): Server {
    const server = new Server(this, this.servers.length);
    this.servers.push(server);
    return server;
  }

  /** Has something happen after a delay in milliseconds. */
  schedule(delayMs: number, run: () => void): void {
    this.#queue.push(this.#now + delayMs, run);
  }

  /** Lets everything happen that is due up to a virtual time. */
  runUntil(time: number): void {
    while ((this.#queue.nextAt ?? Infinity) <= time) {
      const event = this.#queue.pop();
      if (event === undefined) break;
      this.#now = event.at;
      this.#events++;
      event.run();
    }
    this.#now = time;
  }
}
