/** A short chaos, with the faults that change nothing of the machine; `deno task chaos` has them all. */
import { assertEquals } from "@std/assert";
import { needs } from "../permission.ts";
import { runChaos } from "./chaos.ts";

const lastsMs = 15_000;

Deno.test({
  name: "five servers that are killed, stopped and wiped for 15 s lose nothing",
  ...needs("run", "net", "read", "write", "env"),
  async fn() {
    const lines: string[] = [];
    const result = await runChaos({
      seed: "test",
      lastsMs,
      isLoopback: true,
      print: (line) => lines.push(line),
    });
    const log = [`logs and data are in ${result.directory}`, ...lines].join("\n");
    assertEquals(result.violations, [], log);
    assertEquals(result.faults > 0 && result.operations > 0, true, log);
  },
});
