import { assert, assertEquals } from "@std/assert";
import { checkIntervalDefaultMs } from "../../lib/ring/checks.ts";
import { busyDifferencesMin, differencePause, differencesMin } from "../../lib/ring/differences.ts";
import { pageTimeoutMs, pageTriesMax } from "../../lib/ring/repair.ts";
import { envelope, inRing, last, returning } from "./harness.ts";
import { known, page, tell } from "./repair_harness.ts";
import { memberOf, putOf, recordOf } from "./sample.ts";

Deno.test("a difference of files that is seen once causes nothing", () => {
  const server = inRing("B", "C");
  tell(server, "theirs");
  tell(server, "theirs", "C");
  assertEquals(server.sent("COMPARE"), []);
});

Deno.test("the same difference seen twice causes a pull, one at a time", () => {
  assertEquals(differencesMin, 2);
  const server = inRing("B", "C");
  for (const from of ["B", "B", "B", "C", "C"] as const) tell(server, "theirs", from);
  assertEquals(server.receivers("COMPARE"), "B");
  page(server, "B", { records: [known(server, "a")] });
  assertEquals(server.disk.records.size, 1);
  assertEquals(server.own, memberOf("A"));
  assertEquals(server.sent("UPDATE"), []);
});

Deno.test("a difference that changes from one CHECK to the next is writes under way", () => {
  const server = inRing("B");
  for (const files of ["1", "2", "3", "4"]) tell(server, files);
  for (const name of ["a", "b", "c"]) {
    server.ask(putOf(name, "text"));
    tell(server, "4");
  }
  assertEquals(server.sent("COMPARE"), []);
});

Deno.test("differences that do not end are compared under steady writes too, after a while", () => {
  const server = inRing("B", "C");
  for (let n = 1; n < busyDifferencesMin; n++) tell(server, `theirs ${n}`);
  assertEquals(server.sent("COMPARE"), []);
  tell(server, "theirs at last");
  assertEquals(server.receivers("COMPARE"), "B");
  page(server, "B");
  for (let n = 1; n < busyDifferencesMin; n++) tell(server, `theirs again ${n}`);
  assertEquals(server.receivers("COMPARE"), "B");
  tell(server, "theirs after all");
  assertEquals(server.receivers("COMPARE"), "B B");
});

Deno.test("the steady differences of two members are counted apart", () => {
  const server = inRing("B", "C");
  for (let n = 1; n < busyDifferencesMin; n++) {
    tell(server, `of B ${n}`, "B");
    tell(server, `of C ${n}`, "C");
  }
  assertEquals(server.sent("COMPARE"), []);
});

Deno.test("a difference that was gone in between is counted afresh", () => {
  const server = inRing("B");
  for (let n = 1; n < busyDifferencesMin; n++) tell(server, `theirs ${n}`);
  tell(server, server.disk.digest);
  tell(server, "theirs");
  assertEquals(server.sent("COMPARE"), []);
});

Deno.test("a difference is seen in the answer to a CHECK too", () => {
  const server = inRing("B");
  server.answering.delete("B");
  for (let n = 0; n < differencesMin; n++) {
    server.advance(checkIntervalDefaultMs);
    const { sequence, list } = last(server.sent("CHECK"));
    server.hear({ type: "CHECKED", ...envelope("B"), sequence, list, files: "theirs", wall: 0 });
  }
  assertEquals(server.receivers("COMPARE"), "B");
});

Deno.test("a difference that a comparison did not end is looked at again after a pause", () => {
  const server = inRing("B");
  for (let n = 0; n < differencesMin; n++) tell(server, "theirs");
  page(server, "B");
  for (let n = 0; n < differencePause; n++) tell(server, "theirs");
  assertEquals(server.receivers("COMPARE"), "B");
  for (let n = 0; n < differencesMin; n++) tell(server, "theirs");
  assertEquals(server.receivers("COMPARE"), "B B");
});

Deno.test("a comparison sends the digests of what is here now", () => {
  const server = inRing("B");
  server.disk.add(recordOf("a", "text"));
  for (let n = 0; n < differencesMin; n++) tell(server, "theirs");
  assertEquals(last(server.sent("COMPARE")).digests, server.disk.digests);
});

Deno.test("a joining server does not compare besides: it pulls everything anyway", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  for (let n = 0; n < 3 * busyDifferencesMin; n++) tell(server, "theirs");
  assertEquals(server.receivers("COMPARE"), "C");
});

Deno.test("a pull for a difference is given up when the member does not answer", () => {
  const server = inRing("B", "C");
  for (let n = 0; n < differencesMin; n++) tell(server, "theirs");
  server.advance((pageTriesMax + 5) * pageTimeoutMs);
  assertEquals(server.receivers("COMPARE"), "B B B");
});

Deno.test("a server that was stopped while it compared is not alive by the page that comes then", () => {
  const server = inRing("B");
  for (let n = 0; n < differencesMin; n++) tell(server, "theirs");
  server.stopFor(60_000);
  page(server, "B");
  assertEquals(server.own, memberOf("A", { incarnation: 2, status: "joining" }));
  page(server, "B");
  assertEquals(server.own?.status, "alive");
});

Deno.test("a server that finds no room for what it lacks stays alive, and compares again", () => {
  const server = inRing("B");
  server.disk.full = true;
  for (let n = 0; n < differencesMin; n++) tell(server, "theirs");
  page(server, "B", { records: [known(server, "a")] });
  assertEquals(server.own, memberOf("A"));
  for (let n = 0; n < differencePause + differencesMin; n++) tell(server, "theirs");
  assert(server.sent("COMPARE").length === 2);
});
