/** What a person does to a ring: ask for copies, let a server leave, forget one. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { waitForRing } from "./ring_process.ts";
import { testOnMachine } from "./test_on_machine.ts";

testOnMachine(
  "--min-copies refuses a write, small or large, that too few servers would have",
  async (machine) => {
    const [first, second] = await machine.startRing(2, ["--min-copies", "2"]);
    assert(first !== undefined && second !== undefined);
    await Deno.writeTextFile(machine.path("small.txt"), "small");
    await Deno.writeFile(machine.path("large.bin"), new Uint8Array(200_000));
    const put = await first.runClient(["--put", "small.txt"]);
    assertEquals([put.code, put.stdout], [0, "put small.txt 5 B, 2 copies\n"]);
    await second.stop("SIGKILL");
    await waitForRing([first]);
    for (const file of ["small.txt", "large.bin"]) {
      const refused = await first.runClient(["--put", file]);
      assertEquals([refused.code, refused.stdout], [5, ""]);
      assertEquals(
        refused.stderr,
        `ring: Cannot put "${file}": 2 copies are asked for, and 1 server is live\n`,
      );
    }
    const list = await first.runClient(["--list"]);
    assertEquals(list.stdout, "small.txt\n");
    assertEquals((await first.runClient(["--get", "small.txt"])).stdout, "small");
  },
);

testOnMachine("--leave makes a server leave the ring and stop", async (machine) => {
  const [first, second, third] = await machine.startRing(3);
  assert(first !== undefined && second !== undefined && third !== undefined);
  const left = await second.runClient(["--leave"]);
  assertEquals([left.code, left.stdout], [0, `${second.address} leaves the ring\n`]);
  assertEquals(await second.exited, 0);
  await waitForRing([first, third]);
});

testOnMachine(
  "--forget takes a server off the list that is gone, and no other",
  async (machine) => {
    const [first, second] = await machine.startRing(2);
    assert(first !== undefined && second !== undefined);
    const live = await first.runClient(["--forget", second.address]);
    assertEquals(live.code, 1);
    assertMatch(live.stderr, /is (alive|joining); stop it first/);
    assertEquals((await first.runClient(["--forget", "10.0.0.1:1"])).code, 3);
    await second.stop("SIGKILL");
    await waitForRing([first]);
    const forgot = await first.runClient(["--forget", second.address]);
    assertEquals(forgot.code, 0);
    const status = await first.runClient(["--status", "--json"]);
    assertEquals(JSON.parse(status.stdout).members.length, 1);
    // One that was forgotten and comes back all the same is one of the ring again.
    const again = await machine.startServer(["--port", `${second.port}`]);
    await waitForRing([first, again]);
  },
);

testOnMachine("a copy of a data directory is refused while the original runs", async (machine) => {
  const [first, second] = await machine.startRing(2);
  assert(first !== undefined && second !== undefined);
  await copyFolder(machine.path("ring-data", `${second.port}`), machine.path("copy"));
  const copy = machine.spawnServer(["--data", machine.path("copy")]);
  assertEquals(await copy.exited, 1);
  assertMatch(copy.stderr, /Another server of the ring has this identity/);
  await waitForRing([first, second]);
});

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
