/** From nothing to a ring of three: three processes started, the list complete on each of them. */
import { eventually } from "../eventually.ts";
import { Machine, type ServerProcess, waitForOneRing } from "../e2e/ring_process.ts";

/** How long that takes, as a script would do it. */
export async function measureForming(): Promise<ReadonlyMap<string, number>> {
  await using machine = await Machine.create();
  const start = performance.now();
  await formRing(machine);
  return new Map([["form a ring of three, ms", performance.now() - start]]);
}

/**
 * Starts the second and third server as soon as the first listens, as a script would; returns the first
 * when all three print the ring.
 */
export async function formRing(machine: Machine): Promise<ServerProcess> {
  const first = machine.spawnServer();
  await first.waitForLine(/^listening /);
  const previous = ["--prev-port", `${first.port}`];
  const others = [machine.spawnServer(previous), machine.spawnServer(previous)];
  await eventually(() => others.every((server) => server.isListening));
  await waitForOneRing([first, ...others]);
  return first;
}
