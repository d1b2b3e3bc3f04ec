/** `ring client --gc`: what is kept of deleted files is dropped, on all servers or on none. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type ServerProcess, waitForRing } from "./ring_process.ts";
import { testOnMachine } from "./test_on_machine.ts";

testOnMachine(
  "--gc drops the tombstones on every server, and no file comes back",
  async (machine) => {
    const [first, second, third] = await machine.startRing(3);
    assert(first && second && third);
    await put(first, ["a", "b", "kept"]);
    for (const name of ["a", "b"]) await second.runClient(["--delete", name]);
    assertEquals(await recordCounts(first), [3, 3, 3]);
    const { code, stdout, stderr } = await third.runClient(["--gc"]);
    assertEquals(
      [code, stdout, stderr],
      [0, "dropped 2 tombstones on each of 3 servers\n", ""],
    );
    assertEquals(await recordCounts(first), [1, 1, 1]);
    const again = await first.runClient(["--gc", "--json"]);
    assertEquals(JSON.parse(again.stdout), { ok: true, command: "gc", dropped: 0, servers: 3 });

    // A server that starts again has nothing to bring back.
    await second.stop("SIGKILL");
    await waitForRing([first, third]);
    const back = await machine.startServer(["--port", `${second.port}`]);
    await waitForRing([first, back, third]);
    for (const server of [first, back, third]) {
      assertEquals((await server.runClient(["--list"])).stdout, "kept\n");
    }
  },
);

testOnMachine("--gc of a server that is alone speaks of no others", async (machine) => {
  const server = await machine.startServer();
  await put(server, ["a"]);
  await server.runClient(["--delete", "a"]);
  assertEquals((await server.runClient(["--gc"])).stdout, "dropped 1 tombstone\n");
});

testOnMachine(
  "--gc is refused while a server is dead, and names it; forgotten, it may",
  async (machine) => {
    const [first, second, third] = await machine.startRing(3);
    assert(first && second && third);
    await put(first, ["a"]);
    await first.runClient(["--delete", "a"]);
    await second.stop("SIGKILL");
    await waitForRing([first, third]);
    const refused = await third.runClient(["--gc"]);
    assertEquals([refused.code, refused.stdout], [1, ""]);
    assertMatch(
      refused.stderr,
      new RegExp(`^ring: Cannot drop the tombstones: ${second.address} is dead, .*--forget .*\n$`),
    );
    assertEquals(await recordCounts(first), [1, undefined, 1]);

    await first.runClient(["--forget", second.address]);
    const dropped = await third.runClient(["--gc"]);
    assertEquals([dropped.code, dropped.stdout], [0, "dropped 1 tombstone on each of 2 servers\n"]);
    assertEquals(await recordCounts(first), [0, 0]);
  },
);

async function put(server: ServerProcess, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const { code } = await server.runClient(["--put", "-", "--as", name], { stdin: name });
    assertEquals(code, 0);
  }
}

/** How many records each server has, tombstones too, from this one on. */
async function recordCounts(server: ServerProcess): Promise<(number | undefined)[]> {
  const { stdout } = await server.runClient(["--verify", "--json"]);
  return JSON.parse(stdout).servers.map(({ checked }: { checked?: number }) => checked);
}
