/** A simulated world: virtual time, servers, clients and the network between them, from one seed. */
import { sendQueueBytesMax } from "../../lib/protocol/send_queue.ts";
import type { NodeOptions } from "../../lib/ring/node.ts";
import { Checks } from "./checks.ts";
import type { Client } from "./client.ts";
import type { Disk } from "./disk.ts";
import { EventQueue } from "./event_queue.ts";
import { assertCheck } from "./failure.ts";
import { Network, type NetworkQuality } from "./network.ts";
import type { Core } from "./core.ts";
import { Random } from "./random.ts";
import { Server } from "./server.ts";
import { Statistics } from "./statistics.ts";
import type { Trace } from "./trace.ts";

/**
 * The most messages that may be on their way from one server: as many as one of its connections may hold,
 * at 1 KiB each, before a server gives it up. They are most when it hears nobody: then every try of every
 * open circle is on its way.
 */
const inFlightMax = sendQueueBytesMax / 1024;

/** What a world is made of. */
export interface WorldOptions {
  readonly seed: string;
  readonly trace: Trace;
  readonly quality: NetworkQuality;
  /** How far a wall clock may be off, in milliseconds, either way. */
  readonly skewMsMax: number;
  /** How long a sync of a disk takes, at most, in milliseconds. */
  readonly syncMsMax: number;
  /** How many servers must have a write before it is acknowledged. */
  readonly minCopies: number;
  /** The files that clients work on. */
  readonly items: readonly string[];
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
  readonly syncMsMax: number;
  readonly minCopies: number;
  readonly items: readonly string[];
  readonly createCore: (options: NodeOptions) => Core;
  readonly servers: Server[] = [];
  /** Disks that were lost, with the identity that each gave its server. */
  readonly retired: Disk[] = [];
  readonly clients: Client[] = [];
  readonly #queue = new EventQueue();
  /** Since when nothing but one link is broken, one way; absent if something else is, or nothing. */
  detourSince: number | undefined;
  #now = 0;
  #disturbances = 0;
  #disturbedAt = 0;
  #previouslyDisturbedAt = 0;
  #hasBroken = false;
  #hasStalled = false;
  #isMistimed = false;
  #events = 0;

  constructor(options: WorldOptions) {
    const { seed, trace, quality, skewMsMax, syncMsMax, minCopies, items, createCore } = options;
    this.random = new Random(seed);
    this.trace = trace;
    this.quality = quality;
    this.skewMsMax = skewMsMax;
    this.syncMsMax = syncMsMax;
    this.minCopies = minCopies;
    this.items = items;
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
      onFlight: ({ address }, messages) =>
        assertCheck(
          messages <= inFlightMax,
          "bounded",
          () => `${inFlightMax} messages from ${address} are under way at the same time`,
        ),
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

  /** How often something was started, stopped or harmed. */
  get disturbances(): number {
    return this.#disturbances;
  }

  /** When the last disturbance before the one of this moment was. */
  get previouslyDisturbedAt(): number {
    return this.#disturbedAt < this.#now ? this.#disturbedAt : this.#previouslyDisturbedAt;
  }

  /** Whether nothing was harmed so far: no fault, no broken connection, no lost message. */
  get isCalm(): boolean {
    return !this.#hasBroken && this.network.wasReliable;
  }

  /** The servers that run and count as copies. */
  get established(): readonly Server[] {
    return this.servers.filter(({ process }) => process?.isAlive);
  }

  /** Ends all faults. */
  mend(): void {
    this.disturb();
    this.network.mend();
    for (const { disk, process, wall } of this.servers) {
      wall.mend(this.#now);
      disk.isFull = false;
      disk.failsNextSync = false;
      process?.resume();
    }
  }

  /** Whether nothing has stood still so far: no server, no link, no disk. */
  get isBrisk(): boolean {
    return !this.#hasStalled && this.network.wasReliable;
  }

  /**
   * Whether a body was damaged on the last disk that had it, of those that are there: who lacks it asks
   * for it as long as it is on the list, and is no copy.
   */
  get isBodyLost(): boolean {
    const disks = this.servers.filter(({ running }) => running !== undefined)
      .map(({ disk }) => disk);
    if (!disks.some(({ wasDamaged }) => wasDamaged)) return false;
    return disks.some(({ records }) =>
      records.some(({ deleted, sha256 }) => !deleted && !disks.some((disk) => disk.hasBody(sha256)))
    );
  }

  /** Whether a clock was touched so far. */
  get isMistimed(): boolean {
    return this.#isMistimed;
  }

  /** Notes that something was started, stopped or harmed; that it stands still; that a clock is wrong. */
  disturb({ harms = false, stalls = false, mistimes = false } = {}): void {
    if (stalls) this.#hasStalled = true;
    if (mistimes) this.#isMistimed = true;
    this.#previouslyDisturbedAt = this.previouslyDisturbedAt;
    this.#disturbedAt = this.#now;
    this.#disturbances++;
    this.detourSince = undefined;
    if (harms || stalls || mistimes) this.#hasBroken = true;
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
