/** PUT of 1 KiB over HTTP at one of three servers, and at the leader of three members of etcd. */
import { Machine } from "../../e2e/ring_process.ts";
import { webUrl } from "../../e2e/web_front.ts";
import { atLeast, atMost, type Comparison, inTurn, type Pair, type Row } from "../comparison.ts";
import { EtcdCluster } from "../peers/etcd.ts";
import { putScript } from "../put_script.ts";
import { runWrk, type WrkReport } from "../wrk.ts";

const servers = 3;
const manyClients = 64;
const warmUpSeconds = 1;
const seconds = 3;

const peer = "etcd ×3";
const lone: Row = {
  work: "PUT 1 KiB over HTTP, on disk before the answer, 1 client: p50",
  peer,
  unit: "ms",
  target: atMost(1),
};
const rate: Row = {
  work: `same, ${manyClients} clients: rate`,
  peer,
  unit: "/s",
  target: atLeast(2),
};
const tail: Row = {
  work: `same, ${manyClients} clients: p99`,
  peer,
  unit: "ms",
  target: atMost(0.5),
};

/**
 * As {@linkcode putScript}, for the JSON gateway, which takes base64: digits and letters are that already,
 * four for three bytes. 12 digits and 1,356 letters, of which the last is padding, are 9 and 1,015 bytes.
 */
const etcdScript = `
local count = 0
local rest = string.rep("x", 1352) .. "xA=="
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
  count = count + 1
  local key = string.format("put0%08d", count % 1000)
  local body = '{"key":"' .. key .. '","value":"' .. string.format("%012d", count) .. rest .. '"}'
  return wrk.format(nil, nil, nil, body)
end
`;

/** One client, and many. */
interface Reports {
  readonly one: WrkReport;
  readonly many: WrkReport;
}

export const putHttp: Comparison = {
  rows: [lone, rate, tail],
  programs: ["wrk", "etcd"],
  fairness:
    "Both: three processes with data directories on the same disk and the default settings, " +
    "fsync included; `wrk`, one thread, keep-alive, values that differ each time, 1,000 names. " +
    "ring: `PUT` at one server, answered when **all three** have synced it. etcd: `/v3/kv/put` of " +
    "its JSON gateway (base64) at the leader, answered when **two of three** have.",
  async measure(round) {
    const { ours, theirs } = await inTurn(round, measureRing, measureEtcd);
    return new Map<Row, Pair>([
      [lone, { ours: ours.one.p50Ms, theirs: theirs.one.p50Ms }],
      [rate, { ours: rateOf(ours.many), theirs: rateOf(theirs.many) }],
      [tail, { ours: ours.many.p99Ms, theirs: theirs.many.p99Ms }],
    ]);
  },
};

async function measureRing(): Promise<Reports> {
  await using machine = await Machine.create();
  const [first] = await machine.startRing(servers);
  if (first === undefined) throw new Error("There is no ring");
  return await measurePuts(webUrl(first, ""), putScript);
}

async function measureEtcd(): Promise<Reports> {
  await using machine = await Machine.create();
  await using cluster = await EtcdCluster.start(machine, servers);
  return await measurePuts(await cluster.putUrl(), etcdScript);
}

async function measurePuts(url: string, script: string): Promise<Reports> {
  await runWrk({ url, script, connections: manyClients, seconds: warmUpSeconds });
  const one = await runWrk({ url, script, connections: 1, seconds });
  const many = await runWrk({ url, script, connections: manyClients, seconds });
  return { one, many };
}

function rateOf({ requests, seconds }: WrkReport): number {
  return requests / seconds;
}
