import { assert, assertEquals } from "@std/assert";
import {
  checkIntervalDefaultMs,
  deadAfter,
  probeIntervalMs,
  probesMax,
  recheckDelayMs,
  suspectAfter,
} from "../../lib/ring/checks.ts";
import { envelope, inRing, last, returning, Server } from "./harness.ts";
import { addressOf, idOf, idOfNumber, memberOf } from "./sample.ts";

const interval = checkIntervalDefaultMs;

Deno.test("only the successor is checked once an interval, while it answers", () => {
  const server = inRing("B", "C", "D");
  server.advance(2 * interval);
  assertEquals(server.receivers("CHECK"), "B B");
});

Deno.test("the members beyond the successor are checked in turn, half of them every 3 s", () => {
  const server = inRing("B", "C", "D");
  server.advance(4 * probeIntervalMs);
  assertEquals(server.sent("CHECK", "C").length, 2);
  assertEquals(server.sent("CHECK", "D").length, 2);
});

Deno.test("the interval is the one that was asked for", () => {
  const server = new Server({ checkIntervalMs: 250 }).start();
  server.answering.add("B");
  server.learn("B", memberOf("B"));
  server.forget().advance(interval);
  assertEquals(server.sent("CHECK").length, 4);
});

Deno.test("each CHECK has a number of its own", () => {
  const server = inRing("B");
  server.advance(3 * interval);
  const sequences = server.sent("CHECK").map(({ sequence }) => sequence);
  assertEquals(new Set(sequences).size, 3);
});

Deno.test("a server that is alone checks nobody", () => {
  const server = inRing();
  server.advance(10 * interval);
  assertEquals(server.sent("CHECK"), []);
});

Deno.test("a silent member is suspect after 3 missed answers, and dead after 5", () => {
  const server = inRing("B", "C");
  server.answering.delete("B");
  server.advance(interval);
  const statuses = Array.from({ length: deadAfter }, () => {
    server.advance(interval);
    return server.member("B")?.status;
  });
  assertEquals([suspectAfter, deadAfter], [3, 5]);
  assertEquals(statuses, ["alive", "alive", "suspect", "suspect", "dead"]);
  assertEquals(server.circle, "A C");
});

Deno.test("a verdict goes round the ring in an UPDATE, and into the notes", () => {
  const server = inRing("B", "C");
  server.answering.delete("B");
  server.advance((1 + deadAfter) * interval);
  const told = last(server.sent("UPDATE", "C")).members;
  assertEquals(told.find(({ id }) => id === idOf("B"))?.status, "dead");
  assertEquals(server.effectsOf("note").map(({ level, text }) => `${level}: ${text}`), [
    `warning: ${addressOf("B")} is suspect`,
    `warning: ${addressOf("B")} is dead`,
  ]);
});

Deno.test("an answer in between makes the counting begin again", () => {
  const server = inRing("B", "C");
  server.answering.delete("B");
  server.advance((suspectAfter - 1) * interval);
  server.answering.add("B");
  server.advance(interval);
  server.answering.delete("B");
  server.advance(suspectAfter * interval);
  assertEquals(server.member("B")?.status, "alive");
  server.advance(interval);
  assertEquals(server.member("B")?.status, "suspect");
});

Deno.test("every other member is checked from the first missed answer on", () => {
  const server = inRing("B", "C", "D");
  server.answering.delete("B");
  server.advance(interval);
  assertEquals(server.receivers("CHECK"), "B");
  server.forget().advance(interval);
  assertEquals(server.receivers("CHECK"), "B C D");
});

Deno.test("two neighbours that stop together are both dead at once after the second's count", () => {
  const server = inRing("B", "C", "D");
  server.answering.delete("B");
  server.answering.delete("C");
  server.advance((1 + deadAfter) * interval);
  assertEquals(server.circle, "A C D");
  server.advance(interval);
  assertEquals(server.circle, "A D");
});

Deno.test("all but one may stop together, and be found within 8 s", () => {
  const server = inRing("B", "C", "D", "E", "F");
  server.answering.clear();
  server.advance(8000);
  assertEquals(server.circle, "A");
});

Deno.test("the next live member is checked at once when the successor is dead", () => {
  const server = inRing("B", "C");
  server.answering.delete("B");
  server.unreachable("B", "refused");
  server.forget().unreachable("B", "refused");
  assertEquals(server.receivers("CHECK"), "C");
});

Deno.test("a member whose host refuses is checked again at once, and then dead", () => {
  const server = inRing("B", "C");
  server.answering.delete("B");
  server.unreachable("B", "refused");
  assertEquals(server.receivers("CHECK"), "B");
  assertEquals(server.member("B")?.status, "alive");
  server.unreachable("B", "refused");
  assertEquals(server.member("B")?.status, "dead");
});

Deno.test("a member that answers between two refusals is not dead", () => {
  const server = inRing("B", "C");
  server.answering.delete("B");
  server.unreachable("B", "refused");
  const { sequence, list, files } = last(server.sent("CHECK", "B"));
  server.hear({ type: "CHECKED", ...envelope("B"), sequence, list, files, wall: 0 });
  server.unreachable("B", "refused");
  assertEquals(server.member("B")?.status, "alive");
});

Deno.test("a connection that breaks is no proof: the member is checked at once", () => {
  const server = inRing("B", "C");
  server.answering.delete("B");
  server.unreachable("B", "closed");
  assertEquals(server.receivers("CHECK"), "B");
  assertEquals(server.member("B")?.status, "alive");
});

Deno.test("connections that break again within an interval mean a CHECK each 50 ms, no more", () => {
  assertEquals(recheckDelayMs, 50);
  const server = inRing("B", "C");
  server.answering.delete("B");
  server.unreachable("B", "closed");
  server.forget();
  for (let n = 0; n < 10; n++) server.unreachable("B", "closed");
  assertEquals(server.receivers("CHECK"), "");
  server.advance(recheckDelayMs - 1);
  assertEquals(server.receivers("CHECK"), "");
  server.advance(1);
  assertEquals(server.receivers("CHECK"), "B");
  server.advance(5 * recheckDelayMs);
  assertEquals(server.receivers("CHECK"), "B");
});

Deno.test("a member that died since its connection broke is not checked again", () => {
  const server = inRing("B", "C");
  server.answering.delete("B");
  server.unreachable("B", "closed");
  server.unreachable("B", "closed");
  server.learn("C", memberOf("B", { status: "dead" }));
  server.forget().advance(recheckDelayMs);
  assertEquals(server.receivers("CHECK"), "");
});

Deno.test("a refusal is forgotten when the member comes back", () => {
  const server = inRing("B", "C");
  server.answering.delete("B");
  for (let n = 0; n < 2; n++) server.unreachable("B", "refused");
  server.learn("B", memberOf("B", { incarnation: 2 }));
  server.unreachable("B", "refused");
  assertEquals(server.member("B")?.status, "alive");
});

Deno.test("an address that nobody in the circle has is nobody's death", () => {
  const server = inRing("B");
  server.unreachable("F", "refused");
  server.unreachable("F", "refused");
  assertEquals(server.circle, "A B");
});

Deno.test("another member is asked to check a suspect", () => {
  const server = inRing("B", "C");
  server.answering.delete("B");
  server.advance((1 + suspectAfter) * interval);
  const asked = { from: idOf("A"), to: idOf("C"), type: "ASK" as const, suspect: idOf("B") };
  assertEquals(server.sent("ASK"), [asked]);
});

Deno.test("nobody is asked about a suspect who is silent too", () => {
  const server = inRing("B", "C");
  server.answering.clear();
  server.advance((1 + suspectAfter) * interval);
  assertEquals(server.sent("ASK"), []);
});

Deno.test("a VOUCH saves a member behind a link that is broken one way", () => {
  const server = inRing("B", "C");
  server.answering.delete("B");
  for (let seconds = 0; seconds < 30; seconds++) {
    server.forget().advance(interval);
    if (server.sent("ASK").length === 0) continue;
    server.hear({ type: "VOUCH", ...envelope("C"), suspect: idOf("B") });
  }
  assertEquals(server.member("B")?.status, "suspect");
  assertEquals(server.circle, "A B C");
});

Deno.test("an ASK is passed on as a CHECK, and a CHECKED comes back as a VOUCH, once", () => {
  const server = inRing("B", "C");
  server.answering.delete("C");
  server.hear({ type: "ASK", ...envelope("B"), suspect: idOf("C") });
  const { sequence, list, files } = last(server.sent("CHECK", "C"));
  assertEquals(server.sent("VOUCH"), []);
  for (let n = 0; n < 2; n++) {
    server.hear({ type: "CHECKED", ...envelope("C"), sequence, list, files, wall: 0 });
  }
  const vouch = { from: idOf("A"), to: idOf("B"), type: "VOUCH" as const, suspect: idOf("C") };
  assertEquals(server.sent("VOUCH"), [vouch]);
});

Deno.test("an ASK about this server, or about a stranger, changes nothing", () => {
  const server = inRing("B");
  server.hear({ type: "ASK", ...envelope("B"), suspect: idOf("A") });
  server.hear({ type: "ASK", ...envelope("B"), suspect: idOf("F") });
  assertEquals(server.sent("CHECK"), []);
});

Deno.test("a server that was paused itself passes no verdict on that silence", () => {
  const server = inRing("B", "C");
  server.answering.clear();
  server.advance((deadAfter - 1) * interval);
  server.pause(60_000);
  assertEquals(server.circle, "A B C");
  assertEquals(server.member("B")?.status, "suspect");
  server.answering.add("B").add("C");
  server.advance(10 * interval);
  assertEquals(server.circle, "A B C");
});

Deno.test("a server that was paused checks at once when it goes on", () => {
  const server = inRing("B");
  server.advance(interval);
  server.forget().pause(60_000);
  assertEquals(server.receivers("CHECK"), "B");
});

Deno.test("dead members are probed for ever, half of them every 3 s", () => {
  const server = inRing("B");
  server.learn("B", memberOf("C", { status: "dead" }), memberOf("D", { status: "dead" }));
  server.forget().advance(4 * probeIntervalMs);
  assertEquals(server.sent("CHECK", "C").length, 2);
  assertEquals(server.sent("CHECK", "D").length, 2);
  server.forget().advance(100 * probeIntervalMs);
  assertEquals(server.sent("CHECK", "C").length, 50);
});

Deno.test("of many dead members each is probed within 6 s, and of very many eight at a time", () => {
  for (const [count, probed] of [[5, 6], [2 * probesMax, 2 * probesMax], [400, 2 * probesMax]]) {
    const server = inRing("B");
    const gone = Array.from({ length: count ?? 0 }, (_, n) => (
      memberOf("C", { id: idOfNumber(n), address: `10.1.0.${n % 250}:${4000 + n}`, status: "dead" })
    ));
    server.learn("B", ...gone);
    server.forget().advance(2 * probeIntervalMs);
    const ids = server.sent("CHECK").map(({ to }) => to).filter((id) => id !== idOf("B"));
    assertEquals(ids.length, probed);
    assertEquals(new Set(ids).size, Math.min(count ?? 0, 2 * probesMax));
  }
});

Deno.test("members that have left are probed too: they may have come back unseen", () => {
  const server = inRing("B");
  server.learn("B", memberOf("C", { status: "left" }), memberOf("D", { status: "dead" }));
  server.forget().advance(10 * probeIntervalMs);
  assertEquals(server.sent("CHECK", "C").length, 5);
  assertEquals(server.sent("CHECK", "D").length, 5);
});

Deno.test("a dead member that answers a probe is told that it is held dead", () => {
  const server = inRing("B");
  server.learn("B", memberOf("C", { status: "dead" }));
  server.forget().advance(probeIntervalMs);
  const { sequence } = last(server.sent("CHECK", "C"));
  const members = [memberOf("A"), memberOf("C"), memberOf("B")];
  server.forget().hear({
    type: "CHECKED",
    ...envelope("C"),
    sequence,
    list: "another",
    files: "",
    wall: 0,
    members,
  });
  const [update] = server.sent("UPDATE", "C");
  assert(update !== undefined);
  assertEquals(update.members.find(({ id }) => id === idOf("C"))?.status, "dead");
});

Deno.test("a returning server checks all members that are gone at once", () => {
  const [dead, left] = [{ status: "dead" }, { status: "left" }] as const;
  const server = returning(memberOf("B"), memberOf("C", dead), memberOf("D", left));
  assertEquals(server.sent("CHECK", "C").length, 1);
  assertEquals(server.sent("CHECK", "D").length, 1);
});

Deno.test("a REFUSE 421 proves that the member meant is not at its address any more", () => {
  const server = inRing("B", "C");
  const intended = idOf("B");
  const refuse = { type: "REFUSE", ...envelope("F"), status: 421, intended, error: "" } as const;
  server.hear(refuse);
  assertEquals(server.member("B")?.status, "dead");
  assertEquals(server.member("C")?.status, "alive");
});

Deno.test("a REFUSE 421 about this server itself is no verdict", () => {
  const server = inRing("B");
  const intended = idOf("A");
  const refuse = { type: "REFUSE", ...envelope("B"), status: 421, intended, error: "" } as const;
  server.hear(refuse);
  assertEquals(server.own?.status, "alive");
});

Deno.test("a server that was paused for three intervals catches up before it answers from what it holds", () => {
  const cases: readonly [number, string][] = [[2 * interval, "alive"], [60_000, "joining"]];
  for (const [milliseconds, status] of cases) {
    const server = inRing("B");
    server.answering.clear();
    server.advance(interval / 2);
    server.pause(milliseconds);
    assertEquals(server.own?.status, status, `after ${milliseconds} ms`);
  }
});
