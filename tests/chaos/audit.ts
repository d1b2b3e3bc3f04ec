/**
 * Reading what was written last from every server, at moments when one is likely to lack it: clients
 * read at random, and would seldom meet the second in which a server that is back does not know yet.
 */
import { RingClient } from "../../lib/client/client.ts";
import { perform } from "./client_operation.ts";
import type { History } from "./history.ts";
import type { ServerProcess } from "./server_process.ts";

/** How many names are read at each server: those that were written last. */
const namesMax = 40;

/** How long an answer, and a connection, may take, in milliseconds. */
const timeouts = { timeoutMs: 3_000, connectMs: 1_000 };

/** Gets what was written last from every server; the history judges it. */
export async function readBack(
  servers: readonly ServerProcess[],
  history: History,
): Promise<void> {
  const names = history.lastWritten(namesMax);
  await Promise.all(servers.map(async (server) => {
    let client: RingClient | undefined;
    const connect = async () => client ??= await RingClient.connect(server.address, timeouts);
    for (const name of names) {
      const { outcome } = await perform({ type: "GET", name }, { server, connect, history });
      // It is down, or asks others that are.
      if (outcome === "refused") break;
    }
    client?.close();
  }));
}
