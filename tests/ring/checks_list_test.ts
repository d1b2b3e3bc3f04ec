import { assertEquals } from "@std/assert";
import { checkIntervalDefaultMs } from "../../lib/ring/checks.ts";
import { envelope, inRing, last, type Server } from "./harness.ts";
import { idOf, memberOf, type Name, nameOf } from "./sample.ts";

const interval = checkIntervalDefaultMs;

/** A CHECK from another member that agrees on list and files. */
function agreeing(server: Server, from: Name) {
  server.answering.add(from);
  server.advance(interval);
  const { list, files } = last(server.sent("CHECK"));
  return { type: "CHECK" as const, ...envelope(from), sequence: 7, list, files, wall: 0 };
}

/** A CHECKED from a member whose list lacks the others. */
function answerWithLess(server: Server, from: Name): void {
  const about = { sequence: 1, list: "another", files: "", wall: server.now.wall };
  server.hear({ type: "CHECKED", ...envelope(from), ...about, members: [memberOf(from)] });
}

Deno.test("a CHECK is answered on its connection, without the list when the two agree", () => {
  const server = inRing("B");
  const check = agreeing(server, "B");
  server.forget().hear(check);
  assertEquals(server.effects.map(({ type }) => type), ["reply"]);
  const { list, files } = check;
  const answer = { type: "CHECKED" as const, from: idOf("A"), to: idOf("B"), sequence: 7 };
  assertEquals(server.sent("CHECKED"), [{ ...answer, list, files, wall: server.now.wall }]);
});

Deno.test("a CHECK with another digest is answered with the list", () => {
  const server = inRing("B", "C");
  const check = agreeing(server, "B");
  server.forget().hear({ ...check, list: "another" });
  const members = last(server.sent("CHECKED")).members ?? [];
  assertEquals(members.map(({ id }) => nameOf(id)), ["A", "B", "C"]);
});

Deno.test("a CHECKED with a newer list is merged, and needs no UPDATE if nothing is left to tell", () => {
  const server = inRing("B");
  const { sequence, files } = agreeing(server, "B");
  const other = inRing("B", "C");
  const members = other.node.members;
  const { list } = agreeing(other, "B");
  server.forget().hear({
    type: "CHECKED",
    ...envelope("B"),
    sequence,
    list,
    files,
    wall: 0,
    members,
  });
  assertEquals(server.circle, "A B C");
  assertEquals(server.sent("UPDATE"), []);
});

Deno.test("a CHECKED with a list that lacks something is answered with an UPDATE", () => {
  const server = inRing("B", "C");
  const { sequence, files } = agreeing(server, "B");
  const members = [memberOf("A"), memberOf("B"), memberOf("D")];
  const list = "another";
  server.forget().hear({
    type: "CHECKED",
    ...envelope("B"),
    sequence,
    list,
    files,
    wall: 0,
    members,
  });
  assertEquals(server.circle, "A B C D");
  assertEquals(
    last(server.sent("UPDATE", "B")).members.map(({ id }) => nameOf(id)).join(" "),
    "A B C D",
  );
});

Deno.test("however many members lack something, the list goes round once an interval", () => {
  const server = inRing("B", "C", "D");
  for (const name of ["B", "C", "B", "D"] as const) answerWithLess(server, name);
  assertEquals(server.receivers("UPDATE"), "B");
  server.advance(interval);
  answerWithLess(server, "C");
  assertEquals(server.receivers("UPDATE"), "B C");
});

Deno.test("a member that is gone is told the list at once, whomever else it was told", () => {
  const server = inRing("B", "C");
  server.learn("B", memberOf("C", { status: "dead" }));
  server.forget();
  for (const name of ["B", "C", "C"] as const) answerWithLess(server, name);
  assertEquals(server.receivers("UPDATE"), "B C C");
});
