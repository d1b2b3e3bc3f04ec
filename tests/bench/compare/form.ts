/** From nothing to the first PUT: three servers, and three members of etcd. */
import { eventually } from "../../eventually.ts";
import { Machine } from "../../e2e/ring_process.ts";
import { webUrl } from "../../e2e/web_front.ts";
import { atMost, type Comparison, inTurn, type Row } from "../comparison.ts";
import { formRing } from "../forming.ts";
import { EtcdCluster } from "../peers/etcd.ts";

const servers = 3;
/** How long etcd may take to elect a leader, in milliseconds. */
const startMsMax = 30_000;

const row: Row = {
  work: `form ${servers} servers, and the first PUT`,
  peer: "etcd ×3",
  unit: "ms",
  target: atMost(1),
};

export const form: Comparison = {
  rows: [row],
  programs: ["etcd"],
  fairness:
    "From the start of the first process, with empty data directories, to the answer to the " +
    "first PUT over HTTP, asked by the same client. ring: the second and third are started when " +
    "the first listens; the PUT goes out when all three print the ring, and its answer has to say " +
    "`Ring-Copies: 3`. etcd: all three are started at once with a static list and its default " +
    "times, by which an election begins after 1 to 2 s; the PUT is tried every 10 ms until it succeeds, which takes two of three. `ring` is run from source " +
    "(`deno run`) unless `RING_EXECUTABLE` names an executable.",
  async measure(round) {
    return new Map([[row, await inTurn(round, putAtRing, putAtEtcd)]]);
  },
};

async function putAtRing(): Promise<number> {
  await using machine = await Machine.create();
  const start = performance.now();
  const first = await formRing(machine);
  const response = await fetch(webUrl(first, "first"), { method: "PUT", body: "put" });
  await response.body?.cancel();
  const copies = response.headers.get("ring-copies");
  if (copies !== `${servers}`) throw new Error(`The first PUT has ${copies} copies`);
  return performance.now() - start;
}

async function putAtEtcd(): Promise<number> {
  await using machine = await Machine.create();
  const start = performance.now();
  await using cluster = await EtcdCluster.spawn(machine, servers);
  await eventually(() => cluster.takesWrites(), { withinMs: startMsMax, what: "etcd" });
  return performance.now() - start;
}
