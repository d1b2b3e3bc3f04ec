/** From kill -9 of one of five servers to the ring that all survivors print. */
import { Machine, waitForRing } from "../e2e/ring_process.ts";

/** Also says how long a PUT at a survivor takes that is asked for at the moment of the kill. */
export async function measureKill(): Promise<ReadonlyMap<string, number>> {
  await using machine = await Machine.create();
  const servers = await machine.startRing(5);
  const [first, , dies] = servers;
  if (first === undefined || dies === undefined) throw new Error("There is no ring");
  const survivors = servers.filter((server) => server !== dies);
  const start = performance.now();
  dies.kill("SIGKILL");
  const put = first.runClient(["--put", "-", "--as", "a.txt"], { stdin: "a" })
    .then(({ code, stderr }) => {
      if (code !== 0) throw new Error(`A PUT during a kill failed: ${stderr}`);
      return performance.now() - start;
    });
  await waitForRing(survivors);
  const closed = performance.now() - start;
  return new Map([
    ["kill -9 of one of five to the closed ring, ms", closed],
    ["PUT during it, the client's process included, ms", await put],
  ]);
}
