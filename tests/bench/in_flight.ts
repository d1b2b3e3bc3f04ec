/** PUTs that are under way, at all servers, when one of five is killed: how long until each is answered. */
import { RingClient } from "../../lib/client/client.ts";
import { RingError } from "../../lib/client/ring_error.ts";
import { pause } from "../chaos/pause.ts";
import { Machine, type ServerProcess } from "../e2e/ring_process.ts";
import { quantile } from "./statistics.ts";

const bodyBytes = 1024;
const clientsPerServer = 16;
/** How long PUTs go on before the kill, so that servers are warm, and after it, in milliseconds. */
const beforeMs = 1000;
const afterMs = 4000;

/** One PUT: when it was asked for, and when the client knew what became of it. */
interface Put {
  readonly start: number;
  readonly end: number;
}

/** Those at the survivors must be answered; those at the server that dies end with its connections. */
export async function measureInFlight(): Promise<ReadonlyMap<string, number>> {
  await using machine = await Machine.create();
  const servers = await machine.startRing(5);
  const [, , dies] = servers;
  if (dies === undefined) throw new Error("There is no ring");
  const stop = new AbortController();
  const puts: Put[] = [];
  const clients = servers.flatMap((server) =>
    Array.from({ length: clientsPerServer }, (_, index) => {
      const name = `file-${server.port}-${index}`;
      return putUntil(stop.signal, { server, name, mayFail: server === dies, puts });
    })
  );
  await pause(beforeMs);
  const killedAt = performance.now();
  dies.kill("SIGKILL");
  await pause(afterMs);
  stop.abort();
  await Promise.all(clients);
  return figuresOf(puts, killedAt);
}

function figuresOf(puts: readonly Put[], killedAt: number): ReadonlyMap<string, number> {
  const underWay = puts.filter(({ start, end }) => start <= killedAt && end >= killedAt)
    .map(({ end }) => end - killedAt);
  const later = puts.filter(({ start }) => start > killedAt).map(({ start, end }) => end - start);
  return new Map([
    ["PUTs under way at a kill -9", underWay.length],
    ["PUT under way at a kill -9, median from the kill, ms", quantile(underWay, 0.5)],
    ["PUT under way at a kill -9, longest from the kill, ms", Math.max(...underWay)],
    ["PUT in the 4 s after a kill -9, longest, ms", Math.max(...later)],
  ]);
}

/** Puts one file over and over; where it may fail, ends when it does. */
async function putUntil(
  signal: AbortSignal,
  { server, name, mayFail, puts }: {
    readonly server: ServerProcess;
    readonly name: string;
    readonly mayFail: boolean;
    readonly puts: Put[];
  },
): Promise<void> {
  const client = await RingClient.connect(server.address, { timeoutMs: 15_000 });
  const body = crypto.getRandomValues(new Uint8Array(bodyBytes));
  while (!signal.aborted && !client.closed) {
    const start = performance.now();
    try {
      await client.put(name, { size: bodyBytes, body });
    } catch (error) {
      if (!(error instanceof RingError) || !mayFail) throw error;
    }
    puts.push({ start, end: performance.now() });
  }
  client.close();
}
