/** Small PUTs and CHECKs while a PUT of 1 GiB is under way. */
import { RingClient } from "../../../lib/client/client.ts";
import { Machine, type ServerProcess } from "../../e2e/ring_process.ts";
import { webUrl } from "../../e2e/web_front.ts";
import { atMost, type Comparison, type Pair, type Row } from "../comparison.ts";
import { timed, writeLargeFile } from "../large_file.ts";
import { quantile } from "../statistics.ts";
import { parseBuckets, quantileOfBuckets } from "../prometheus.ts";

const servers = 3;
const bodyBytes = 1024;
const name = "large.bin";
const timeoutMs = 60_000;
/** The shortest there is, so that there are enough of them. */
const checkFlags = ["--check-interval", "200ms"];
const checkMetric = "ring_check_duration_seconds";

const puts: Row = {
  work: "PUT 1 KiB while a PUT of 1 GiB is under way: p99",
  unit: "ms",
  target: atMost(50),
};
const checks: Row = {
  work: "CHECKs while a PUT of 1 GiB is under way: p99",
  unit: "ms",
  target: atMost(50),
};

export const smallMeanwhile: Comparison = {
  rows: [puts, checks],
  programs: [],
  roundsMax: 3,
  fairness: "Three servers on one disk, `ring client --put` of 1 GiB at the first; meanwhile one " +
    "client at each server puts 1 KiB, waits for the answer, and goes on at once. CHECKs go out " +
    "five times a second here, and are timed by the servers; of theirs the p99 is the upper bound " +
    "of the histogram's bucket in `/_ring/metrics`.",
  async measure() {
    await using machine = await Machine.create();
    const ring = await machine.startRing(servers, checkFlags);
    const [first] = ring;
    if (first === undefined) throw new Error("There is no ring");
    await writeLargeFile(machine.path(name));
    await new Deno.Command("sync").output();
    const before = await checkBuckets(ring);
    const stop = new AbortController();
    const latencies: number[] = [];
    const clients = ring.map((server) => putUntil(stop.signal, { server, latencies }));
    const large = timed(() => first.runClient(["--put", name, "--timeout", "60s"]));
    await Promise.all([large.finally(() => stop.abort()), ...clients]);
    const after = await checkBuckets(ring);
    const counts = after.map(({ bound, count }, index) => {
      return { bound, count: count - (before[index]?.count ?? 0) };
    });
    return new Map<Row, Pair>([
      [puts, { ours: quantile(latencies, 0.99) }],
      [checks, { ours: 1000 * quantileOfBuckets(counts, 0.99) }],
    ]);
  },
};

async function putUntil(
  signal: AbortSignal,
  { server, latencies }: { readonly server: ServerProcess; readonly latencies: number[] },
): Promise<void> {
  const client = await RingClient.connect(server.address, { timeoutMs });
  for (let count = 0; !signal.aborted; count++) {
    const body = crypto.getRandomValues(new Uint8Array(bodyBytes));
    const start = performance.now();
    await client.put(`small-${server.port}-${count % 1000}`, { size: bodyBytes, body });
    latencies.push(performance.now() - start);
  }
  client.close();
}

/** How long CHECKs took so far, those of all servers together. */
async function checkBuckets(ring: readonly ServerProcess[]) {
  const texts = await Promise.all(ring.map(async (server) => {
    const response = await fetch(webUrl(server, "_ring/metrics"));
    return await response.text();
  }));
  const [first = [], ...others] = texts.map((text) => parseBuckets(text, checkMetric));
  return first.map(({ bound, count }, index) => ({
    bound,
    count: others.reduce((sum, buckets) => sum + (buckets[index]?.count ?? 0), count),
  }));
}
