/** What must hold when faults have ended and the ring has had time to settle. */
import { RingClient } from "../../lib/client/client.ts";
import { RingError } from "../../lib/client/ring_error.ts";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import type { Cluster } from "./cluster.ts";
import type { History } from "./history.ts";
import { type Observer, readUsage } from "./observer.ts";
import type { ServerProcess } from "./server_process.ts";

/** How long the ring has to settle, in milliseconds. */
export const settleMsMax = 60_000;

/** Memory may double after the warm-up, and grow by so many bytes: caches, and pages not given back. */
const memorySlack = 64 * 1024 * 1024;

/** Open descriptors may be so many more than after the warm-up: connections that are about to close. */
const descriptorSlack = 48;

/** How long each request of these checks may take, in milliseconds. */
const timeoutMs = 10_000;

/** What is checked at the end. */
export interface FinalScene {
  readonly cluster: Cluster;
  readonly observer: Observer;
  readonly history: History;
  /** Told of each thing that does not hold. */
  readonly onViolation: (text: string) => void;
}

/** Waits for one list and one set of files, and reports what servers disagree in if that takes too long. */
export async function checkSettled(
  { observer, onViolation }: FinalScene,
): Promise<number | undefined> {
  const since = performance.now();
  const took = await observer.waitUntil(() => observer.isSettled(since), { withinMs: settleMsMax });
  if (took === undefined) {
    onViolation(`The ring has not settled in ${settleMsMax / 1000} s: ${observer.describe()}`);
  }
  return took;
}

/** Gets every file from every server, and asks the history whether it can be. */
export async function checkFiles(scene: FinalScene): Promise<void> {
  const { cluster, history, onViolation } = scene;
  const lists = await Promise.all(cluster.servers.map((server) => readAll(server, onViolation)));
  for (const name of history.names) {
    const records = lists.map((list) => list.get(name));
    const [first] = records;
    const odd = records.findIndex((record) =>
      record?.stamp !== first?.stamp || record?.sha256 !== first?.sha256
    );
    if (odd > 0) {
      onViolation(
        `"${name}" is ${first?.stamp ?? "absent"} at server 1 and ` +
          `${records[odd]?.stamp ?? "absent"} at server ${odd + 1}`,
      );
    }
    for (const final of new Map(records.map((record) => [record?.stamp, record])).values()) {
      const reason = history.judge(name, final);
      if (reason !== undefined) onViolation(reason);
    }
  }
  const unknown = lists.flatMap((list) => [...list.keys()]).find((name) => !history.has(name));
  if (unknown !== undefined) onViolation(`There is a file "${unknown}" that nobody put`);
}

/** Everything that a server lists, each file read to its end, where its hash is verified. */
async function readAll(
  server: ServerProcess,
  onViolation: (text: string) => void,
): Promise<ReadonlyMap<string, FileRecord>> {
  const records = new Map<string, FileRecord>();
  try {
    const client = await RingClient.connect(server.address, { timeoutMs });
    try {
      for await (const record of client.list()) records.set(record.name, record);
      for (const { name, stamp } of records.values()) {
        const { answer, body } = await client.get(name);
        for await (const _ of body);
        if (answer.stamp !== stamp) onViolation(`${server.name} lists "${name}" as it is not`);
      }
    } finally {
      client.close();
    }
  } catch (error) {
    if (!(error instanceof RingError)) throw error;
    onViolation(`${server.name} does not give all its files: ${error.message}`);
  }
  return records;
}

/** No server may have grown since it was warm. */
export async function checkUsage({ cluster, observer, onViolation }: FinalScene): Promise<void> {
  for (const server of cluster.servers) {
    const warm = observer.warmUsage(server);
    const now = server.pid === undefined ? undefined : await readUsage(server.pid);
    if (warm === undefined || now === undefined) continue;
    if (now.memory > 2 * warm.memory + memorySlack) {
      onViolation(`${server.name} grew from ${mebibytes(warm.memory)} to ${mebibytes(now.memory)}`);
    }
    if (now.descriptors > warm.descriptors + descriptorSlack) {
      onViolation(
        `${server.name} has ${now.descriptors} open descriptors, and had ${warm.descriptors}`,
      );
    }
  }
}

/** Every server stops when it is asked to, and none has logged what nobody should see. */
export async function checkProcesses({ cluster, onViolation }: FinalScene): Promise<void> {
  await Promise.all(cluster.servers.map((server) => server.terminate()));
  for (const server of cluster.servers) {
    for (const trace of await server.findTraces()) {
      onViolation(`${server.name} logged ${JSON.stringify(trace.trim())}`);
    }
  }
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}
