/** Servers come back with their data: files, identity and place in the ring, with no flags. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { eventually } from "../eventually.ts";
import { type ServerProcess, waitForRing } from "./ring_process.ts";
import { testOnMachine } from "./test_on_machine.ts";

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  testOnMachine(`after ${signal} a server comes back as itself, with no flags`, async (machine) => {
    const [first, second, third] = await machine.startRing(3);
    assert(first && second && third);
    await put(second, "before");
    const { id } = await status(second);
    await second.stop(signal);
    await waitForRing([first, third]);
    await put(first, "meanwhile");
    const back = await machine.startServer();
    assertEquals(back.port, 4044);
    await waitForRing([first, back, third]);
    assertEquals((await status(back)).id, id);
    assertEquals((await back.runClient(["--get", "before"])).stdout, "before");
    assertEquals((await back.runClient(["--get", "meanwhile"])).stdout, "meanwhile");
    await waitForSameFiles([first, back, third]);
  });
}

testOnMachine("all servers are killed and come back: ring and files are there", async (machine) => {
  const servers = await machine.startRing(3);
  for (const [index, server] of servers.entries()) await put(server, `file-${index}`);
  const before = await Promise.all(servers.map(status));
  await Promise.all(servers.map((server) => server.stop("SIGKILL")));
  const back = await Promise.all(
    [4043, 4044, 4045].map((port) => machine.startServer(["--port", `${port}`])),
  );
  await waitForRing(back);
  const after = await Promise.all(back.map(status));
  assertEquals(after.map(({ id }) => id), before.map(({ id }) => id));
  assertEquals(after.map(({ digest }) => digest), before.map(({ digest }) => digest));
  const got = await Promise.all(
    back.map((server, index) => server.runClient(["--get", `file-${(index + 1) % 3}`])),
  );
  assertEquals(got.map(({ stdout }) => stdout), ["file-1", "file-2", "file-0"]);
});

testOnMachine("a file that was deleted while a server was down stays deleted", async (machine) => {
  const [first, second] = await machine.startRing(2);
  assert(first && second);
  await put(first, "gone");
  await put(first, "kept");
  await second.stop("SIGKILL");
  await waitForRing([first]);
  assertEquals((await first.runClient(["--delete", "gone"])).code, 0);
  const back = await machine.startServer(["--port", "4044"]);
  assertEquals((await back.runClient(["--get", "gone"])).code, 3);
  await waitForRing([first, back]);
  await waitForSameFiles([first, back]);
  assertEquals((await first.runClient(["--list"])).stdout, "kept\n");
  assertEquals((await back.runClient(["--list"])).stdout, "kept\n");
});

testOnMachine("a server that comes back at another port is the same one", async (machine) => {
  const [first, second, third] = await machine.startRing(3);
  assert(first && second && third);
  await put(first, "a");
  const { id } = await status(second);
  await second.stop("SIGKILL");
  const back = await machine.startServer(["--data", "ring-data/4044", "--port", "5000"]);
  await waitForRing([first, back, third]);
  assertEquals((await status(back)).id, id);
  assertEquals((await back.runClient(["--get", "a"])).stdout, "a");
  const { members } = await status(first);
  assertEquals(members.length, 3, "nobody is in the list twice");
});

testOnMachine("a new server at the port of a dead one is another one", async (machine) => {
  const [first, second] = await machine.startRing(2);
  assert(first && second);
  const { id } = await status(second);
  await second.stop("SIGKILL");
  const other = await machine.startServer(["--port", "4044", "--prev-port", "4043", "--data", "x"]);
  await waitForRing([first, other]);
  assertNotEquals((await status(other)).id, id);
});

/** What a server says of itself and the ring. */
interface Status {
  readonly id: string;
  readonly digest: string;
  readonly members: readonly unknown[];
}

async function status(server: ServerProcess): Promise<Status> {
  return JSON.parse((await server.runClient(["--status", "--json"])).stdout);
}

/** Puts a file that holds its own name. */
async function put(server: ServerProcess, name: string): Promise<void> {
  const { code, stderr } = await server.runClient(["--put", "-", "--as", name], { stdin: name });
  assertEquals([code, stderr], [0, ""]);
}

async function waitForSameFiles(servers: readonly ServerProcess[]): Promise<void> {
  await eventually(async () => {
    const digests = await Promise.all(servers.map(async (server) => (await status(server)).digest));
    return new Set(digests).size === 1;
  }, { what: "the same files on all servers", withinMs: 20_000 });
}
