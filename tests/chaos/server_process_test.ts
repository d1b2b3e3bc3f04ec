/** That a process which ends, or says, what it must not is reported. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { DataDisk } from "./data_disk.ts";
import { ServerProcess } from "./server_process.ts";

/** Tests with a server that runs, and what is reported of it. */
function test(
  name: string,
  fn: (server: ServerProcess, violations: readonly string[]) => Promise<void>,
): void {
  Deno.test({
    name,
    ...needs("run", "net", "read", "write", "env"),
    async fn() {
      const directory = await Deno.makeTempDir({ prefix: "ring-chaos-" });
      const disk = await DataDisk.open(`${directory}/disk`, { mounts: false });
      const violations: string[] = [];
      const onViolation = (text: string) => violations.push(text);
      const place = { index: 0, ip: "127.0.98.1", directory, disk, prefix: [], environment: {} };
      const server = new ServerProcess({ ...place, args: [], onViolation });
      try {
        await server.start();
        await fn(server, violations);
      } finally {
        await server.kill();
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

test("a server that is told to stop is not reported", async (server, violations) => {
  await server.terminate();
  await server.start();
  await server.kill();
  assertEquals(violations, []);
});

test("a process that dies by itself is reported", async (server, violations) => {
  Deno.kill(server.pid ?? 0, "SIGABRT");
  await eventually(() => violations.length > 0);
  assertEquals(violations.length, 1);
  assertStringIncludes(violations[0] ?? "", "server 1 ended by itself, SIGABRT");
});

test("what no server should log is found", async (server) => {
  assertEquals(await server.findTraces(), []);
  const trace = "    at step (file:///node.ts:10:5)";
  const text = `TypeError: x is not a function\n${trace}\n`;
  await Deno.writeTextFile(server.logFile, text, { append: true });
  assertEquals(await server.findTraces(), [trace]);
});
