import { assertEquals } from "@std/assert";
import { awaitMs, pageTimeoutMs, pageTriesMax } from "../../lib/ring/repair.ts";
import { missedRetryMs, missedTellsMax } from "../../lib/ring/returns.ts";
import { envelope, inRing, last, returning, type Server } from "./harness.ts";
import { compare, page } from "./repair_harness.ts";
import { memberOf, type Name } from "./sample.ts";

const joining = { status: "joining" } as const;
const dead = { status: "dead" } as const;

/** A member says that it held A gone. */
function missed(server: Server, from: Name): void {
  server.hear({ type: "MISSED", ...envelope(from) });
}

Deno.test("a server that is told that it was held gone is joining until it has compared", () => {
  const server = inRing("B", "C");
  missed(server, "B");
  assertEquals(server.own, memberOf("A", { incarnation: 2, ...joining }));
  assertEquals(server.receivers("COMPARE"), "C");
  page(server, "C");
  assertEquals(server.own?.status, "joining");
  page(server, "B");
  assertEquals(server.own?.status, "alive");
  assertEquals(server.receivers("COMPARE"), "C B");
});

Deno.test("a server compares with all who held it gone, those that were asked before too", () => {
  const server = inRing("B", "C", "D");
  missed(server, "D");
  page(server, "D");
  missed(server, "D");
  for (const name of ["C", "D"] as const) page(server, name);
  assertEquals(server.own?.status, "joining");
  page(server, "B");
  assertEquals(server.own?.status, "alive");
  assertEquals(server.receivers("COMPARE"), "D C D B");
});

Deno.test("what was asked before a server was told that it missed something does not count", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  const { sequence } = last(server.sent("COMPARE", "C"));
  missed(server, "C");
  server.hear({ type: "PAGE", ...envelope("C"), sequence, records: [] });
  assertEquals(server.own?.status, "joining");
  assertEquals(server.receivers("COMPARE"), "C C");
  for (const name of ["C", "B"] as const) page(server, name);
  assertEquals(server.own?.status, "alive");
});

Deno.test("what is owed is forgotten when a server is alive", () => {
  const server = inRing("B", "C");
  missed(server, "B");
  page(server, "C");
  page(server, "B");
  server.forget().learn("C", memberOf("B", dead));
  server.pause(4000);
  page(server, "C");
  assertEquals(server.own?.status, "alive");
});

Deno.test("a server that denied a suspicion before it heard that it was dead is told, and compares", () => {
  const server = inRing("B", "C");
  server.learn("B", memberOf("A", { status: "suspect" }));
  server.learn("B", memberOf("A", dead));
  assertEquals(server.own, memberOf("A", { incarnation: 2 }));
  missed(server, "B");
  assertEquals(server.own, memberOf("A", { incarnation: 3, ...joining }));
  page(server, "C");
  page(server, "B");
  assertEquals(server.own?.status, "alive");
});

Deno.test("a server that reads in a list that it is gone compares with whoever sent that", () => {
  const server = inRing("B", "C", "D");
  server.learn("B", memberOf("A", dead));
  for (const name of ["D", "C"] as const) page(server, name);
  assertEquals(server.own?.status, "joining");
  page(server, "B");
  assertEquals(server.own, memberOf("A", { incarnation: 2 }));
  assertEquals(server.receivers("COMPARE"), "D C B");
});

Deno.test("a server that has started again compares with one that holds its last life gone", () => {
  const server = returning(memberOf("B", dead));
  assertEquals(server.own, memberOf("A", { incarnation: 2 }));
  const stale = memberOf("A", dead);
  server.learn("B", memberOf("B", { incarnation: 2 }), stale);
  assertEquals(server.own, memberOf("A", { incarnation: 3, ...joining }));
  page(server, "B");
  assertEquals(server.own, memberOf("A", { incarnation: 3 }));
  // Once it knows of this life, a list that comes late says nothing.
  server.learn("B", memberOf("A", { incarnation: 3 }));
  server.learn("B", stale);
  assertEquals(server.own, memberOf("A", { incarnation: 3 }));
});

Deno.test("one that holds this server gone, and is gone in the own list, is waited for", () => {
  const server = inRing("B");
  server.learn("B", memberOf("B", dead));
  server.learn("B", memberOf("A", dead));
  server.advance(awaitMs - 1);
  assertEquals(server.own, memberOf("A", { incarnation: 2, ...joining }));
  server.learn("B", memberOf("B", { incarnation: 2 }));
  page(server, "B");
  assertEquals(server.own, memberOf("A", { incarnation: 2 }));
});

Deno.test("one that says MISSED, and is gone in the own list, is told that, and waited for", () => {
  const server = inRing("B", "C");
  server.learn("C", memberOf("B", dead));
  server.forget();
  missed(server, "B");
  // On its own circle beside the one that says that this server is joining.
  assertEquals(server.receivers("UPDATE").split(" ").filter((name) => name === "B"), ["B"]);
  page(server, "C");
  assertEquals(server.own?.status, "joining");
  server.learn("B", memberOf("B", { incarnation: 2 }));
  assertEquals(server.own?.status, "joining");
  page(server, "B");
  assertEquals(server.receivers("COMPARE"), "C B");
  assertEquals(server.own?.status, "alive");
});

Deno.test("one that says MISSED, and stays gone in the own list, is waited for awaitMs", () => {
  const server = inRing("B", "C");
  server.learn("C", memberOf("B", dead));
  // So that no CHECK is due when the time is over: it has to be asked for.
  server.advance(500);
  missed(server, "B");
  page(server, "C");
  server.advance(awaitMs - 1);
  assertEquals(server.own?.status, "joining");
  server.advance(1);
  assertEquals(server.own?.status, "alive");
  assertEquals(server.receivers("COMPARE"), "C");
});

Deno.test("a server that is alone waits for one that says MISSED, and is gone in its list", () => {
  const server = inRing("B");
  server.learn("B", memberOf("B", dead));
  missed(server, "B");
  assertEquals(server.own?.status, "joining");
  server.advance(awaitMs);
  assertEquals(server.own?.status, "alive");
});

Deno.test("one that said MISSED, and dies before it was compared with, is not waited for long", () => {
  const server = inRing("B", "C");
  missed(server, "B");
  server.learn("C", memberOf("B", dead));
  page(server, "C");
  server.advance(awaitMs);
  assertEquals(server.own?.status, "alive");
});

Deno.test("one that said MISSED, and does not answer, is not asked for ever", () => {
  const server = inRing("B", "C");
  // B reaches this server, and is not reached, but C vouches for it.
  for (let tells = 0; tells < missedTellsMax; tells++) {
    missed(server, "B");
    page(server, "C");
    server.advance(missedRetryMs);
  }
  assertEquals(server.own?.status, "joining");
  server.advance(pageTriesMax * pageTimeoutMs);
  assertEquals(server.own?.status, "alive");
});

Deno.test("who is back is told that it has missed writes until it catches up", () => {
  const server = inRing("B", "C");
  server.learn("B", memberOf("C", { status: "dead" }));
  server.forget().learn("B", memberOf("C", { incarnation: 2 }));
  server.advance(missedRetryMs);
  assertEquals(server.sent("MISSED", "C").length, 2);
  const member = memberOf("C", { incarnation: 3, ...joining });
  compare(server, "C", { member: memberOf("C", { incarnation: 2 }) });
  compare(server, "C", { member, after: "in the middle" });
  server.advance(missedRetryMs);
  assertEquals(server.sent("MISSED", "C").length, 3);
  compare(server, "C", { member });
  server.forget().advance(10 * missedRetryMs);
  assertEquals(server.sent("MISSED", "C"), []);
});

Deno.test("who comes back with a COMPARE is not told what it is about to find out", () => {
  const server = inRing("B", "C");
  server.learn("C", memberOf("B", { status: "dead" }));
  server.forget();
  compare(server, "B", { member: memberOf("B", { incarnation: 2, status: "joining" }) });
  assertEquals(server.sent("MISSED", "B"), []);
});

Deno.test("who comes back with a COMPARE, and takes itself for alive, is told that it is not", () => {
  const server = inRing("B", "C");
  server.learn("C", memberOf("B", { status: "dead" }));
  server.forget();
  compare(server, "B", { member: memberOf("B", { incarnation: 2 }) });
  assertEquals(server.receivers("MISSED"), "B");
});

Deno.test("a source that went before it had given everything is compared with when it is back", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  server.learn("B", memberOf("C", { status: "dead" }));
  page(server, "B");
  assertEquals(server.own?.status, "alive");
  server.forget().learn("B", memberOf("C", { incarnation: 2 }));
  assertEquals([server.own?.status, server.receivers("COMPARE")], ["joining", "C"]);
  for (const name of ["C", "B"] as const) page(server, name);
  assertEquals(server.own?.status, "alive");
});

Deno.test("a source that went as this server was told that it had missed something is owed the rest", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  assertEquals(server.receivers("COMPARE"), "C");
  // Both at once: that it is held gone itself, and that its source is gone.
  server.learn("B", memberOf("C", dead), memberOf("A", { incarnation: 2, ...dead }));
  page(server, "B");
  assertEquals(server.own?.status, "alive");
  server.forget().learn("B", memberOf("C", { incarnation: 2 }));
  assertEquals([server.own?.status, server.receivers("COMPARE")], ["joining", "C"]);
});
