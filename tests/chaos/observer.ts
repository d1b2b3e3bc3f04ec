/**
 * What the servers say of the ring, asked for all the time, and what their processes use.
 */
import { RingClient } from "../../lib/client/client.ts";
import { RingError } from "../../lib/client/ring_error.ts";
import type { Member } from "../../lib/ring/member.ts";
import type { StatusAnswer } from "../../lib/ring/message.ts";
import { pause } from "./pause.ts";
import type { ServerProcess } from "./server_process.ts";

/** How often each server is asked, in milliseconds. */
const askEveryMs = 200;

/** How long an answer may take, in milliseconds, before the server counts as silent. */
const answerMsMax = 1_500;

/** How long after its start a process is warm, in milliseconds: what it uses then is the measure. */
const warmUpMs = 15_000;

/** What a process uses, from `/proc`. */
export interface Usage {
  /** Bytes of memory in use, shared ones too (resident set). */
  readonly memory: number;
  /** Open file descriptors. */
  readonly descriptors: number;
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
  readonly #warm = new Map<number, Usage>();
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

  /** What the process of a server used when it was warm, if it ran that long. */
  warmUsage({ pid }: ServerProcess): Usage | undefined {
    return pid === undefined ? undefined : this.#warm.get(pid);
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
    return groups.every((group) => {
      const views = group.map(({ index }) => this.#views.get(index));
      const circles = views.map((view) =>
        view === undefined || view.askedAt < since ? undefined : view.status.members.filter(isLive)
      );
      const expected = group.map(({ address }) => `${address} alive`).sort();
      return circles.every((circle) =>
        circle !== undefined && isSame(circle.map(nameOf).sort(), expected) &&
        isSame(turned(circle.map(recordOf)), turned((circles[0] ?? []).map(recordOf)))
      );
    });
  }

  /** Whether all servers say, asked after `since`, that all of them are alive. */
  isWhole(since: number): boolean {
    return this.agree([this.#servers], since);
  }

  /** Whether the ring is whole, and all servers hold the same files. */
  isSettled(since: number): boolean {
    if (!this.isWhole(since)) return false;
    const digests = this.#servers.map((server) => this.status(server)?.digest);
    return digests.every((digest) => digest !== undefined && digest === digests[0]);
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
      await this.#noteWarm(server);
      await pause(askEveryMs, this.#signal);
    }
    client?.close();
  }

  async #noteWarm({ pid, startedAt }: ServerProcess): Promise<void> {
    if (pid === undefined || startedAt === undefined || this.#warm.has(pid)) return;
    if (performance.now() - startedAt < warmUpMs) return;
    const usage = await readUsage(pid);
    if (usage !== undefined) this.#warm.set(pid, usage);
  }
}

/** What a process uses now, or `undefined` if it has ended. */
export async function readUsage(pid: number): Promise<Usage | undefined> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
    let descriptors = 0;
    for await (const _ of Deno.readDir(`/proc/${pid}/fd`)) descriptors++;
    return kibibytes === undefined ? undefined : { memory: Number(kibibytes) * 1024, descriptors };
  } catch (error) {
    // It ends while it is looked at; or this program may not look.
    if (error instanceof Deno.errors.NotCapable || isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    (error instanceof Error && error.message.includes("No such process"));
}

/** Whether a member counts as one of the circle. */
function isLive({ status }: Member): boolean {
  return status !== "dead" && status !== "left";
}

function nameOf({ address, status }: Member): string {
  return `${address} ${status}`;
}

function recordOf({ id, incarnation, status }: Member): string {
  return `${id} ${incarnation} ${status}`;
}

/** A circle from its least member on, so that two of them can be compared. */
function turned(circle: readonly string[]): readonly string[] {
  const [least] = [...circle].sort();
  const at = least === undefined ? 0 : circle.indexOf(least);
  return [...circle.slice(at), ...circle.slice(0, at)];
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}
