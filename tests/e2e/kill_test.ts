/** `kill -9`: the ring closes over whoever is gone, and clients at the others go on. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { RingClient } from "../../lib/client/client.ts";
import { RingError } from "../../lib/client/ring_error.ts";
import { eventually } from "../eventually.ts";
import { HaltingBody } from "./halting_body.ts";
import { type ServerProcess, waitForRing } from "./ring_process.ts";
import { sampleBytes, sha256 } from "./sample.ts";
import { testOnMachine } from "./test_on_machine.ts";

/** How long a ring may take to close over servers that are killed, in milliseconds. */
const closeMsMax = 10_000;

/** How long a client of the tests waits, in milliseconds. */
const timeoutMs = 20_000;

const losses: { name: string; count: number; killed: readonly number[] }[] = [
  { name: "one of three", count: 3, killed: [1] },
  { name: "two neighbours of five", count: 5, killed: [1, 2] },
  { name: "all but one of four", count: 4, killed: [0, 1, 3] },
];
for (const { name, count, killed } of losses) {
  testOnMachine(`kill -9 of ${name}: the others are one ring and go on`, async (machine) => {
    const servers = await machine.startRing(count);
    const survivors = servers.filter((_, index) => !killed.includes(index));
    await put(survivors[0], { name: "before", text: "the kill" });
    for (const index of killed) servers[index]?.kill("SIGKILL");
    await waitForRing(survivors, { withinMs: closeMsMax });
    for (const index of killed) assertEquals(await servers[index]?.exited, 137);
    await assertGoesOn(survivors);
  });
}

testOnMachine("a PUT that waits for a server that is killed is answered", async (machine) => {
  const [first, second, third] = await machine.startRing(3, ["-v"]);
  assert(first && second && third);
  // Stopped, it acknowledges nothing, so the PUT is under way when it is killed.
  second.kill("SIGSTOP");
  const answer = first.runClient(["--put", "-", "--as", "a"], { stdin: "in flight" });
  await waitForLog(first, "received PUT");
  second.kill("SIGKILL");
  assertEquals((await answer).stdout, "put a 9 B, 2 copies\n");
  assertEquals((await third.runClient(["--get", "a"])).stdout, "in flight");
});

testOnMachine("a PUT at a server that is killed before it answers: unknown", async (machine) => {
  const [first, second] = await machine.startRing(2, ["-v"]);
  assert(first && second);
  second.kill("SIGSTOP");
  const answer = first.runClient(["--put", "-", "--as", "a"], { stdin: "in flight" });
  await waitForLog(first, "received PUT");
  first.kill("SIGKILL");
  const { code, stderr } = await answer;
  assertEquals(code, 1);
  assertMatch(stderr, /^ring: Cannot put "a" at \S+: .*; it may have been done or not\n$/);
  second.kill("SIGCONT");
  await waitForRing([second], { withinMs: closeMsMax });
});

testOnMachine("a large PUT goes on when a server on its way is killed", async (machine) => {
  const [first, second, third] = await machine.startRing(3, ["-v"]);
  assert(first && second && third);
  const bytes = sampleBytes(4 * 1024 * 1024);
  const body = new HaltingBody(bytes);
  const client = await RingClient.connect(first.address, { timeoutMs });
  try {
    const answer = client.put("large", { size: body.size, body });
    await waitForLog(second, "received BODY");
    second.kill("SIGKILL");
    await waitForRing([first, third], { withinMs: closeMsMax });
    body.resume();
    const { status, copies } = await answer;
    assertEquals([status, copies], [201, 2]);
  } finally {
    body.resume();
    client.close();
  }
  const got = await third.runClient(["--get", "large"]);
  assertEquals(sha256(got.bytes), sha256(bytes), got.stderr);
});

testOnMachine("a large PUT at a server that is killed amid it did not happen", async (machine) => {
  const [first, second] = await machine.startRing(2, ["-v"]);
  assert(first && second);
  const body = new HaltingBody(sampleBytes(4 * 1024 * 1024));
  const client = await RingClient.connect(first.address, { timeoutMs });
  try {
    const answer = assertRejects(() => client.put("large", { size: body.size, body }), RingError);
    await waitForLog(second, "received BODY");
    await first.stop("SIGKILL");
    body.resume();
    const error = await answer;
    assert(error instanceof RingError);
    assertEquals(error.kind, "unavailable");
  } finally {
    body.resume();
    client.close();
  }
  await waitForRing([second], { withinMs: closeMsMax });
  assertEquals((await second.runClient(["--get", "large"])).code, 3);
  const unfinished = machine.path("ring-data", "4044", "bodies", "tmp");
  assertEquals([...Deno.readDirSync(unfinished)], []);
});

/** Asserts that clients at `servers` put, get and delete, and are told how many copies there are. */
async function assertGoesOn(servers: readonly ServerProcess[]): Promise<void> {
  const [first] = servers;
  const last = servers.at(-1);
  assert(first && last);
  assertEquals((await last.runClient(["--get", "before"])).stdout, "the kill");
  const copies = servers.length === 1 ? "1 copy" : `${servers.length} copies`;
  assertEquals(await put(first, { name: "after", text: "it" }), `put after 2 B, ${copies}\n`);
  assertEquals((await last.runClient(["--get", "after"])).stdout, "it");
  assertEquals((await last.runClient(["--delete", "before"])).code, 0);
  assertEquals((await first.runClient(["--get", "before"])).code, 3);
}

async function put(
  server: ServerProcess | undefined,
  { name, text }: { name: string; text: string },
): Promise<string | undefined> {
  return (await server?.runClient(["--put", "-", "--as", name], { stdin: text }))?.stdout;
}

/** Waits for words in the log of a server that logs everything. */
async function waitForLog(server: ServerProcess, words: string): Promise<void> {
  await eventually(() => server.stderr.includes(words), { what: words });
}
