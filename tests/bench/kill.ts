/** From kill -9 of one of five servers to the ring that all four survivors print. */
import { Machine, waitForRing } from "../e2e/ring_process.ts";

/** How long it may take, in milliseconds. */
const closeMsMax = 60_000;

/** Nothing else is asked of the servers meanwhile. */
export async function measureKill(): Promise<ReadonlyMap<string, number>> {
  return new Map([["kill -9 of one of five, ring closed on all four, ms", await timeToClose()]]);
}

/** How long it takes, in milliseconds; one that is only stopped does not refuse connections. */
export async function timeToClose(signal: "SIGKILL" | "SIGSTOP" = "SIGKILL"): Promise<number> {
  await using machine = await Machine.create();
  const servers = await machine.startRing(5);
  const [, , dies] = servers;
  if (dies === undefined) throw new Error("There is no ring");
  const start = performance.now();
  dies.kill(signal);
  await waitForRing(servers.filter((server) => server !== dies), { withinMs: closeMsMax });
  return performance.now() - start;
}
