/** Five servers and all that they stand on: a network, disks and clocks of their own. */
import { join } from "node:path";
import { DataDisk } from "./data_disk.ts";
import { type Network, openNetwork } from "./network.ts";
import type { FaultKind } from "./schedule.ts";
import { ServerProcess } from "./server_process.ts";
import { canSetClocks, WallClock } from "./wall_clock.ts";

/** How many servers there are. */
export const serversCount = 5;

/** What a cluster is made with. */
export interface ClusterOptions {
  /** For logs, and for data where a server has no file system of its own. */
  readonly directory: string;
  /** Whether to do without all that changes the machine: namespaces, mounts, clocks. */
  readonly isLoopback: boolean;
  /** Arguments for every server. */
  readonly serverArgs: readonly string[];
  /** Told when something is wrong with a server. */
  readonly onViolation: (text: string) => void;
}

/** Servers, and what can be done to what they stand on. */
export class Cluster implements AsyncDisposable {
  readonly servers: readonly ServerProcess[];
  readonly network: Network;
  readonly #clocks: readonly WallClock[];
  readonly #resources: AsyncDisposableStack;

  private constructor(
    parts: {
      servers: readonly ServerProcess[];
      network: Network;
      clocks: readonly WallClock[];
      resources: AsyncDisposableStack;
    },
  ) {
    this.servers = parts.servers;
    this.network = parts.network;
    this.#clocks = parts.clocks;
    this.#resources = parts.resources;
  }

  /** Prepares everything; no server runs yet. */
  static async open(options: ClusterOptions): Promise<Cluster> {
    const { directory, isLoopback, serverArgs, onViolation } = options;
    await using resources = new AsyncDisposableStack();
    const network = resources.use(await openNetwork(serversCount, { isLoopback }));
    const hasClocks = !isLoopback && await canSetClocks(directory);
    const [servers, clocks]: [ServerProcess[], WallClock[]] = [[], []];
    for (let index = 0; index < serversCount; index++) {
      const home = join(directory, `disk-${index + 1}`);
      const disk = resources.use(await DataDisk.open(home, { mounts: !isLoopback }));
      const clock = hasClocks ? await WallClock.create(directory, `clock-${index + 1}`) : undefined;
      if (clock !== undefined) clocks.push(clock);
      const server = new ServerProcess({
        index,
        ip: network.ip(index),
        disk,
        directory,
        prefix: network.prefix(index),
        environment: clock?.environment ?? {},
        args: serverArgs,
        onViolation,
      });
      resources.defer(() => server.kill());
      servers.push(server);
    }
    return new Cluster({ servers, network, clocks, resources: resources.move() });
  }

  /** Whether a kind of fault can happen on this machine. */
  canSuffer(kind: FaultKind): boolean {
    switch (kind) {
      case "cut in halves":
      case "cut off one":
      case "cut to successor":
      case "cut from successor":
      case "packet loss":
        return this.network.canCut;
      case "full disk":
        return this.servers.every(({ disk }) => disk.canFill);
      case "clock step":
        return this.#clocks.length > 0;
      default:
        return true;
    }
  }

  /** Starts all servers, each after the one before. */
  async start(): Promise<void> {
    let previous: ServerProcess | undefined;
    for (const server of this.servers) {
      await server.start({ previous });
      previous = server;
    }
  }

  /** Sets the clock of a server; nothing happens where clocks cannot be set. */
  async setClock(server: ServerProcess, milliseconds: number): Promise<void> {
    await this.#clocks[server.index]?.set(milliseconds);
  }

  /** Ends every fault that lasts: nothing is cut, full, stopped or wrong, and every server runs. */
  async restore(): Promise<void> {
    if (this.network.canCut) await this.network.setCuts([]);
    await Promise.all(this.servers.map(async (server) => {
      await server.disk.free();
      await this.setClock(server, 0);
      server.continue();
      await server.start();
    }));
  }

  /** Kills what runs, and removes all but the directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}
