import { assertEquals, assertStringIncludes } from "@std/assert";
import { clockDifferenceMaxMs } from "../../lib/ring/write_gate.ts";
import { envelope, inRing, inRingWith, type Server } from "./harness.ts";
import { memberOf, type Name, putOf, recordOf } from "./sample.ts";
import { report } from "./replication_harness.ts";

Deno.test("a write is refused, and nothing stored, while fewer servers are live than copies are asked for", () => {
  const server = inRingWith({ minCopies: 3 }, "B", "C");
  server.learn("B", memberOf("C", { status: "dead" }));
  const answer = server.forget().answerTo(server.ask(putOf("a", "text")));
  assertEquals(answer?.status, 503);
  assertStringIncludes(answer?.error ?? "", "3 copies are asked for, and 2 servers are live");
  assertEquals(server.effects.map(({ type }) => type), ["answer"]);
});

Deno.test("a write that fewer servers have than were asked for has an unknown outcome", () => {
  const server = inRingWith({ minCopies: 3 }, "B", "C");
  const request = server.ask(putOf("a", "text"));
  report(server, "B");
  report(server, "C", { deed: "failed" });
  assertEquals(server.answerTo(request)?.status, 504);
  assertStringIncludes(server.answerTo(request)?.error ?? "", "2 of 3 copies");
});

Deno.test("a server whose clock is far from the median of the others refuses to originate writes", () => {
  const far = clockDifferenceMaxMs + 1000;
  const cases: readonly { jump: number; clocks: Partial<Record<Name, number>>; error?: string }[] =
    [
      { jump: 0, clocks: {} },
      { jump: far, clocks: {}, error: "61 s ahead of" },
      { jump: -far, clocks: {}, error: "61 s behind" },
      { jump: clockDifferenceMaxMs, clocks: {} },
      // One of three others is wrong: the median is not.
      { jump: 0, clocks: { B: 3_600_000 } },
      { jump: 0, clocks: { D: -3_600_000 } },
      { jump: 0, clocks: { B: 3_600_000, C: 3_600_000 }, error: "3600 s behind" },
    ];
  for (const { jump, clocks, error } of cases) {
    const server = inRing("B", "C", "D");
    for (const name of ["B", "C", "D"] as const) tellClock(server, name, clocks[name] ?? 0);
    server.wallJump = jump;
    const answer = server.answerTo(server.ask(putOf("a", "text")));
    if (error === undefined) assertEquals(answer, undefined);
    else assertStringIncludes(answer?.error ?? "", error, JSON.stringify({ jump, clocks }));
  }
});

Deno.test("of three servers one whose clock is wrong does not stop the other two", () => {
  for (const wrong of [-3_600_000, 3_600_000]) {
    for (const [b, c] of [[0, wrong], [wrong, 0]] as const) {
      const server = inRing("B", "C");
      tellClock(server, "B", b);
      tellClock(server, "C", c);
      assertEquals(server.answerTo(server.ask(putOf("a", "text"))), undefined);
    }
    const alone = inRing("B", "C");
    for (const name of ["B", "C"] as const) tellClock(alone, name, wrong);
    const answer = alone.answerTo(alone.ask(putOf("a", "text")));
    assertStringIncludes(answer?.error ?? "", "3600 s");
  }
});

Deno.test("a GET is answered whatever the clock shows and however few servers are live", () => {
  const server = inRingWith({ minCopies: 3 }, "B");
  tellClock(server, "B", 3_600_000);
  server.disk.add(recordOf("a", "text"));
  assertEquals(server.answerTo(server.ask({ type: "GET", item: "a" }))?.status, 200);
});

/** A member CHECKs the server, and its clock differs from the server's. */
function tellClock(server: Server, from: Name, difference: number): void {
  const wall = server.now.wall + difference;
  server.hear({ type: "CHECK", ...envelope(from), sequence: 1, list: "", files: "", wall });
}
