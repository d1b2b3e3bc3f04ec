import { assertEquals } from "@std/assert";
import { membersMax } from "../../lib/ring/member.ts";
import { introductionMs } from "../../lib/ring/strangers.ts";
import { envelope, inRing, type Server } from "./harness.ts";
import { idOf, idOfNumber, memberOf, type Name } from "./sample.ts";

/** A member says that A is not in its list. */
function refuse(server: Server, from: Name): void {
  const about = {
    status: 403,
    intended: idOf(from),
    error: "The sender is not in the list",
  } as const;
  server.hear({ type: "REFUSE", ...envelope(from), ...about });
}

Deno.test("each of those that take this server for a stranger is told who is in the ring", () => {
  const server = inRing("B", "C");
  for (const name of ["B", "C", "B", "C"] as const) refuse(server, name);
  assertEquals(server.receivers("UPDATE"), "B C");
});

Deno.test("nobody is told who is in the ring more often than once in introductionMs", () => {
  const server = inRing("B", "C");
  refuse(server, "B");
  server.advance(introductionMs - 1);
  refuse(server, "B");
  assertEquals(server.receivers("UPDATE"), "B");
  server.advance(1);
  refuse(server, "B");
  assertEquals(server.receivers("UPDATE"), "B B");
});

Deno.test("a member that is gone, and takes this server for a stranger, is told as well", () => {
  const server = inRing("B", "C");
  server.learn("B", memberOf("C", { status: "dead" }));
  server.forget();
  refuse(server, "C");
  assertEquals(server.receivers("UPDATE"), "C");
});

Deno.test("the UPDATE of a stranger is taken only if the stranger is in the list that it brings", () => {
  const server = inRing("B");
  for (const [members, isTaken] of [[[memberOf("D")], false], [[memberOf("C")], true]] as const) {
    server.forget().learn("C", ...members);
    assertEquals(server.sent("REFUSE").length, isTaken ? 0 : 1);
    assertEquals(server.sent("ACK").length, isTaken ? 1 : 0);
  }
  assertEquals(server.circle, "A B C");
});

Deno.test("no stranger is listened to when the list is full", () => {
  const server = inRing("B");
  const others = Array.from({ length: membersMax - 2 }, (_, n) => (
    { ...memberOf("D"), id: idOfNumber(n + 1), status: "dead" as const }
  ));
  server.learn("B", ...others);
  server.forget().learn("C", memberOf("C"));
  assertEquals(server.sent("REFUSE").length, 1);
});
