/**
 * Clients: they put, get and delete at any server, all the time, and note what they are told.
 *
 * A few names collide often, some of them large. Others are put once and perhaps deleted once, by nobody
 * else, so that what has become of them leaves no doubt.
 */
import { RingClient } from "../../lib/client/client.ts";
import { Random } from "../simulator/random.ts";
import { perform } from "./client_operation.ts";
import type { History, Operation } from "./history.ts";
import { pause } from "./pause.ts";
import type { ServerProcess } from "./server_process.ts";

/** How many clients there are; each has one request under way at the most. */
const clientsCount = 6;

/** How long a client waits beyond what the ring gives itself, and for a connection, in milliseconds. */
const timeouts = { timeoutMs: 3_000, connectMs: 1_000 };

/** How long a client thinks before its next request, in milliseconds. */
const thinkMs = { least: 50, most: 400 };

const smallNames = 8;
const largeNames = 3;
/** How many names that are put once there may be. */
const singleNamesMax = 6_000;

/** Bytes in a body. */
const smallBytes = { least: 64, most: 20_000 };
const largeBytes = { least: 100 * 1024, most: 2 * 1024 * 1024 };

const singleChance = 0.25;
const deleteSingleChance = 0.3;
const largeChance = 0.06;
const getChance = 0.5;
const deleteChance = 0.3;

/** What a workload works on. */
export interface WorkloadOptions {
  readonly seed: string;
  readonly servers: readonly ServerProcess[];
  readonly history: History;
  /** Ends the workload: what is under way is finished. */
  readonly signal: AbortSignal;
}

/** Runs all clients until the signal comes; resolves when each has its last answer. */
export async function runWorkload(options: WorkloadOptions): Promise<void> {
  const names = new SingleNames();
  const random = new Random(options.seed).fork("workload");
  await Promise.all(Array.from({ length: clientsCount }, async (_, index) => {
    const client = new WorkloadClient(options, { random: random.fork(`client ${index}`), names });
    await client.run();
  }));
}

/** Names that are put once. */
class SingleNames {
  readonly #put: string[] = [];
  #count = 0;

  /** A name that was never used, if there is one left. */
  fresh(): string | undefined {
    return this.#count < singleNamesMax ? `single/${++this.#count}` : undefined;
  }

  /** A name whose PUT was acknowledged may be deleted. */
  add(name: string): void {
    this.#put.push(name);
  }

  /** Takes a name to delete. */
  take(random: Random): string | undefined {
    return this.#put.splice(random.integer(Math.max(this.#put.length, 1)), 1)[0];
  }

  /** A name to get. */
  pick(random: Random): string | undefined {
    return random.pick(this.#put);
  }
}

interface Ask extends Pick<Operation, "type" | "name"> {
  readonly size: number;
}

class WorkloadClient {
  readonly #options: WorkloadOptions;
  readonly #random: Random;
  readonly #names: SingleNames;
  readonly #connections = new Map<string, RingClient>();

  constructor(
    options: WorkloadOptions,
    { random, names }: { random: Random; names: SingleNames },
  ) {
    this.#options = options;
    this.#random = random;
    this.#names = names;
  }

  async run(): Promise<void> {
    const { servers, signal } = this.#options;
    while (!signal.aborted) {
      await pause(this.#random.between(thinkMs.least, thinkMs.most), signal);
      const server = this.#random.pick(servers);
      if (server !== undefined && !signal.aborted) await this.#perform(this.#draw(), server);
    }
    for (const connection of this.#connections.values()) connection.close();
  }

  #draw(): Ask {
    const random = this.#random;
    const isSingle = random.chance(singleChance);
    const size = random.between(smallBytes.least, smallBytes.most);
    const action = random.chance(getChance)
      ? "GET"
      : random.chance(deleteChance)
      ? "DELETE"
      : "PUT";
    if (isSingle) return this.#drawSingle(size, action === "GET");
    if (random.chance(largeChance)) {
      const large = random.between(largeBytes.least, largeBytes.most);
      return { type: action, name: `large/${random.integer(largeNames)}`, size: large };
    }
    return { type: action, name: `small/${random.integer(smallNames)}`, size };
  }

  #drawSingle(size: number, gets: boolean): Ask {
    if (gets) return { type: "GET", name: this.#names.pick(this.#random) ?? "single/1", size };
    const old = this.#random.chance(deleteSingleChance)
      ? this.#names.take(this.#random)
      : undefined;
    if (old !== undefined) return { type: "DELETE", name: old, size };
    const name = this.#names.fresh();
    return name === undefined
      ? { type: "GET", name: "single/1", size }
      : { type: "PUT", name, size };
  }

  /** Asks, and adds what came of it to the history. */
  async #perform({ type, name, size }: Ask, server: ServerProcess): Promise<void> {
    const { history } = this.#options;
    const body = type === "PUT" ? this.#body(size) : undefined;
    const connect = () => this.#connect(server);
    const { outcome } = await perform({ type, name, body }, { server, connect, history });
    const isSingle = name.startsWith("single/");
    if (type === "PUT" && isSingle && outcome === "done") this.#names.add(name);
  }

  async #connect({ address }: ServerProcess): Promise<RingClient> {
    const open = this.#connections.get(address);
    if (open !== undefined && !open.closed) return open;
    const client = await RingClient.connect(address, timeouts);
    this.#connections.set(address, client);
    return client;
  }

  /** Bytes unlike any others: a line of their own, repeated. */
  #body(size: number): Uint8Array {
    const pattern = new TextEncoder().encode(`${this.#random.hex(64)}\n`);
    const body = new Uint8Array(size);
    for (let at = 0; at < size; at += pattern.length) {
      body.set(pattern.subarray(0, Math.min(pattern.length, size - at)), at);
    }
    return body;
  }
}
