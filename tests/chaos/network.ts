/**
 * The network between the servers: each has an address of its own, and packets between any two can be
 * dropped, one way or both, all of them or some.
 *
 * With root, iproute2 and nftables each server is in a network namespace of its own, on a bridge; else
 * it has a loopback address of its own, and no packet can be dropped.
 */
import { runCommand } from "./command.ts";

/** How long one server may take to find that nobody listens at another, in seconds. */
const reachSecondsMax = 5;

/** Packets that do not arrive: from one server to another, by their numbers. */
export interface Cut {
  readonly from: number;
  readonly to: number;
  /** How many of a hundred are lost; all if absent. */
  readonly percent?: number;
}

/** Where the servers are. */
export interface Network extends AsyncDisposable {
  /** What it is, in a few words. */
  readonly description: string;
  /** Whether {@linkcode setCuts} can be called. */
  readonly canCut: boolean;
  /** The address of a server. */
  ip(server: number): string;
  /** What stands before a command that is to run where that server is. */
  prefix(server: number): readonly string[];
  /** Drops exactly these packets from now on. The harness reaches every server always. */
  setCuts(cuts: readonly Cut[]): Promise<void>;
}

/** Opens a network for so many servers: with namespaces if the machine allows them and they are wanted. */
export async function openNetwork(
  servers: number,
  { isLoopback }: { readonly isLoopback: boolean },
): Promise<Network> {
  if (isLoopback) return new Loopback();
  const namespaces = new Namespaces(servers);
  try {
    await namespaces.open();
    return namespaces;
  } catch (error) {
    await namespaces[Symbol.asyncDispose]();
    const reason = error instanceof Error ? error.message : String(error);
    console.log(`No network namespaces here, so no cuts: ${reason}`);
    return new Loopback();
  }
}

/** Addresses of loopback, which Linux answers to without being told. */
class Loopback implements Network {
  readonly description = "loopback addresses";
  readonly canCut = false;
  readonly #net = `127.${randomByte(1, 254)}.${randomByte(0, 255)}`;

  ip(server: number): string {
    return `${this.#net}.${server + 1}`;
  }

  prefix(): readonly string[] {
    return [];
  }

  setCuts(): Promise<void> {
    return Promise.reject(new Error("Cannot cut a network of loopback addresses"));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Namespaces joined by a bridge. Their names and addresses are random, so runs do not meet. */
class Namespaces implements Network {
  readonly description = "network namespaces";
  readonly canCut = true;
  readonly #name = `ring${randomByte(0, 255).toString(16)}${randomByte(0, 255).toString(16)}`;
  readonly #net = `10.${randomByte(64, 254)}.${randomByte(0, 255)}`;
  readonly #servers: readonly number[];

  constructor(servers: number) {
    this.#servers = Array.from({ length: servers }, (_, server) => server);
  }

  ip(server: number): string {
    return `${this.#net}.${server + 1}`;
  }

  prefix(server: number): readonly string[] {
    return ["ip", "netns", "exec", this.#namespace(server)];
  }

  async open(): Promise<void> {
    const bridge = this.#name;
    await runCommand(["ip", "link", "add", bridge, "type", "bridge"]);
    await runCommand(["ip", "addr", "add", `${this.#net}.254/24`, "dev", bridge]);
    await runCommand(["ip", "link", "set", bridge, "up"]);
    for (const server of this.#servers) await this.#openNamespace(server);
    // A rule of each kind: not every kernel has what they need.
    await this.setCuts([{ from: 0, to: 1 }, { from: 0, to: 1, percent: 1 }]);
    await this.setCuts([]);
    await this.#assertReachable();
  }

  async setCuts(cuts: readonly Cut[]): Promise<void> {
    await Promise.all(this.#servers.map((server) => {
      const rules = cuts.filter(({ to }) => to === server).map((cut) => this.#rule(cut));
      return runCommand([...this.prefix(server), "nft", "-f", "-"], ruleset(rules));
    }));
  }

  /** Removes all of it; what was never made, or is gone, does not matter. */
  async [Symbol.asyncDispose](): Promise<void> {
    const remove = [
      ...this.#servers.map((server) => ["ip", "netns", "delete", this.#namespace(server)]),
      ...this.#servers.map((server) => ["ip", "link", "delete", this.#link(server)]),
      ["ip", "link", "delete", this.#name],
    ];
    for (const command of remove) await runCommand(command).catch(() => {});
  }

  /** Servers must hear each other: where bridges are filtered, as for containers, they may not. */
  async #assertReachable(): Promise<void> {
    const program = `await Deno.connect({ hostname: "${this.ip(1)}", port: 1 }).catch((error) => {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    });`;
    const give = ["timeout", "--signal", "KILL", String(reachSecondsMax)];
    await runCommand([...give, ...this.prefix(0), Deno.execPath(), "eval", program]);
  }

  async #openNamespace(server: number): Promise<void> {
    const [namespace, link] = [this.#namespace(server), this.#link(server)];
    await runCommand(["ip", "netns", "add", namespace]);
    const ends = ["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0"];
    await runCommand([...ends, "netns", namespace]);
    await runCommand(["ip", "link", "set", link, "master", this.#name, "up"]);
    await runCommand(["ip", "-n", namespace, "link", "set", "lo", "up"]);
    await runCommand([
      "ip",
      "-n",
      namespace,
      "addr",
      "add",
      `${this.ip(server)}/24`,
      "dev",
      "eth0",
    ]);
    await runCommand(["ip", "-n", namespace, "link", "set", "eth0", "up"]);
  }

  #rule({ from, percent }: Cut): string {
    const some = percent === undefined ? "" : `numgen random mod 100 < ${percent} `;
    return `ip saddr ${this.ip(from)} ${some}drop`;
  }

  #namespace(server: number): string {
    return `${this.#name}-${server}`;
  }

  #link(server: number): string {
    return `${this.#name}v${server}`;
  }
}

/** A table that replaces the one before, in one transaction. */
function ruleset(rules: readonly string[]): string {
  return [
    "add table inet chaos",
    "delete table inet chaos",
    "table inet chaos {",
    "chain input { type filter hook input priority 0; policy accept;",
    ...rules,
    "}",
    "}",
    "",
  ].join("\n");
}

function randomByte(least: number, most: number): number {
  const [byte = 0] = crypto.getRandomValues(new Uint8Array(1));
  return least + byte % (most - least + 1);
}
