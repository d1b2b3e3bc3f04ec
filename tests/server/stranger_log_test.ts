import { assertEquals, assertMatch } from "@std/assert";
import { configureLog } from "../../lib/log.ts";
import { encodeFrame } from "../../lib/protocol/frame.ts";
import { Secret } from "../../lib/protocol/secret.ts";
import { StrangerLog } from "../../lib/server/stranger_log.ts";
import { needs } from "../permission.ts";
import { bytesOf } from "../storage/sample.ts";
import { Ring } from "./ring.ts";
import { Wire } from "./wire.ts";

/** What is logged meanwhile, without the time. */
function logged(act: (log: StrangerLog) => void): string[] {
  using recorded = recordLog();
  act(new StrangerLog());
  return recorded.lines;
}

/** Takes what is logged, from now to the end of its scope. */
function recordLog(): { lines: string[] } & Disposable {
  const lines: string[] = [];
  const original = console.error;
  configureLog({ verbose: false, format: "json" });
  console.error = (line: string) => lines.push(JSON.parse(line).message);
  const stop = () => {
    console.error = original;
  };
  return { lines, [Symbol.dispose]: stop };
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

Deno.test({
  name: "whoever is refused over and over, whatever for, fills no log",
  ...needs("net"),
  fn: async () => {
    for (const options of [{}, { secret: new Secret(Secret.generate()) }]) {
      await using ring = await Ring.start({ server: options });
      using recorded = recordLog();
      for (let count = 0; count < 5; count++) {
        for (const bytes of [bytesOf(100), encodeFrame({ type: "NONE" })]) {
          using wire = await Wire.connect(ring.server().address);
          await wire.sendBytes(bytes);
          await wire.untilClosed();
        }
      }
      const { lines } = recorded;
      assertEquals(lines.length, 1, lines.join("\n"));
      assertMatch(lines[0] ?? "", /^Refused 127\.0\.0\.1:/);
    }
  },
});
