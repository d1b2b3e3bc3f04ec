/** Rings of real servers on loopback, in this process, for as long as a test runs. */
import type { Secret } from "../../lib/protocol/secret.ts";
import type { RunningServer, ServerOptions } from "../../lib/server/options.ts";
import { startServer } from "../../lib/server/server.ts";
import { eventually } from "../eventually.ts";
import { Wire } from "./wire.ts";

/** Where test servers listen. */
export const ip = "127.0.0.1";

/** How to start a ring. */
export interface RingOptions {
  /** How many servers; one unless given. */
  readonly size?: number;
  /** Keeps the data on disk, in a directory of their own that is removed afterwards. */
  readonly onDisk?: boolean;
  readonly server?: Partial<ServerOptions>;
}

/** Servers that form a ring; stops them, and removes their data, when it is disposed of. */
export class Ring implements AsyncDisposable {
  readonly servers: RunningServer[] = [];
  /** The data directory of each server, if they have one. */
  readonly directories: string[] = [];

  private constructor(private readonly secret: Secret | undefined) {}

  /** Starts a ring, and waits until every server holds every other alive. */
  static async start({ size = 1, onDisk = false, server = {} }: RingOptions = {}): Promise<Ring> {
    const ring = new Ring(server.secret);
    for (let i = 0; i < size; i++) {
      const previous = ring.servers[0]?.address;
      const directory = onDisk ? await Deno.makeTempDir({ prefix: "ring-test-" }) : undefined;
      if (directory !== undefined) ring.directories.push(directory);
      ring.servers.push(
        await startServer({
          ip,
          port: 0,
          ...(previous === undefined ? {} : { previous }),
          ...(directory === undefined ? {} : { dataDirectory: () => directory }),
          ...server,
        }),
      );
    }
    for (let i = 0; i < size; i++) await untilAlive(ring.server(i).address, size, server.secret);
    return ring;
  }

  server(index = 0): RunningServer {
    const server = this.servers[index];
    if (server === undefined) throw new Error(`There is no server ${index}`);
    return server;
  }

  connect(index = 0): Promise<Wire> {
    return Wire.connect(this.server(index).address, this.secret);
  }

  /** The names under `bodies/` of a server: those of large bodies, and of those on their way in. */
  bodies(index = 0): { kept: string[]; temporary: string[] } {
    const directory = `${this.directories[index]}/bodies`;
    const folders = [...Deno.readDirSync(directory)].map(({ name }) => name);
    const list = (folder: string) =>
      [...Deno.readDirSync(`${directory}/${folder}`)].map(({ name }) => name);
    return {
      kept: folders.filter((name) => name !== "tmp").flatMap(list),
      temporary: list("tmp"),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    for (const directory of this.directories) await Deno.remove(directory, { recursive: true });
  }
}

/** Waits until the server at an address holds `count` members alive, itself among them. */
export async function untilAlive(address: string, count: number, secret?: Secret): Promise<void> {
  using wire = await Wire.connect(address, secret);
  await eventually(async () => {
    const status = await wire.ask({ type: "STATUS" });
    if (status.type !== "STATUS") throw new Error(`${address} answered ${status.type}`);
    return status.members.filter((member) => member.status === "alive").length === count;
  }, { what: `${count} members at ${address}` });
}
