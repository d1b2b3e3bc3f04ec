/** PUT of 1 KiB through the ring protocol, many at once, and the same through that of Redis. */
import { Machine } from "../../e2e/ring_process.ts";
import { atLeast, type Comparison, inTurn, type Row } from "../comparison.ts";
import { RedisReplication } from "../peers/redis.ts";
import { type BatchLoad, type BatchWriter, runBatches } from "../pipeline.ts";
import { RingWriter } from "../ring_writer.ts";

const servers = 3;
const bodyBytes = 1024;
const load: BatchLoad = { connections: 16, batch: 16, seconds: 3 };
const warmUp: BatchLoad = { ...load, seconds: 1 };

const row: Row = {
  work: `PUT 1 KiB through the ring protocol, ${load.connections} connections, pipelined: rate`,
  peer: "redis 1 + 2",
  unit: "/s",
  target: atLeast(1),
};

export const putPipelined: Comparison = {
  rows: [row],
  programs: ["redis-server"],
  fairness: `One small client for both: ${load.connections} connections, each sends ` +
    `${load.batch} writes at once and the next ${load.batch} when all of them are acknowledged. ` +
    "ring: each PUT is answered when all three servers have synced it. redis: a master and two " +
    `replicas with \`appendfsync always\` and no snapshots; ${load.batch} \`SET\`s and one \`WAIT 2\` for all of ` +
    "them. `WAIT` promises that the replicas have received the writes, not that they have synced " +
    "them (`WAITAOF`, from 7.2 on, would; Debian 12 has 7.0), but a replica syncs what it has read " +
    "before it acknowledges it. The client runs on the same machine.",
  async measure(round) {
    const rates = await inTurn(round, measureRing, measureRedis);
    return new Map([[row, rates]]);
  },
};

async function measureRing(): Promise<number> {
  await using machine = await Machine.create();
  const [first] = await machine.startRing(servers);
  if (first === undefined) throw new Error("There is no ring");
  return await measureRate(() => RingWriter.connect(first.address, { bodyBytes, copies: servers }));
}

async function measureRedis(): Promise<number> {
  await using machine = await Machine.create();
  await using redis = await RedisReplication.start(machine, servers - 1);
  return await measureRate(() => redis.connect(bodyBytes));
}

async function measureRate(connect: () => Promise<BatchWriter>): Promise<number> {
  await runBatches(connect, warmUp);
  return await runBatches(connect, load);
}
