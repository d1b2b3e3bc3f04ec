/**
 * A well-behaved client in a thread of its own, so that nobody else's work counts as an answer's time.
 *
 * It writes and reads files of its own, at all servers in turn, over the ring's protocol and over HTTP, at
 * a steady rate. The time of an answer is that until the right one has come, refusals and new connections
 * included. After every acknowledged write the file has to be there, everywhere; if it is patient, of those
 * to one name the one with the greatest stamp, as servers that hold each other dead may each take one.
 */
import { RingClient } from "../../lib/client/client.ts";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import type { Stamp } from "../../lib/ring/stamp.ts";
import { Random } from "../simulator/random.ts";
import type { BystanderResult, BystanderTask } from "./bystander.ts";

declare const self: {
  onmessage: (event: MessageEvent<BystanderTask | "stop">) => void;
  postMessage: (message: unknown) => void;
};

/** How long it waits after an answer, in milliseconds. */
const pauseMs = 10;

/** How long it tries to get an answer, in milliseconds. */
const tryMsMax = 30_000;

const filesCount = 50;
const clientOptions = { timeoutMs: 10_000 };

/** Of each name the acknowledged write that counts: the last one, or the one with the greatest stamp. */
const newest = new Map<string, { readonly stamp: Stamp; readonly content: string }>();
const times: number[] = [];
const failures: string[] = [];
const clients = new Map<string, RingClient>();
let retries = 0;
let isStopped = false;
let isPatient = false;

self.onmessage = ({ data }) => {
  if (data === "stop") isStopped = true;
  else void work(data);
};

async function work({ seed, servers, ...task }: BystanderTask): Promise<void> {
  isPatient = task.isPatient;
  const random = new Random(`${seed}/bystander`);
  for (let number = 0; !isStopped; number++) {
    const server = random.pick(servers);
    const name = `good/${random.integer(filesCount)}`;
    if (server === undefined) break;
    const isWrite = !newest.has(name) || random.chance(0.3);
    const began = performance.now();
    const isWeb = random.chance(0.5);
    if (isWrite) await until(() => write(isWeb, server, { name, content: `${name} ${number}` }));
    else await until(() => read(isWeb, server, name));
    times.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  for (const client of clients.values()) client.close();
  const contents = new Map([...newest].map(([name, { content }]) => [name, content]));
  const result: BystanderResult = { times, failures, retries, contents };
  self.postMessage(result);
}

/** Tries until it is answered. */
async function until(attempt: () => Promise<void>): Promise<void> {
  const end = performance.now() + tryMsMax;
  while (true) {
    try {
      return await attempt();
    } catch (error) {
      retries++;
      if (performance.now() > end) {
        failures.push(`No answer in ${tryMsMax} ms: ${String(error)}`);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

async function write(
  isWeb: boolean,
  { address, web }: BystanderTask["servers"][number],
  { name, content }: { name: string; content: string },
): Promise<void> {
  if (isWeb) {
    const response = await fetch(web + name, { method: "PUT", body: content });
    const text = await response.text();
    if (!response.ok) throw new Error(`PUT ${name}: ${response.status} ${text}`);
    if (!isPatient) return note(name, { stamp: "", content });
    const acknowledged = response.headers.get("ETag");
    // HTTP does not tell the stamp: the list of the same server does.
    const { stamp = "", sha256 } = await recordOf(address, name) ?? {};
    if (`"${sha256}"` === acknowledged) note(name, { stamp, content });
    else if (stamp <= (newest.get(name)?.stamp ?? "")) {
      failures.push(`${address} has ${name} of ${stamp} after "${content}" was acknowledged`);
    }
  } else {
    const body = new TextEncoder().encode(content);
    const { stamp = "" } = await (await clientOf(address)).put(name, { size: body.length, body });
    note(name, { stamp: isPatient ? stamp : "", content });
  }
}

function note(name: string, write: { readonly stamp: Stamp; readonly content: string }): void {
  if (write.stamp >= (newest.get(name)?.stamp ?? "")) newest.set(name, write);
}

async function read(
  isWeb: boolean,
  { address, web }: BystanderTask["servers"][number],
  name: string,
): Promise<void> {
  const text = isWeb ? await readWeb(web + name) : await readRing(address, name);
  const expected = newest.get(name)?.content;
  if (text === expected) return;
  const failure = `${name} at ${address} is "${text}", not "${expected}"`;
  if (isPatient) throw new Error(failure);
  failures.push(failure);
}

async function readWeb(url: string): Promise<string> {
  const response = await fetch(url);
  const text = await response.text();
  if (response.status === 503) throw new Error(`GET ${url}: 503 ${text}`);
  return response.ok ? text : `status ${response.status}`;
}

async function readRing(address: string, name: string): Promise<string> {
  const { body } = await (await clientOf(address)).get(name);
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true });
  return text;
}

async function recordOf(address: string, name: string): Promise<FileRecord | undefined> {
  for await (const record of (await clientOf(address)).list(name)) {
    if (record.name === name) return record;
  }
  return undefined;
}

async function clientOf(address: string): Promise<RingClient> {
  const known = clients.get(address);
  if (known?.closed === false) return known;
  const client = await RingClient.connect(address, clientOptions);
  clients.set(address, client);
  return client;
}
