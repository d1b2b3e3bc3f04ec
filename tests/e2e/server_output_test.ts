/** What a server leaves: on disk, in its logs, and of the processor's time. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { eventually } from "../eventually.ts";
import { cpuSeconds } from "./cpu_time.ts";
import { testOnMachine } from "./test_on_machine.ts";

testOnMachine("--memory leaves nothing on disk", async (machine) => {
  const [first, second] = await machine.startRing(2, ["--memory"]);
  assert(first && second);
  const bytes = new Uint8Array(200_000);
  const put = await first.runClient(["--put", "-", "--as", "a"], { stdin: bytes });
  assertEquals(put.stdout, "put a 200 kB, 2 copies\n");
  assertEquals((await second.runClient(["--get", "a"])).bytes, bytes);
  assertEquals([...Deno.readDirSync(machine.directory)], []);
  assertEquals(await second.stop("SIGTERM"), 0);
  assertEquals([...Deno.readDirSync(machine.directory)], []);
});

testOnMachine("data are in ring-data/PORT, for the owner alone", async (machine) => {
  await machine.startRing(2);
  const names = [...Deno.readDirSync(machine.path("ring-data"))].map(({ name }) => name);
  assertEquals(names.toSorted(), ["4043", "4044"]);
  const { mode } = await Deno.stat(machine.path("ring-data", "4043"));
  assertEquals((mode ?? 0) & 0o777, 0o700);
});

testOnMachine("without flags a server that has nothing to say is quiet", async (machine) => {
  const [first, second] = await machine.startRing(2);
  assert(first && second);
  await first.runClient(["--put", "-", "--as", "a"], { stdin: "a" });
  await second.runClient(["--get", "a"]);
  assertEquals([first.stderr, second.stderr], ["", ""]);
});

testOnMachine("-v shows every message, CHECKs included", async (machine) => {
  const [first, second] = await machine.startRing(2, ["-v", "--check-interval", "200ms"]);
  assert(first && second);
  await first.runClient(["--put", "-", "--as", "a"], { stdin: "a" });
  for (const server of [first, second]) {
    for (const type of ["CHECK", "CHECKED"]) {
      for (const direction of ["sent", "received"]) {
        await eventually(() => new RegExp(`${direction} ${type} `).test(server.stderr), {
          what: `${type} ${direction} in the log`,
        });
      }
    }
  }
  assertMatch(first.stderr, /PUT/);
  assertMatch(second.stderr, /FORWARD/);
});

testOnMachine("--log-format json logs one object a line, and nothing else", async (machine) => {
  const [first] = await machine.startRing(2, ["-v", "--log-format", "json"]);
  assert(first);
  await first.runClient(["--put", "-", "--as", "a"], { stdin: "a" });
  assertEquals(await first.stop("SIGTERM"), 0);
  const lines = first.stderr.trimEnd().split("\n");
  for (const line of lines) {
    const { time, level, category, message } = JSON.parse(line);
    assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assertMatch(level, /^(debug|info|warning|error)$/);
    assertEquals([typeof category, typeof message], ["string", "string"]);
  }
});

testOnMachine("--log-format json holds for the error that ends a server", async (machine) => {
  await machine.startServer();
  const server = machine.spawnServer(["--port", "4043", "--log-format", "json"]);
  assertEquals(await server.exited, 1);
  const { level, message } = JSON.parse(server.stderr);
  assertEquals(level, "error");
  assertMatch(message, /the port is taken/);
});

testOnMachine("a server that has nothing to do takes little of a processor", async (machine) => {
  const [server] = await machine.startRing(3, ["-v"]);
  assert(server);
  const begun = { ms: performance.now(), cpu: await cpuSeconds(server.pid) };
  // Three CHECKs, one a second: about as many seconds.
  const before = checksSent(server.stderr);
  await eventually(() => checksSent(server.stderr) >= before + 3, { what: "three CHECKs" });
  const seconds = (performance.now() - begun.ms) / 1000;
  const busySeconds = await cpuSeconds(server.pid) - begun.cpu;
  assert(busySeconds / seconds < 0.2, `${busySeconds} s of ${seconds} s are too much`);
});

function checksSent(log: string): number {
  return [...log.matchAll(/sent CHECK /g)].length;
}
