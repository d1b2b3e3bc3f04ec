/** The target: three servers in processes of their own, in a ring, on disk, with web fronts. */
import { RingClient } from "../../lib/client/client.ts";
import { isLive, type Member } from "../../lib/ring/member.ts";
import type { StatusAnswer } from "../../lib/ring/request.ts";
import { eventually } from "../eventually.ts";
import { ServerChild } from "../server/child.ts";
import { readProc } from "./proc.ts";

/** How long the ring has to be one, alive and equal, in milliseconds. */
const healMsMax = 90_000;

/** How long a server has to give back what it took up, in milliseconds. */
const settleMsMax = 90_000;

/** How much more than before a server may hold, as a part of that. */
const growthMax = 0.1;

/** What a server's process may have in memory, in bytes. */
const residentBytesMax = 256 * 1024 * 1024;

/** By how much what a server holds differs from one look to the next, in bytes. */
const heldNoiseBytes = 4 * 1024 * 1024;

const clientOptions = { timeoutMs: 10_000 };
const serversCount = 3;

/** What one server takes up. */
export interface Usage {
  /** What its process has in memory, in bytes, as the system counts. */
  readonly resident: number;
  /** What it holds, garbage not counted, in bytes. */
  readonly held: number;
  /** Files that are open, sockets among them. */
  readonly openFiles: number;
  /** Bodies on their way in, and others that no record has. */
  readonly temporary: number;
}

/** Three servers. */
export class Target implements AsyncDisposable {
  private constructor(readonly servers: readonly ServerChild[]) {}

  /** Starts a ring; `openFilesMax` limits each server. */
  static async start({ openFilesMax }: { openFilesMax?: number } = {}): Promise<Target> {
    const servers: ServerChild[] = [];
    while (servers.length < serversCount) {
      const previous = servers.at(-1)?.address;
      servers.push(
        await ServerChild.start({
          hasWeb: true,
          ...(previous === undefined ? {} : { previous }),
          ...(openFilesMax === undefined ? {} : { openFilesMax }),
        }),
      );
    }
    const target = new Target(servers);
    await target.heal();
    return target;
  }

  /** What each server says of itself and of the ring. */
  statuses(): Promise<StatusAnswer[]> {
    return Promise.all(this.servers.map(statusOf));
  }

  /**
   * Has the members forgotten that are gone and are none of ours, and waits until the servers are one
   * ring, all of them alive and with the same files.
   *
   * @throws {Error} if that does not come about.
   */
  async heal(): Promise<void> {
    await eventually(async () => {
      const statuses = await this.statuses().catch(() => undefined);
      if (statuses === undefined) return false;
      const ours = new Set(statuses.map(({ id }) => id));
      const strangers = statuses.flatMap(({ members }) => members).filter(({ id }) =>
        !ours.has(id)
      );
      await this.#forget(strangers);
      return strangers.length === 0 && areOne(statuses, ours.size);
    }, { withinMs: healMsMax, what: "one ring, all alive and equal" }).catch(async (error) => {
      const views = (await this.statuses()).map(describeView);
      throw new Error([String(error), ...views].join("\n"), { cause: error });
    });
  }

  /** Has every server read and check all that it holds; returns what is wrong. */
  async verify(): Promise<readonly string[]> {
    const found = await Promise.all(this.servers.map(async ({ address }) => {
      const client = await RingClient.connect(address, clientOptions);
      const { damagedCount, lostCount } = await client.verify().finally(() => client.close());
      return damagedCount + lostCount === 0
        ? []
        : [`${address} found ${damagedCount} files damaged, ${lostCount} lost`];
    }));
    return found.flat();
  }

  /** What the servers take up. */
  usage(): Promise<Usage[]> {
    return Promise.all(this.servers.map(usageOf));
  }

  /** Waits until the servers take up as much as before; returns what does not go back. */
  async settle(before: readonly Usage[]): Promise<readonly string[]> {
    let wrong: readonly string[] = [];
    await eventually(async () => {
      const after = await this.usage();
      wrong = this.servers.flatMap(({ address }, index) =>
        grown(before[index], after[index]).map((text) => `${address}: ${text}`)
      );
      return wrong.length === 0;
    }, { withinMs: settleMsMax, what: "the servers to settle" }).catch(() => {});
    return wrong;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = await Promise.allSettled(
      this.servers.map((server) => server[Symbol.asyncDispose]()),
    );
    for (const result of closed) if (result.status === "rejected") throw result.reason;
  }

  async #forget(strangers: readonly Member[]): Promise<void> {
    const gone = new Set(strangers.filter((one) => !isLive(one)).map(({ id }) => id));
    const [server] = this.servers;
    if (gone.size === 0 || server === undefined) return;
    const client = await RingClient.connect(server.address, clientOptions);
    // One that has come back meanwhile is refused: it is tried again at the next look.
    for (const id of gone) await client.forget(id).catch(() => {});
    client.close();
  }
}

/** How much it is, for a person. */
export function describeUsage({ resident, held, openFiles, temporary }: Usage): string {
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return `${mebibytes(resident)} resident, ${mebibytes(held)} held, ` +
    `${openFiles} open files, ${temporary} temporary`;
}

async function statusOf({ address }: ServerChild): Promise<StatusAnswer> {
  const client = await RingClient.connect(address, clientOptions);
  return await client.status().finally(() => client.close());
}

/** The list of one server, and what it has. */
function describeView({ members, files, digest }: StatusAnswer): string {
  const list = members.map(({ id, incarnation, status, address }) =>
    `${id.slice(0, 4)} ${incarnation} ${status} at ${address}`
  );
  return `${list.join(", ")}; ${files} files, ${digest.slice(0, 8)}`;
}

function areOne(statuses: readonly StatusAnswer[], count: number): boolean {
  const [first] = statuses;
  return statuses.every(({ members, digest }) =>
    members.length === count && members.every(({ status }) => status === "alive") &&
    digest === first?.digest
  );
}

async function usageOf(server: ServerChild): Promise<Usage> {
  const statm = await readProc(`${server.pid}/statm`);
  const pageBytes = 4096;
  return {
    resident: Number(statm.split(" ")[1]) * pageBytes,
    held: await server.memory(),
    openFiles: await server.openFiles(),
    temporary: server.temporaryBodies().length,
  };
}

/**
 * What a server has more of than it may. Pages that V8 and the allocator keep for the next time are not
 * counted in: they are bounded, and printed.
 */
function grown(before: Usage | undefined, after: Usage | undefined): string[] {
  if (before === undefined || after === undefined) return ["its usage is unknown"];
  const noise = { held: heldNoiseBytes, openFiles: 0 };
  const names = ["held", "openFiles"] as const;
  const over = names.filter((name) =>
    after[name] - before[name] > Math.max(growthMax * before[name], noise[name])
  );
  const texts = over.map((name) => `${name} was ${before[name]}, and is ${after[name]}`);
  if (after.temporary > before.temporary) texts.push("bodies are left behind");
  if (after.resident > residentBytesMax) texts.push(`${after.resident} bytes are resident`);
  return texts;
}
