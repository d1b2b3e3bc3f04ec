/** That the faults of the network and of clocks are real, where this machine can have them. */
import { assertEquals } from "@std/assert";
import { needs } from "../permission.ts";
import { type Network, openNetwork } from "./network.ts";
import { canSetClocks, WallClock } from "./wall_clock.ts";

/** How long a connection may take, in seconds. */
const connectSecondsMax = 1;

Deno.test({
  name: "a cut drops what one server sends to another, and lets pass what a third sends",
  ...needs("run", "net", "read", "write", "env"),
  async fn() {
    await using network = await openNetwork(3, { isLoopback: false });
    if (!network.canCut) return;
    assertEquals(await reaches(network, { from: 0, to: 1 }), true);
    await network.setCuts([{ from: 0, to: 1 }]);
    assertEquals(await reaches(network, { from: 0, to: 1 }), false);
    assertEquals(await reaches(network, { from: 2, to: 1 }), true);
    await network.setCuts([]);
    assertEquals(await reaches(network, { from: 0, to: 1 }), true);
  },
});

Deno.test({
  name: "a program goes by the clock that it is given",
  ...needs("run", "read", "write", "env"),
  async fn() {
    const directory = await Deno.makeTempDir();
    try {
      if (!await canSetClocks(directory)) return;
      const clock = await WallClock.create(directory, "clock");
      for (const stepMs of [0, 3_600_000, -3_600_000]) {
        await clock.set(stepMs);
        const off = await clock.read() - Date.now() - stepMs;
        assertEquals(Math.abs(off) < 30_000, true, `off by ${off} ms`);
      }
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

/** Whether a server hears, in time, that nobody listens at another: packets went both ways. */
async function reaches(
  network: Network,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<boolean> {
  const connect = `exec 3<>/dev/tcp/${network.ip(to)}/1`;
  const [command = "", ...args] = [
    ...network.prefix(from),
    ...["timeout", String(connectSecondsMax), "bash", "-c", connect],
  ];
  const { stderr } = await new Deno.Command(command, { args }).output();
  return new TextDecoder().decode(stderr).includes("refused");
}
