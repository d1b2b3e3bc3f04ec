/** What must hold when faults have ended and the ring has had time to settle. */
import { createHash } from "node:crypto";
import { RingClient } from "../../lib/client/client.ts";
import { RingError } from "../../lib/client/ring_error.ts";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import type { History } from "./history.ts";
import type { Observer } from "./observer.ts";
import type { ServerProcess } from "./server_process.ts";
import { excessOf } from "./usage.ts";

/** How long the ring has to settle, in milliseconds. */
export const settleMsMax = 60_000;

/** How long each request of these checks may take, in milliseconds. */
const timeoutMs = 10_000;

/** What is checked at the end. */
export interface FinalScene {
  readonly servers: readonly ServerProcess[];
  readonly observer: Observer;
  readonly history: History;
  /** Told of each thing that does not hold. */
  readonly onViolation: (text: string) => void;
}

/** The files of some servers, and what clients know of them. */
export interface FilesScene extends Pick<FinalScene, "history" | "onViolation"> {
  readonly servers: readonly Asked[];
}

/** A server that is asked for all it has. */
type Asked = Pick<ServerProcess, "name" | "address">;

/** Waits for one list and one set of files, and reports what servers disagree in if that takes too long. */
export async function checkSettled(
  { observer, onViolation }: Pick<FinalScene, "observer" | "onViolation">,
): Promise<number | undefined> {
  const since = performance.now();
  const took = await observer.waitUntil(() => observer.isSettled(since), { withinMs: settleMsMax });
  if (took === undefined) {
    onViolation(`The ring has not settled in ${settleMsMax / 1000} s: ${observer.describe()}`);
  }
  return took;
}

/** Gets every file from every server: all must have the same, and the history must allow it. */
export async function checkFiles({ servers, history, onViolation }: FilesScene): Promise<void> {
  const lists = await Promise.all(servers.map((server) => readAll(server, onViolation)));
  for (const name of history.names) {
    const records = lists.map((list) => list.get(name));
    for (const reason of compareRecords(name, { servers, records })) onViolation(reason);
    for (const final of new Map(records.map((record) => [record?.stamp, record])).values()) {
      const reason = history.judge(name, final);
      if (reason !== undefined) onViolation(reason);
    }
  }
  const unknown = lists.flatMap((list) => [...list.keys()]).find((name) => !history.has(name));
  if (unknown !== undefined) onViolation(`There is a file "${unknown}" that nobody put`);
}

/** In what the first server that differs from the first of all differs from it. */
function compareRecords(
  name: string,
  { servers, records }: {
    readonly servers: readonly Asked[];
    readonly records: readonly (FileRecord | undefined)[];
  },
): readonly string[] {
  const [first] = records;
  const odd = records.findIndex((record) => JSON.stringify(record) !== JSON.stringify(first));
  if (odd === -1) return [];
  const describe = (at: number) =>
    `${JSON.stringify(records[at]) ?? "absent"} at ${servers[at]?.name}`;
  return [`"${name}" is ${describe(0)} and ${describe(odd)}`];
}

/** Everything that a server lists, each file read to its end. */
async function readAll(
  server: Asked,
  onViolation: (text: string) => void,
): Promise<ReadonlyMap<string, FileRecord>> {
  const records = new Map<string, FileRecord>();
  try {
    const client = await RingClient.connect(server.address, { timeoutMs });
    try {
      for await (const record of client.list()) records.set(record.name, record);
      for (const record of records.values()) {
        if (await isGiven(client, record)) continue;
        onViolation(`${server.name} lists "${record.name}" as it is not`);
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

/** Whether a GET brings what the list says: that version, and those bytes. */
async function isGiven(
  client: RingClient,
  { name, stamp, size, sha256 }: FileRecord,
): Promise<boolean> {
  const { answer, body } = await client.get(name);
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of body) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return answer.stamp === stamp && bytes === size && hash.digest("hex") === sha256;
}

/** No process may have grown, at any time, much beyond what it was when it was warm. */
export function checkUsage(
  { observer, onViolation }: Pick<FinalScene, "observer" | "onViolation">,
): void {
  for (const growth of observer.growths) {
    const excess = excessOf(growth);
    if (excess !== undefined) onViolation(`${growth.server.name} ${excess}`);
  }
}

/** Every server stops when it is asked to, and none has logged what nobody should see. */
export async function checkProcesses(
  { servers, onViolation }: Pick<FinalScene, "servers" | "onViolation">,
): Promise<void> {
  await Promise.all(servers.map((server) => server.terminate()));
  for (const server of servers) {
    for (const trace of await server.findTraces()) {
      onViolation(`${server.name} logged ${JSON.stringify(trace.trim())}`);
    }
  }
}
