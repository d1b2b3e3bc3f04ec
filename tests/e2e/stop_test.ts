/** SIGTERM and SIGINT: a server finishes what is in flight, tells the ring, and ends. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { RingClient } from "../../lib/client/client.ts";
import { eventually } from "../eventually.ts";
import { HaltingBody } from "./halting_body.ts";
import { type ServerProcess, waitForRing } from "./ring_process.ts";
import { sampleBytes, sha256 } from "./sample.ts";
import { testOnMachine } from "./test_on_machine.ts";

const timeoutMs = 20_000;

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  testOnMachine(`${signal} ends a server with code 0, and the others know`, async (machine) => {
    const [first, second, third] = await machine.startRing(3);
    assert(first && second && third);
    assertEquals(await second.stop(signal), 0);
    assertMatch(second.stderr, new RegExp(`${signal}: leaving the ring`));
    await waitForRing([first, third]);
    // It was not missed: it has said goodbye.
    assertEquals(first.stderr + third.stderr, "");
    const { stdout } = await first.runClient(["--status"]);
    assertMatch(stdout, new RegExp(`^${machine.ip}:4044 +left\\b`, "m"));
  });
}

testOnMachine("SIGTERM ends a server that is alone", async (machine) => {
  const server = await machine.startServer();
  assertEquals(await server.stop("SIGTERM"), 0);
});

testOnMachine("SIGTERM ends a server that still looks for its ring", async (machine) => {
  const server = machine.spawnServer(["--port", "4044", "--prev-port", "4043"]);
  await eventually(() => server.stderr.includes("trying"), { what: "the search for the ring" });
  assertEquals(await server.stop("SIGTERM"), 0);
});

testOnMachine("a PUT in flight is finished before the server ends", async (machine) => {
  const [first, second] = await machine.startRing(2, ["-v"]);
  assert(first && second);
  const bytes = sampleBytes(2 * 1024 * 1024);
  const body = new HaltingBody(bytes);
  const client = await RingClient.connect(first.address, { timeoutMs });
  try {
    const answer = client.put("large", { size: body.size, body });
    await body.halfSent;
    await askToStop(first);
    body.resume();
    const { status, copies } = await answer;
    assertEquals([status, copies], [201, 2]);
  } finally {
    body.resume();
    client.close();
  }
  assertEquals(await first.exited, 0);
  await waitForRing([second]);
  const got = await second.runClient(["--get", "large"]);
  assertEquals(sha256(got.bytes), sha256(bytes), got.stderr);
});

testOnMachine("a server that stops takes no new requests", async (machine) => {
  const server = await machine.startServer(["-v"]);
  const body = new HaltingBody(sampleBytes(1024 * 1024));
  const client = await RingClient.connect(server.address, { timeoutMs });
  try {
    const answer = client.put("large", { size: body.size, body });
    await body.halfSent;
    await askToStop(server);
    for (const request of [["--list"], ["--get", "large"], ["--gc"]]) {
      const { code, stderr } = await server.runClient(request);
      assertEquals(code, 5, stderr);
      assertMatch(stderr, /leaving the ring; ask another/);
    }
    body.resume();
    assertEquals((await answer).status, 201);
  } finally {
    body.resume();
    client.close();
  }
  assertEquals(await server.exited, 0);
});

testOnMachine("a server that stops is one of the ring until it has left", async (machine) => {
  const [first, second] = await machine.startRing(2, ["-v"]);
  assert(first && second);
  const body = new HaltingBody(sampleBytes(1024 * 1024));
  const client = await RingClient.connect(second.address, { timeoutMs });
  try {
    const answer = client.put("large", { size: body.size, body });
    await body.halfSent;
    await askToStop(second);
    // It has no connection to any of them yet.
    const third = await machine.startServer(["--port", "4045", "--prev-port", "4044"]);
    await waitForRing([first, second, third]);
    body.resume();
    assertEquals((await answer).copies, 3);
    assertEquals(await second.exited, 0);
    await waitForRing([first, third]);
    assertEquals(/is (suspect|dead)/.exec(first.stderr + third.stderr), null);
  } finally {
    body.resume();
    client.close();
  }
});

testOnMachine("a second signal ends a server at once, whatever is in flight", async (machine) => {
  const server = await machine.startServer(["-v"]);
  const body = new HaltingBody(sampleBytes(1024 * 1024));
  const client = await RingClient.connect(server.address, { timeoutMs });
  try {
    const answer = client.put("large", { size: body.size, body }).then(
      () => "done",
      () => "failed",
    );
    await body.halfSent;
    await askToStop(server);
    // Sent again and again, as two that come together may count as one.
    await eventually(() => {
      server.kill("SIGTERM");
      return !server.isRunning;
    }, { what: "the end of the server", withinMs: 4000 });
    assertEquals(await server.exited, 130);
    body.resume();
    assertEquals(await answer, "failed");
  } finally {
    body.resume();
    client.close();
  }
});

/** Sends SIGTERM when a PUT has begun, and waits until the server, which logs all, has heard it. */
async function askToStop(server: ServerProcess): Promise<void> {
  await eventually(() => server.stderr.includes("received PUT"), { what: "the PUT in the log" });
  server.kill("SIGTERM");
  await eventually(() => server.stderr.includes("leaving"), { what: "a word on the signal" });
}
