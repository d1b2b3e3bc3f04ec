/** Small files on three durable servers, through the ring protocol: PUT and GET of 1 KiB. */
import { RingClient } from "../../lib/client/client.ts";
import { Machine } from "../e2e/ring_process.ts";
import { quantile } from "./statistics.ts";

const bodyBytes = 1024;
/** Names that the requests go to, in turn. */
const namesMax = 1000;
const warmUp = 500;

/** One series of requests. */
interface Series {
  readonly operation: "PUT" | "GET";
  readonly clients: number;
  readonly requests: number;
}

const series: readonly Series[] = [
  { operation: "PUT", clients: 1, requests: 1500 },
  { operation: "PUT", clients: 32, requests: 10_000 },
  { operation: "GET", clients: 1, requests: 5000 },
  { operation: "GET", clients: 32, requests: 30_000 },
];

/** Rates and latencies; the clients are spread over the servers, and wait for each answer. */
export async function measureRequests(): Promise<ReadonlyMap<string, number>> {
  await using machine = await Machine.create();
  const servers = await machine.startRing(3);
  const addresses = servers.map((server) => server.address);
  await run(addresses, { operation: "PUT", clients: 8, requests: warmUp + namesMax });
  const figures = new Map<string, number>();
  for (const each of series) {
    const { rate, latencies } = await run(addresses, each);
    const name = `${each.operation} 1 KiB, ${each.clients} client${each.clients > 1 ? "s" : ""}`;
    figures.set(`${name}, requests/s`, rate);
    figures.set(`${name}, p50 ms`, quantile(latencies, 0.5));
    figures.set(`${name}, p99 ms`, quantile(latencies, 0.99));
  }
  return figures;
}

async function run(
  addresses: readonly string[],
  { operation, clients, requests }: Series,
): Promise<{ rate: number; latencies: readonly number[] }> {
  const connections: RingClient[] = [];
  for (let index = 0; index < clients; index++) {
    const address = addresses[index % addresses.length] ?? "";
    connections.push(await RingClient.connect(address, { timeoutMs: 10_000 }));
  }
  const ask = operation === "PUT" ? put : get;
  const latencies: number[] = [];
  let next = 0;
  const start = performance.now();
  await Promise.all(connections.map(async (client) => {
    while (next < requests) {
      const name = `file-${next++ % namesMax}`;
      const asked = performance.now();
      await ask(client, name);
      latencies.push(performance.now() - asked);
    }
  }));
  const seconds = (performance.now() - start) / 1000;
  for (const client of connections) client.close();
  return { rate: requests / seconds, latencies };
}

async function put(client: RingClient, name: string): Promise<void> {
  const body = crypto.getRandomValues(new Uint8Array(bodyBytes));
  await client.put(name, { size: bodyBytes, body });
}

async function get(client: RingClient, name: string): Promise<void> {
  const { body } = await client.get(name);
  let bytes = 0;
  for await (const chunk of body) bytes += chunk.length;
  if (bytes !== bodyBytes) throw new Error(`${name} has ${bytes} bytes, and not ${bodyBytes}`);
}
