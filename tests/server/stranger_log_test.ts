import { assertEquals } from "@std/assert";
import { configureLog } from "../../lib/log.ts";
import { StrangerLog } from "../../lib/server/stranger_log.ts";

/** What is logged meanwhile, without the time. */
function logged(act: (log: StrangerLog) => void): string[] {
  const lines: string[] = [];
  const original = console.error;
  configureLog({ verbose: false, format: "json" });
  console.error = (line: string) => lines.push(JSON.parse(line).message);
  try {
    act(new StrangerLog());
  } finally {
    console.error = original;
  }
  return lines;
}

Deno.test("a stranger is named once a minute, with how many were not", () => {
  const lines = logged((log) => {
    log.note("10.0.0.1:1000", "no secret", 0);
    for (let port = 1001; port < 1011; port++) log.note(`10.0.0.1:${port}`, "no secret", 59_000);
    log.note("10.0.0.2:1000", "no secret", 59_000);
    log.note("10.0.0.1:2000", "no secret", 60_000);
  });
  assertEquals(lines, [
    "Refused 10.0.0.1:1000: no secret",
    "Refused 10.0.0.2:1000: no secret (and 10 times before, not logged)",
    "Refused 10.0.0.1:2000: no secret",
  ]);
});

Deno.test("strangers from very many hosts fill neither the log nor the memory", () => {
  const lines = logged((log) => {
    for (let host = 0; host < 5000; host++) {
      log.note(`10.0.${host >> 8}.${host & 255}:1`, "no secret", 0);
    }
    log.note("10.1.0.1:1", "no secret", 60_000);
  });
  assertEquals(lines.length, 1001);
  assertEquals(lines.at(-1), "Refused 10.1.0.1:1: no secret (and 4000 times before, not logged)");
});
