/** From kill -9 of one of five servers to the ring that all four survivors print. */
import { Machine, waitForRing } from "../e2e/ring_process.ts";

/** Nothing else is asked of the servers meanwhile. */
export async function measureKill(): Promise<ReadonlyMap<string, number>> {
  return new Map([["kill -9 of one of five, ring closed on all four, ms", await timeToClose()]]);
}

/** How long it takes, in milliseconds. */
export async function timeToClose(): Promise<number> {
  await using machine = await Machine.create();
  const servers = await machine.startRing(5);
  const [, , dies] = servers;
  if (dies === undefined) throw new Error("There is no ring");
  const start = performance.now();
  dies.kill("SIGKILL");
  await waitForRing(servers.filter((server) => server !== dies));
  return performance.now() - start;
}
