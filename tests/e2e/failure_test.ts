/** A server that cannot start says why in one sentence, and with the right exit code. */
import { assertEquals, assertMatch } from "@std/assert";
import { assertOneSentence } from "./one_sentence.ts";
import type { ServerProcess } from "./ring_process.ts";
import { testOnMachine } from "./test_on_machine.ts";

testOnMachine("a --port that is taken is an error", async (machine) => {
  await machine.startServer();
  const server = machine.spawnServer(["--port", "4043", "--data", "other"]);
  await assertFails(server, { code: 1, message: /Cannot listen on \S+:4043: the port is taken/ });
});

testOnMachine("a data directory belongs to one process", async (machine) => {
  await machine.startServer(["--data", "here"]);
  const server = machine.spawnServer(["--data", "here"]);
  await assertFails(server, { code: 1, message: /"here": it is in use by another ring server/ });
});

testOnMachine("a data directory that cannot be made is an error", async (machine) => {
  await Deno.writeTextFile(machine.path("file"), "");
  for (const directory of ["file", "file/data", "/proc/data"]) {
    const server = machine.spawnServer(["--data", directory]);
    await assertFails(server, { code: 1, message: new RegExp(`"${directory}"`) });
  }
});

testOnMachine("an --http-ip that this machine has not is an error", async (machine) => {
  const server = machine.spawnServer(["--memory", "--insecure", "--http-ip", "10.255.255.254"]);
  await assertFails(server, {
    code: 1,
    message:
      /10\.255\.255\.254:8043 for HTTP: this machine has no .*; choose another with --http-ip\n$/,
  });
});

testOnMachine("an --ip that this machine has not is an error", async (machine) => {
  const server = machine.spawnServer(["--memory", "--insecure"], { ip: "10.255.255.254" });
  await assertFails(server, {
    code: 1,
    message: /Cannot listen on 10\.255\.255\.254:4043: this machine has no such address/,
  });
});

testOnMachine("an --ip that this build may not use is an error that says so", async (machine) => {
  const server = machine.spawnServer(["--memory", "--insecure"], { ip: "203.0.113.1" });
  await assertFails(server, { code: 1, message: /RING_NET=203\.0\.113\.1 deno task compile/ });
});

testOnMachine("--ip 0.0.0.0 without --advertise is an error", async (machine) => {
  const server = machine.spawnServer([], { ip: "0.0.0.0" });
  await assertFails(server, { code: 2, message: /add --advertise HOST/ });
});

testOnMachine("a server cannot be inserted after itself", async (machine) => {
  const server = machine.spawnServer(["--port", "4043", "--prev-port", "4043"]);
  await assertFails(server, { code: 5, message: /itself/, listens: true });
});

testOnMachine("a previous server that never answers is given up after 10 s", async (machine) => {
  // One where nobody listens, and one that takes connections and says nothing.
  using mute = Deno.listen({ hostname: machine.ip, port: 5000 });
  const conns: Deno.Conn[] = [];
  const accepting = acceptAll(mute, conns);
  const begun = performance.now();
  const servers = ["5001", "5000"].map((port) =>
    machine.spawnServer(["--memory", "--prev-port", port])
  );
  for (const [index, server] of servers.entries()) {
    assertEquals(await server.exited, 5, server.transcript);
    const port = ["5001", "5000"][index];
    const [warning = "", ...rest] = server.stderr.trimEnd().split("\n");
    assertMatch(warning, new RegExp(`No answer from \\S+:${port} yet; trying for 10 s$`));
    assertEquals(rest, [`ring: No server answered at ${machine.ip}:${port} for 10 s`]);
  }
  assertEquals(performance.now() - begun >= 10_000, true, "it was given up too soon");
  mute.close();
  await accepting;
  for (const conn of conns) conn.close();
});

/** Asserts that a server ends, as it should, with one sentence. */
async function assertFails(
  server: ServerProcess,
  { code, message, listens = false }: { code: number; message: RegExp; listens?: boolean },
): Promise<void> {
  assertEquals(await server.exited, code, server.transcript);
  assertOneSentence(server.stderr);
  assertMatch(server.stderr, message);
  // Where it listens for the ring, and for HTTP.
  assertEquals(server.lines.length, listens ? 2 : 0);
}

/** Takes connections, and leaves it at that, until the listener is closed. */
async function acceptAll(listener: Deno.Listener, conns: Deno.Conn[]): Promise<void> {
  for await (const conn of listener) conns.push(conn);
}
