/**
 * What the servers say of the ring, asked for all the time, and what their processes use.
 */
import { RingClient } from "../../lib/client/client.ts";
import { RingError } from "../../lib/client/ring_error.ts";
import { isLive, type Member } from "../../lib/ring/member.ts";
import type { StatusAnswer } from "../../lib/ring/request.ts";
import { areOneCircle, holdTheSame, turned } from "./agreement.ts";
import { pause } from "./pause.ts";
import type { ServerProcess } from "./server_process.ts";
import { greatest, type Growth, readUsage } from "./usage.ts";

/** How often each server is asked, in milliseconds. */
const askEveryMs = 200;

/** How long an answer may take, in milliseconds, before the server counts as silent. */
const answerMsMax = 1_500;

/** How long after its start a process is warm, in milliseconds: what it uses then is the measure. */
const warmUpMs = 15_000;

/** What one process of a server used. */
export interface ServerGrowth extends Growth {
  readonly server: ServerProcess;
}

/** What a server last said. */
interface View {
  readonly status: StatusAnswer;
  /** When it was asked, on the clock of `performance.now()`. */
  readonly askedAt: number;
}

/** Asks all servers until it is aborted. */
export class Observer {
  readonly #servers: readonly ServerProcess[];
  readonly #signal: AbortSignal;
  readonly #views = new Map<number, View>();
  /** By process. */
  readonly #growths = new Map<number, ServerGrowth>();
  readonly #loops: Promise<unknown>;

  constructor(servers: readonly ServerProcess[], signal: AbortSignal) {
    this.#servers = servers;
    this.#signal = signal;
    this.#loops = Promise.all(servers.map((server) => this.#watch(server)));
  }

  /** When the signal has come and nothing is asked any more. */
  get ended(): Promise<unknown> {
    return this.#loops;
  }

  /** What each server last said, if it answers. */
  status(server: ServerProcess): StatusAnswer | undefined {
    return this.#views.get(server.index)?.status;
  }

  /** What each process used that ran long enough to be warm. */
  get growths(): readonly ServerGrowth[] {
    return [...this.#growths.values()];
  }

  /** The server that follows `server` on the circle, as that sees it. */
  successor(server: ServerProcess): ServerProcess | undefined {
    const circle = this.status(server)?.members.filter(isLive) ?? [];
    const at = circle.findIndex(({ address }) => address === server.address);
    const next = circle[(at + 1) % Math.max(circle.length, 1)];
    return this.#servers.find(({ address }) =>
      address === next?.address && address !== server.address
    );
  }

  /**
   * Whether in each of these groups every server says, asked after `since`, that exactly the servers of
   * its group are alive, in one order.
   */
  agree(groups: readonly (readonly ServerProcess[])[], since: number): boolean {
    return groups.every((group) =>
      areOneCircle(this.#statuses(group, since), group.map(({ address }) => address))
    );
  }

  /** Whether all servers say, asked after `since`, that all of them are alive. */
  isWhole(since: number): boolean {
    return this.agree([this.#servers], since);
  }

  /** Whether the ring is whole, and all servers hold the same files. */
  isSettled(since: number): boolean {
    if (!this.isWhole(since)) return false;
    return holdTheSame(this.#statuses(this.#servers, since));
  }

  /** Waits until `probe` holds; returns after how many milliseconds, or `undefined` if it does not. */
  async waitUntil(
    probe: () => boolean,
    { withinMs, signal = this.#signal }: { withinMs: number; signal?: AbortSignal },
  ): Promise<number | undefined> {
    const start = performance.now();
    while (!probe()) {
      if (signal.aborted || performance.now() - start > withinMs) return undefined;
      await pause(50, signal);
    }
    return performance.now() - start;
  }

  /** The ring as each server sees it: its circle by numbers, with the first letter of what is odd. */
  describe(): string {
    const rings = this.#servers.map((server) => this.#describeView(server));
    const first = rings[0] ?? "";
    return new Set(rings).size === 1
      ? `all see ${first}`
      : rings.map((ring, index) => `${index + 1}:${ring}`).join("  ");
  }

  /** What those of these servers say that have answered when asked after `since`. */
  #statuses(servers: readonly ServerProcess[], since: number): readonly StatusAnswer[] {
    return servers.flatMap(({ index }) => {
      const view = this.#views.get(index);
      return view === undefined || view.askedAt < since ? [] : [view.status];
    });
  }

  #describeView(server: ServerProcess): string {
    if (!server.isUp) return "down";
    const status = this.status(server);
    if (status === undefined) return "silent";
    const circle = status.members.filter(isLive).map((member) => this.#describeMember(member));
    return turned(circle).join("-");
  }

  #describeMember({ address, status }: Member): string {
    const number = this.#servers.findIndex((server) => address.startsWith(`${server.ip}:`)) + 1;
    return `${number || "?"}${status === "alive" ? "" : status.charAt(0)}`;
  }

  async #watch(server: ServerProcess): Promise<void> {
    let client: RingClient | undefined;
    while (!this.#signal.aborted) {
      const askedAt = performance.now();
      try {
        if (client === undefined || client.closed || client.address !== server.address) {
          client?.close();
          client = await RingClient.connect(server.address, { timeoutMs: answerMsMax });
        }
        this.#views.set(server.index, { status: await client.status(), askedAt });
      } catch (error) {
        if (!(error instanceof RingError)) throw error;
        this.#views.delete(server.index);
      }
      await this.#noteUsage(server);
      await pause(askEveryMs, this.#signal);
    }
    client?.close();
  }

  async #noteUsage(server: ServerProcess): Promise<void> {
    const { pid, startedAt } = server;
    if (pid === undefined || startedAt === undefined) return;
    if (performance.now() - startedAt < warmUpMs) return;
    const usage = await readUsage(pid);
    if (usage === undefined) return;
    const { warm, peak } = this.#growths.get(pid) ?? { warm: usage, peak: usage };
    this.#growths.set(pid, { server, warm, peak: greatest(peak, usage) });
  }
}
