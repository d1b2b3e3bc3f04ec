/** A ring that was cut in two, and written to on both sides: from the end of the cut to five equal servers. */
import { join } from "node:path";
import { RingClient } from "../../lib/client/client.ts";
import { DataDisk } from "../chaos/data_disk.ts";
import { type Network, openNetwork } from "../chaos/network.ts";
import { Observer } from "../chaos/observer.ts";
import { ServerProcess } from "../chaos/server_process.ts";

const serversCount = 5;
const filesPerSide = 5000;
const bodyBytes = 1024;
const clientsPerServer = 4;
const timeoutMs = 20_000;

/** How long the ring may take to form, to split and to heal, in milliseconds. */
const waitMsMax = 120_000;

/** Needs network namespaces, and to connect to them: without these nothing is measured. */
export async function measureHeal(): Promise<ReadonlyMap<string, number>> {
  await using resources = new AsyncDisposableStack();
  const network = resources.use(await openNetwork(serversCount, { isLoopback: false }));
  const { state } = await Deno.permissions.query({ name: "net", host: network.ip(0) });
  if (!network.canCut || state !== "granted") {
    const needs = "root, iproute2, nftables and --allow-net=10.0.0.0/8";
    console.log(`What it takes to heal is not measured: it needs ${needs}.`);
    return new Map();
  }
  const directory = await Deno.makeTempDir({ prefix: "ring-bench-" });
  resources.defer(() => Deno.remove(directory, { recursive: true }));
  const servers = await openServers(network, directory);
  for (const server of servers) resources.defer(() => server.kill());
  const watching = new AbortController();
  const observer = new Observer(servers, watching.signal);
  resources.defer(async () => {
    watching.abort();
    await observer.ended;
  });
  return await measureSides(servers, { network, observer });
}

async function measureSides(
  servers: readonly ServerProcess[],
  { network, observer }: { readonly network: Network; readonly observer: Observer },
): Promise<ReadonlyMap<string, number>> {
  let previous: ServerProcess | undefined;
  for (const server of servers) {
    await server.start({ previous });
    previous = server;
  }
  await waitUntil(observer, () => observer.isWhole(0));
  const sides = [servers.slice(0, 3), servers.slice(3)];
  const [three = [], two = []] = sides;
  await network.setCuts([...between(three, two), ...between(two, three)]);
  await waitUntil(observer, () => observer.agree(sides, 0));
  await Promise.all(sides.map((side, index) => fill(side, `side-${index + 1}`)));
  const since = performance.now();
  await network.setCuts([]);
  const wholeMs = await waitUntil(observer, () => observer.isWhole(since));
  await waitUntil(observer, () => observer.isSettled(since));
  const settledMs = performance.now() - since;
  for (const server of servers) {
    const held = observer.status(server)?.files;
    const all = 2 * filesPerSide;
    if (held !== all) throw new Error(`${server.name} holds ${held} of ${all} files`);
  }
  return new Map([
    ["cut of 3 + 2 healed: all five alive in one ring, s", wholeMs / 1000],
    ["cut of 3 + 2 healed, 5,000 + 5,000 files: all five equal, s", settledMs / 1000],
  ]);
}

async function openServers(network: Network, directory: string): Promise<readonly ServerProcess[]> {
  return await Promise.all(Array.from({ length: serversCount }, async (_, index) => {
    const disk = await DataDisk.open(join(directory, `disk-${index + 1}`), { mounts: false });
    return new ServerProcess({
      index,
      ip: network.ip(index),
      disk,
      directory,
      prefix: network.prefix(index),
      environment: {},
      args: [],
      onViolation(text) {
        throw new Error(text);
      },
    });
  }));
}

/** The cuts that keep what `from` send from `to`. */
function between(from: readonly ServerProcess[], to: readonly ServerProcess[]) {
  return from.flatMap((a) => to.map((b) => ({ from: a.index, to: b.index })));
}

/** Puts the files of one side, at all its servers. */
async function fill(side: readonly ServerProcess[], prefix: string): Promise<void> {
  const names = Array.from({ length: filesPerSide }, (_, index) => `${prefix}/${index}`).values();
  const addresses = Array.from({ length: clientsPerServer }, () => side).flat()
    .map(({ address }) => address);
  await Promise.all(addresses.map(async (address) => {
    const client = await RingClient.connect(address, { timeoutMs });
    for (const name of names) {
      const body = crypto.getRandomValues(new Uint8Array(bodyBytes));
      await client.put(name, { size: bodyBytes, body });
    }
    client.close();
  }));
}

/** Waits until `probe` holds; returns after how many milliseconds it did. */
async function waitUntil(observer: Observer, probe: () => boolean): Promise<number> {
  const took = await observer.waitUntil(probe, { withinMs: waitMsMax });
  if (took !== undefined) return took;
  throw new Error(`Waited for ${waitMsMax / 1000} s in vain: ${observer.describe()}`);
}
