/** PUT of 1 KiB at rings of different sizes: it should grow by a hop for each server, not by a sync. */
import { RingClient } from "../../../lib/client/client.ts";
import { Machine, type ServerProcess, waitForRing } from "../../e2e/ring_process.ts";
import { atMost, type Comparison, type Pair, type Row } from "../comparison.ts";
import { measureSync, measureSyncs } from "../disk_sync.ts";
import { measureHop } from "../hop.ts";
import { cpuOf } from "../http_load.ts";
import { median } from "../statistics.ts";
import { VirtualRing, type VirtualTimes } from "../virtual_ring.ts";

const sizes = [1, 2, 3, 5, 8, 16];
const simulatedSizes = [32, 64];
const growthFrom = 2;
const growthTo = 16;
const simulated: VirtualTimes = { hopMs: 0.1, syncMs: 1 };

const bodyBytes = 1024;
const namesMax = 1000;
/** As many as it takes until the compilers of the newest servers are done with what is hot. */
const warmUp = 400;
const puts = 400;
const simulatedPuts = 20;
const timeoutMs = 10_000;
/** How long a ring may take to grow, in milliseconds. */
const growMsMax = 30_000;

const peer = "hops + 1 sync";
const rows = new Map(sizes.map((size): [number, Row] => [size, {
  work: `PUT 1 KiB, 1 client, ring of ${size}: p50`,
  peer,
  unit: "ms",
  target: atMost(1.5),
}]));
const growth: Row = {
  work: `same: growth for each server, from ${growthFrom} to ${growthTo}`,
  peer: "1 hop",
  unit: "ms",
  target: atMost(1.5),
};
const growthInSyncs: Row = { work: growth.work, peer: "1 sync", unit: "ms" };
/** What the machine itself takes for the syncs and the work, as all servers share it. */
const together: Row = {
  work: `same, ring of ${growthTo}: p50`,
  peer: `${growthTo} such syncs at once, a process each`,
  unit: "ms",
};
const processorTime: Row = {
  work: `same, ring of ${growthTo}: CPU time of all servers for each PUT, shared by the cores`,
  unit: "ms",
};
const simulatedRows = new Map(simulatedSizes.map((size): [number, Row] => [size, {
  work: `PUT 1 KiB, ring of ${size}, simulated: p50`,
  peer,
  unit: "ms",
  target: atMost(1.5),
}]));

export const ringSize: Comparison = {
  rows: [
    ...rows.values(),
    growth,
    growthInSyncs,
    together,
    processorTime,
    ...simulatedRows.values(),
  ],
  programs: [],
  fairness:
    "Processes on this machine's cores, the ring protocol, one client that waits for each " +
    "answer. A ring of n servers needs n hops (the last server reports to the first), and the " +
    "client's question and answer are one each: the yardstick is (n + 2) hops and one sync, one " +
    "server needs 2 hops. A hop is half a round trip of a `FORWARD` with 1 KiB between two " +
    "processes that encode and decode it and do nothing else; a sync is one such write to a store " +
    "alone, both measured again for each size. But here n servers share the " +
    "cores and the disk of one machine: the rows without a target say what that comes to, for as " +
    "many syncs at once without any ring, and in CPU time. Simulated: the " +
    `production core in virtual time, ${simulated.hopMs} ms for each message and ` +
    `${simulated.syncMs} ms for each sync, and nothing for the rest.`,
  async measure() {
    await using machine = await Machine.create();
    const servers: ServerProcess[] = [];
    const found = new Map<number, Times>();
    for (const size of sizes) {
      await grow(machine, { servers, size });
      // Each with its own yardstick, as the machine may be busier a minute later.
      const syncMs = measureSync(machine.path(`alone-${size}`));
      const hopMs = await measureHop(machine.ip);
      found.set(size, { hopMs, syncMs, ...await measurePuts(servers) });
    }
    const pairs = new Map<Row, Pair>();
    for (const [size, row] of rows) {
      const times = timesOf(found, size);
      pairs.set(row, { ours: times.putMs, theirs: yardstickMs(size, times) });
    }
    const [least, most] = [timesOf(found, growthFrom), timesOf(found, growthTo)];
    const ours = (most.putMs - least.putMs) / (growthTo - growthFrom);
    pairs.set(growth, { ours, theirs: (least.hopMs + most.hopMs) / 2 });
    pairs.set(growthInSyncs, { ours, theirs: (least.syncMs + most.syncMs) / 2 });
    const syncsMs = await measureSyncs(machine.path("together"), growthTo);
    pairs.set(together, { ours: most.putMs, theirs: syncsMs });
    pairs.set(processorTime, { ours: most.cpuMs / navigator.hardwareConcurrency });
    for (const [size, row] of simulatedRows) {
      pairs.set(row, { ours: simulatePuts(size), theirs: yardstickMs(size, simulated) });
    }
    return pairs;
  },
};

/** What was measured at one size of the ring. */
interface Times extends VirtualTimes, PutTimes {}

/** What PUTs took. */
interface PutTimes {
  /** The median. */
  readonly putMs: number;
  /** What each cost all servers together. */
  readonly cpuMs: number;
}

function timesOf(found: ReadonlyMap<number, Times>, size: number): Times {
  const times = found.get(size);
  if (times === undefined) throw new Error(`A ring of ${size} was not measured`);
  return times;
}

/** Adds servers to a ring, each after the last one, until there are as many as asked for. */
async function grow(
  machine: Machine,
  { servers, size }: { readonly servers: ServerProcess[]; readonly size: number },
): Promise<void> {
  while (servers.length < size) {
    const previous = servers.at(-1);
    const args = previous === undefined ? [] : ["--prev-port", `${previous.port}`];
    servers.push(await machine.startServer(args));
  }
  await waitForRing(servers, { withinMs: growMsMax });
}

async function measurePuts(servers: readonly ServerProcess[]): Promise<PutTimes> {
  const [first] = servers;
  if (first === undefined) throw new Error("There is no ring");
  const client = await RingClient.connect(first.address, { timeoutMs });
  const pids = servers.map(({ pid }) => pid);
  const times: number[] = [];
  const cpuBefore = await cpuOf(pids);
  while (times.length < warmUp + puts) {
    const body = crypto.getRandomValues(new Uint8Array(bodyBytes));
    const start = performance.now();
    const { copies } = await client.put(`file-${times.length % namesMax}`, {
      size: bodyBytes,
      body,
    });
    times.push(performance.now() - start);
    if (copies !== servers.length) throw new Error(`A PUT has ${copies} copies`);
  }
  const cpuMs = 1000 * (await cpuOf(pids) - cpuBefore) / times.length;
  client.close();
  return { putMs: median(times.slice(warmUp)), cpuMs };
}

function simulatePuts(size: number): number {
  const ring = new VirtualRing(size, simulated);
  return median(Array.from({ length: simulatedPuts }, (_, index) => ring.put(`file-${index}`)));
}

/** Once round, and to the client and back, and one sync; a server alone passes nothing on. */
function yardstickMs(size: number, { hopMs, syncMs }: VirtualTimes): number {
  return (2 + (size > 1 ? size : 0)) * hopMs + syncMs;
}
