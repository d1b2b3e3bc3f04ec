/** `ring client --verify`: every server checks what it holds, and all are compared. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { type Machine, type ServerProcess, waitForRing } from "./ring_process.ts";
import { sampleBytes, sha256 } from "./sample.ts";
import { testOnMachine } from "./test_on_machine.ts";

const large = sampleBytes(200_000);

testOnMachine(
  "--verify of a sound ring says so of every server, and ends with 0",
  async (machine) => {
    const servers = await ringWithFiles(machine, 3);
    const { code, stdout, stderr } = await machine.runClient(["--verify"]);
    const lines = servers.map(({ address }) => `${address}   3 records, all as they were stored\n`);
    assertEquals([code, stdout, stderr], [0, `${lines.join("")}All 3 servers are equal.\n`, ""]);
  },
);

testOnMachine("--verify of a server that is alone does not speak of others", async (machine) => {
  const [server] = await ringWithFiles(machine, 1);
  const { code, stdout } = await machine.runClient(["--verify"]);
  assertEquals(code, 0);
  assertEquals(
    stdout,
    `${server?.address}   3 records, all as they were stored\n` +
      "This is the only server of its ring.\n",
  );
});

testOnMachine("--verify repairs a large body that somebody has removed", async (machine) => {
  const [first, second] = await ringWithFiles(machine, 3);
  assert(first && second);
  const path = pathOf(machine, second);
  await Deno.remove(path);
  const { code, stdout, stderr } = await first.runClient(["--verify"]);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(
    stdout.split("\n")[1],
    `${second.address}   3 records; 1 damaged and repaired: "large"`,
  );
  assertEquals(sha256(await Deno.readFile(path)), sha256(large));
  assertMatch(second.stderr, /"large" was damaged or missing on this disk, and was repaired/);
});

testOnMachine("--verify repairs bits that have flipped, on several servers", async (machine) => {
  const [first, second, third] = await ringWithFiles(machine, 3);
  assert(first && second && third);
  const path = pathOf(machine, third);
  const bytes = await Deno.readFile(path);
  bytes[1000] = (bytes[1000] ?? 0) ^ 4;
  await Deno.writeFile(path, bytes);
  await second.stop("SIGKILL");
  await waitForRing([first, third]);
  flipSmallBody(machine, second);
  const again = await machine.startServer(["--port", `${second.port}`]);
  await waitForRing([first, again, third]);
  const { code, stdout } = await first.runClient(["--verify", "--json"]);
  const { ok, equal, servers } = JSON.parse(stdout);
  assertEquals([code, ok, equal], [0, true, true]);
  const found = servers.map((server: { damaged: string[]; lost: string[] }) => [
    server.damaged,
    server.lost,
  ]);
  assertEquals(found, [[[], []], [["small"], []], [["large"], []]]);
  assertEquals(sha256(await Deno.readFile(path)), sha256(large));
  assertEquals((await again.runClient(["--get", "small"])).stdout, "small");
});

testOnMachine(
  "--verify ends with 1 when a file is lost on all servers, and names it",
  async (machine) => {
    const servers = await ringWithFiles(machine, 2);
    for (const server of servers) await Deno.remove(pathOf(machine, server));
    const { code, stdout, stderr } = await machine.runClient(["--verify"]);
    assertEquals(code, 1);
    for (const [index, { address }] of servers.entries()) {
      assertEquals(
        stdout.split("\n")[index],
        `${address}   3 records; 1 damaged and lost: "large"`,
      );
      assertEquals(
        stderr.split("\n")[index],
        `ring: ${address} has lost 1 file, and no other server could give what was there: ` +
          'run --verify again, or put again: "large"',
      );
    }
    await servers[0]?.runClient(["--put", "large"]);
    assertEquals((await machine.runClient(["--verify"])).code, 0);
  },
);

testOnMachine(
  "--verify ends with 1 while a server of the list is dead, and names it",
  async (machine) => {
    const [first, second, third] = await ringWithFiles(machine, 3);
    assert(first && second && third);
    await second.stop("SIGKILL");
    await waitForRing([first, third]);
    const { code, stdout, stderr } = await first.runClient(["--verify"]);
    assertEquals(code, 1);
    assertEquals(stdout.split("\n").slice(0, 3), [
      `${first.address}   3 records, all as they were stored`,
      `${second.address}   dead, and not verified`,
      `${third.address}   3 records, all as they were stored`,
    ]);
    assertMatch(
      stderr,
      new RegExp(
        `^ring: ${second.address} is dead, and may have lost files: start it again, or have the ` +
          "ring forget it \\(--forget [0-9a-f]{8}\\)\n$",
      ),
    );
    await first.runClient(["--forget", second.address]);
    const without = await first.runClient(["--verify", "--json"]);
    assertEquals([without.code, JSON.parse(without.stdout).servers.length], [0, 2]);
  },
);

testOnMachine("--verify gives up a server that hangs, and ends with 1", async (machine) => {
  const [first, second] = await ringWithFiles(machine, 2);
  assert(first && second);
  second.kill("SIGSTOP");
  const { code, stdout } = await first.runClient(["--verify", "--timeout", "1s", "--json"]);
  second.kill("SIGCONT");
  assertEquals(code, 1);
  const { ok, equal, servers, error } = JSON.parse(stdout);
  assertEquals([ok, equal], [false, false]);
  assertEquals(servers.map(({ verified }: { verified: boolean }) => verified), [true, false]);
  assert(error.message.startsWith(`${second.address} was not verified, so run --verify again: `));
});

testOnMachine("--verify where no server answers ends with 5", async (machine) => {
  const { code, stdout, stderr } = await machine.runClient(["--verify"]);
  assertEquals([code, stdout], [5, ""]);
  assertMatch(stderr, /^ring: Cannot reach a server at .*: nobody listens there\n$/);
});

/** A ring that has a small file, a large one, and a tombstone. */
async function ringWithFiles(machine: Machine, count: number): Promise<ServerProcess[]> {
  const servers = await machine.startRing(count);
  await Deno.writeTextFile(machine.path("small"), "small");
  await Deno.writeTextFile(machine.path("gone"), "gone");
  await Deno.writeFile(machine.path("large"), large);
  const put = await machine.runClient(["--put", "small", "gone", "large"]);
  const deleted = await machine.runClient(["--delete", "gone"]);
  assertEquals([put.code, deleted.code], [0, 0]);
  return servers;
}

/** Where a server keeps the large body. */
function pathOf(machine: Machine, { port }: ServerProcess): string {
  const hash = sha256(large);
  return machine.path("ring-data", `${port}`, "bodies", hash.slice(0, 2), hash);
}

/** Flips a bit of the small body of a server that does not run. */
function flipSmallBody(machine: Machine, { port }: ServerProcess): void {
  using database = new DatabaseSync(machine.path("ring-data", `${port}`, "ring.db"));
  // From `small`, by a bit.
  const flipped = new TextEncoder().encode("smalm");
  // The only body that is small enough to be there.
  const { changes } = database.prepare("UPDATE bodies SET bytes = ?").run(flipped);
  assertEquals(Number(changes), 1);
}
