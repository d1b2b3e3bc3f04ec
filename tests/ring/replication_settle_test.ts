import { assert, assertEquals } from "@std/assert";
import { writeTimeoutMs } from "../../lib/ring/replication.ts";
import { resendMs } from "../../lib/ring/rounds.ts";
import { envelope, inRing, last, type Server } from "./harness.ts";
import { report, sentRound } from "./replication_harness.ts";
import { idOf, memberOf, nameOf, path, putOf, visitsOf } from "./sample.ts";

const newcomer = memberOf("D", { status: "joining" });

/** The list of a member that knows of a newcomer. */
function listWith(server: Server) {
  return [...server.node.members, newcomer];
}

/** The last circle of A comes back. */
function comeBack(server: Server, visited: ReturnType<typeof visitsOf>): void {
  const { errand, circle } = last(
    server.sent("FORWARD").filter(({ circle }) => circle.creator === idOf("A")),
  );
  const about = { hop: 9, circle: { ...circle, visited }, errand };
  server.hear({ type: "FORWARD", ...envelope("B"), ...about });
}

Deno.test("a report brings whoever is new, and the creator waits for it as well", () => {
  const server = inRing("B", "C");
  server.answering.add("D");
  const request = server.ask(putOf("a", "text"));
  report(server, "B");
  report(server, "C", { members: listWith(server) });
  assertEquals(server.circle, "A B C D");
  assertEquals(server.answerTo(request), undefined);
  report(server, "D", { circle: sentRound(server) });
  assertEquals(server.answerTo(request)?.copies, 4);
});

Deno.test("a write reaches whoever a report has brought with the next attempt, if not before", () => {
  const server = inRing("B");
  server.answering.add("D");
  server.ask(putOf("a", "text"));
  report(server, "B", { members: listWith(server) });
  server.forget().advance(resendMs);
  comeBack(server, visitsOf("stored", "A", "B"));
  const forward = last(server.sent("FORWARD"));
  assertEquals([nameOf(forward.to), forward.body], ["D", putOf("a", "text").body]);
});

Deno.test("a report that comes too late brings its list all the same", () => {
  const server = inRing("B");
  const request = server.ask(putOf("a", "text"));
  report(server, "B");
  assertEquals(server.answerTo(request)?.copies, 2);
  report(server, "B", { circle: sentRound(server), members: listWith(server) });
  assertEquals(server.circle, "A B D");
});

Deno.test("a write is settled by envelopes too, if they say who has stored it", () => {
  const server = inRing("B", "C");
  const request = server.ask(putOf("a", "text"));
  comeBack(server, visitsOf("passed", "A", "B", "C"));
  assertEquals(server.answerTo(request), undefined);
  server.advance(resendMs);
  comeBack(server, visitsOf("stored", "A", "B", "C"));
  assertEquals(server.answerTo(request)?.copies, 3);
});

Deno.test("a circle that skipped a member goes on to it from its creator, with the body", () => {
  const server = inRing("B", "C");
  server.ask(putOf("a", "text"));
  const skipped = { id: idOf("C"), deed: "skipped" as const, by: idOf("B") };
  comeBack(server, [...visitsOf("passed", "A", "B"), skipped]);
  const { to, circle, body } = last(server.sent("FORWARD"));
  assertEquals([nameOf(to), path(circle)], ["C", "A:passed B:passed C:skipped by B"]);
  assertEquals(body, putOf("a", "text").body);
});

Deno.test("a creator that could not store what others have has missed a write", () => {
  const server = inRing("B");
  const before = server.own?.incarnation ?? 0;
  server.disk.full = true;
  const request = server.ask(putOf("a", "text"));
  assertEquals(server.own?.status, "alive");
  report(server, "B");
  assertEquals(server.answerTo(request)?.status, 201);
  assertEquals([server.own?.status, server.own?.incarnation], ["joining", before + 1]);
  assertEquals(server.sent("COMPARE").length, 1);
});

Deno.test("a creator that could not store what nobody has has missed nothing", () => {
  const server = inRing("B");
  server.disk.full = true;
  const request = server.ask(putOf("a", "text"));
  report(server, "B", { deed: "failed" });
  assertEquals(server.answerTo(request)?.status, 507);
  assertEquals(server.own, memberOf("A"));
});

Deno.test("a creator that could not store what others may have has missed a write", () => {
  const server = inRing("B");
  server.disk.full = true;
  const request = server.ask(putOf("a", "text"));
  server.advance(writeTimeoutMs);
  assertEquals(server.answerTo(request)?.status, 504);
  assertEquals(server.own?.status, "joining");
});

Deno.test("a creator whose disk says only after the 504 that it is full has missed a write", () => {
  const server = inRing("B");
  server.held.add("write");
  const request = server.ask(putOf("a", "text"));
  report(server, "B");
  server.advance(writeTimeoutMs);
  assertEquals(server.answerTo(request)?.status, 504);
  assertEquals(server.own, memberOf("A"));
  server.disk.full = true;
  server.release("write");
  assertEquals(server.own?.status, "joining");
});

Deno.test("a write that one who has died may have has an unknown outcome, and was missed", () => {
  const server = inRing("B", "C");
  server.disk.full = true;
  const request = server.ask(putOf("a", "text"));
  report(server, "C", { deed: "failed" });
  // B may have stored the write, and died before its REPORT.
  server.learn("C", memberOf("B", { status: "dead" }));
  const error = 'The outcome for "a" is unknown: 0 of 1 copies were made';
  assertEquals(server.answerTo(request), { type: "PUT", item: "a", status: 504, error });
  assertEquals(server.own?.status, "joining");
});

Deno.test("a write that nobody has room for is answered 507, though one of those has died since", () => {
  const server = inRing("B", "C");
  server.disk.full = true;
  const request = server.ask(putOf("a", "text"));
  report(server, "B", { deed: "failed" });
  server.learn("C", memberOf("B", { status: "dead" }));
  report(server, "C", { deed: "failed" });
  assertEquals(server.answerTo(request)?.status, 507);
});

Deno.test("a creator that stored a write whose outcome is unknown has missed nothing", () => {
  const server = inRing("B");
  const request = server.ask(putOf("a", "text"));
  server.advance(writeTimeoutMs);
  assertEquals(server.answerTo(request)?.status, 504);
  assertEquals(server.own, memberOf("A"));
});

Deno.test("a stamp is under a saved ceiling when its write leaves, before its server has it", () => {
  const server = inRing("B");
  server.held.add("write");
  server.ask(putOf("a", "text"));
  const types = server.effects.map(({ type }) => type);
  assert(types.indexOf("save") >= 0 && types.indexOf("save") < types.indexOf("send"));
  const { errand } = last(server.sent("FORWARD"));
  assert(errand.type === "WRITE");
  assert(last(server.effectsOf("save")).stampCeiling > errand.record.stamp);
});

Deno.test("the ceiling is not saved anew for every write", () => {
  const server = inRing();
  for (let n = 0; n < 50; n++) server.ask(putOf(`file ${n}`, "text"));
  assertEquals(server.effectsOf("save").length, 1);
});

Deno.test("a write that may be on a newcomer that has died since is unknown, not refused", () => {
  const server = inRing("B");
  server.answering.add("C");
  server.disk.full = true;
  const request = server.ask(putOf("a", "text"));
  const { errand, circle } = last(server.sent("FORWARD"));
  server.learn("B", memberOf("C", { status: "joining" }));
  const back = { ...circle, visited: visitsOf("passed", "A", "B") };
  server.hear({ type: "FORWARD", ...envelope("B"), hop: 9, circle: back, errand });
  report(server, "B", { deed: "failed" });
  server.learn("B", memberOf("C", { status: "dead" }));
  assertEquals(server.answerTo(request)?.status, 504);
});
