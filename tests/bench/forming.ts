/** From nothing to a ring of three: three processes started, the list complete on each of them. */
import { eventually } from "../eventually.ts";
import { Machine, waitForOneRing } from "../e2e/ring_process.ts";

/** Starts the second and third server as soon as the first listens, as a script would. */
export async function measureForming(): Promise<ReadonlyMap<string, number>> {
  await using machine = await Machine.create();
  const start = performance.now();
  const first = machine.spawnServer();
  await first.waitForLine(/^listening /);
  const previous = ["--prev-port", `${first.port}`];
  const others = [machine.spawnServer(previous), machine.spawnServer(previous)];
  await eventually(() => others.every((server) => server.stdout !== ""));
  await waitForOneRing([first, ...others]);
  return new Map([["form a ring of three, ms", performance.now() - start]]);
}
