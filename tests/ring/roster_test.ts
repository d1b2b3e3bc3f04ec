import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Member, memberStatuses } from "../../lib/ring/member.ts";
import type { Update } from "../../lib/ring/message.ts";
import { stampZero } from "../../lib/ring/stamp.ts";
import { envelope, inRing, last, returning, type Server } from "./harness.ts";
import {
  addressOf,
  circleOf,
  idOf,
  memberOf,
  type Name,
  nameOf,
  names,
  path,
  visitsOf,
} from "./sample.ts";

/** What a server last told of itself. */
function toldOfItself(server: Server): Member | undefined {
  return last(server.sent("UPDATE")).members.find((member) => member.id === idOf("A"));
}

/** An UPDATE of a circle, passed on by C. */
function updateOf(creator: Name, visitors: readonly Name[], members: readonly Member[]): Update {
  const circle = circleOf(creator, { visited: visitsOf("stored", ...visitors) });
  return { type: "UPDATE", ...envelope("C"), hop: 5, circle, stamp: stampZero, members };
}

Deno.test("a server that reads that it is suspect raises its incarnation, and says so", () => {
  const server = inRing("B", "C");
  server.learn("B", memberOf("A", { status: "suspect" }));
  assertEquals(server.own, memberOf("A", { incarnation: 2, status: "alive" }));
  assertEquals(toldOfItself(server), server.own);
});

Deno.test("a server that was held dead, or gone, is joining until it has caught up", () => {
  for (const status of ["dead", "left"] as const) {
    const server = inRing("B", "C");
    server.learn("B", memberOf("A", { status }));
    assertEquals(server.own, memberOf("A", { incarnation: 2, status: "joining" }));
    assertEquals(toldOfItself(server), server.own);
    assertEquals(server.sent("COMPARE").length, 1);
  }
});

Deno.test("a joining server that reads that it is suspect stays joining", () => {
  const server = returning(memberOf("B"));
  server.forget().learn("B", memberOf("A", { incarnation: 2, status: "suspect" }));
  assertEquals(server.own, memberOf("A", { incarnation: 3, status: "joining" }));
});

Deno.test("a server is above any incarnation that others give it", () => {
  const server = inRing("B");
  server.learn("B", memberOf("A", { incarnation: 41, status: "alive", address: addressOf("F") }));
  assertEquals(server.own, memberOf("A", { incarnation: 42 }));
});

Deno.test("a server does not answer old or equal news of itself", () => {
  const server = returning(memberOf("B"));
  server.forget().learn("B", memberOf("A", { incarnation: 1, status: "dead" }));
  server.learn("B", memberOf("A", { incarnation: 2, status: "joining" }));
  assertEquals(server.own, memberOf("A", { incarnation: 2, status: "joining" }));
  assertEquals(server.effectsOf("save"), []);
});

Deno.test("the raised incarnation is saved in the step that tells it, before it is told", () => {
  const server = inRing("B");
  server.learn("B", memberOf("A", { status: "suspect" }));
  const [first] = server.effects;
  assert(first?.type === "save");
  assertEquals(first.incarnation, 2);
  assertEquals(first.members.find(({ id }) => id === idOf("A"))?.incarnation, 2);
  assertEquals(first.members.length, 2);
});

Deno.test("a list is saved when it changes, and only then", () => {
  const server = inRing("B");
  server.learn("B", memberOf("B"));
  assertEquals(server.effectsOf("save"), []);
  server.learn("B", memberOf("C"));
  assertEquals(server.effectsOf("save").length, 1);
});

Deno.test("a server that leaves stands by it, whatever it reads of itself", () => {
  const server = inRing("B");
  server.answering.clear();
  server.step({ type: "leave" });
  server.learn("B", memberOf("A", { incarnation: 1, status: "dead" }));
  assertEquals(server.own?.status, "left");
  server.forget().learn("B", memberOf("A", { incarnation: 9, status: "alive" }));
  assertEquals(server.own?.status, "left");
  const told = server.sent("UPDATE").filter(({ circle }) => circle.creator === idOf("A"));
  assertEquals(told, []);
});

Deno.test("whatever a server reads, it is live, above it, and saved before it is told", () => {
  const news = fc.record({
    name: fc.constantFrom(...names),
    incarnation: fc.integer({ min: 1, max: 4 }),
    status: fc.constantFrom(...memberStatuses),
  });
  fc.assert(fc.property(fc.array(news, { maxLength: 20 }), (all) => {
    const server = inRing("B", "C");
    for (const { name, ...changes } of all) {
      server.learn("B", memberOf(name, changes));
      const { own } = server;
      assert(own !== undefined && (own.status === "alive" || own.status === "joining"));
      if (name === "A") assert(own.incarnation >= changes.incarnation);
    }
  }));
});

Deno.test("an UPDATE is merged, acknowledged, and passed on with what is known here", () => {
  const server = inRing("B", "C");
  server.hear(updateOf("C", ["C"], [memberOf("D")]));
  assertEquals(server.circle, "A B C D");
  assertEquals(server.sent("ACK"), [{ type: "ACK", from: idOf("A"), to: idOf("C"), hop: 5 }]);
  const passed = last(server.sent("UPDATE"));
  assertEquals(nameOf(passed.to), "B");
  assertEquals(path(passed.circle), "C:stored A:stored");
  assertEquals(passed.members.map(({ id }) => nameOf(id)), ["A", "B", "C", "D"]);
});

Deno.test("a repeated UPDATE is acknowledged and merged, and not passed on again", () => {
  const server = inRing("B", "C");
  server.hear(updateOf("C", ["C"], []));
  server.forget().hear(updateOf("C", ["C"], [memberOf("D")]));
  assertEquals(server.sent("ACK").length, 1);
  assertEquals(server.sent("UPDATE"), []);
  assertEquals(server.circle, "A B C D");
});

Deno.test("an UPDATE of this server's own ends when it is back", () => {
  const server = inRing("B", "C");
  server.hear(updateOf("A", ["A", "B", "C"], [memberOf("D")]));
  assertEquals(server.sent("UPDATE"), []);
  assertEquals(server.circle, "A B C D");
});

Deno.test("a member that is gone can be forgotten, and is not probed any more", () => {
  const server = inRing("B");
  server.learn("B", memberOf("C", { status: "dead" }));
  server.forget().step({ type: "forget", member: idOf("C") });
  assertEquals(server.member("C")?.status, "forgotten");
  assertEquals(last(server.sent("UPDATE")).members.at(-1)?.status, "forgotten");
  server.forget().advance(60_000);
  assertEquals(server.sent("CHECK", "C"), []);
});

Deno.test("a member that is live cannot be forgotten", () => {
  const server = inRing("B");
  server.step({ type: "forget", member: idOf("B") });
  assertEquals(server.circle, "A B");
});

Deno.test("a member that was forgotten and comes back is one of the ring again", () => {
  const server = inRing("B");
  server.learn("B", memberOf("A", { status: "forgotten" }));
  assertEquals(server.own, memberOf("A", { incarnation: 2, status: "joining" }));
});

Deno.test("who reads that a server elsewhere goes under its identity tells it since when it runs", () => {
  const server = inRing("B");
  const since = server.now.wall;
  const elsewhere = "10.9.9.9:4043";
  server.advance(60_000);
  const copy = memberOf("A", { incarnation: 2, status: "joining", address: elsewhere });
  server.forget().learn("B", copy);
  const [refuse] = server.sent("REFUSE");
  assertEquals([refuse?.status, refuse?.to, refuse?.since], [409, idOf("A"), since]);
  assertEquals(server.own, memberOf("A", { incarnation: 3, status: "alive" }));
});

Deno.test("of two servers with one identity the one that was started later stops", () => {
  const cases: readonly [number, string[]][] = [[-1, ["cloned"]], [1, []]];
  for (const [older, reasons] of cases) {
    const server = inRing("B");
    const since = server.now.wall + older;
    const told = { type: "REFUSE" as const, from: idOf("A"), to: idOf("A"), status: 409 as const };
    server.hear({ ...told, intended: idOf("A"), since, error: "The data directory is a copy" });
    assertEquals(server.effectsOf("stop").map(({ reason }) => reason), reasons);
  }
});

Deno.test("a server stops for nobody who has another identity, or does not say since when it runs", () => {
  for (const lie of [{ from: idOf("B"), since: 0 }, { from: idOf("A") }]) {
    const server = inRing("B");
    const told = { type: "REFUSE" as const, to: idOf("A"), status: 409 as const, ...lie };
    server.hear({ ...told, intended: idOf("A"), error: "The data directory is a copy" });
    assertEquals(server.effectsOf("stop"), []);
  }
});
