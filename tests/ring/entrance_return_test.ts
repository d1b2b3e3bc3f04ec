import { assertEquals } from "@std/assert";
import { insertRetryMs, insertTimeoutMs } from "../../lib/ring/entrance.ts";
import { stampZero } from "../../lib/ring/stamp.ts";
import { envelope, last, returning, Server } from "./harness.ts";
import { addressOf, idOf, insertOf, memberOf } from "./sample.ts";

const previous = addressOf("B");

Deno.test("a server that returns keeps id and position, raises its incarnation, and is joining", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  assertEquals(server.own, memberOf("A", { incarnation: 2, status: "joining" }));
  assertEquals(server.circle, "A B C");
  assertEquals(server.sent("INSERT"), []);
  const told = last(server.sent("UPDATE", "B")).members;
  assertEquals(told.find(({ id }) => id === idOf("A")), server.own);
});

Deno.test("a server that returns tells its new address", () => {
  const members = [memberOf("A", { address: "10.0.0.1:1" }), memberOf("B")];
  const stored = { incarnation: 1, members, highestStamp: stampZero };
  const server = new Server({ stored }).start();
  assertEquals(server.own, memberOf("A", { incarnation: 2, status: "joining" }));
});

Deno.test("a server that returns and was told a previous server asks it too, with its position", () => {
  const members = [memberOf("A"), memberOf("C", { status: "dead" })];
  const stored = { incarnation: 1, members, highestStamp: stampZero };
  const server = new Server({ stored, previous }).start();
  assertEquals(server.sent("INSERT"), [insertOf("A", { incarnation: 2, position: "00" })]);
});

/** A returns, remembers C, and was told to ask B. */
function returningAfter(): Server {
  const members = [memberOf("A"), memberOf("C", { status: "dead" })];
  const stored = { incarnation: 1, members, highestStamp: stampZero };
  return new Server({ stored, previous }).start().forget();
}

Deno.test("a server that returns asks the previous server until that answers", () => {
  const server = returningAfter();
  server.advance(3 * insertRetryMs);
  assertEquals(server.sent("INSERT").length, 3);
  server.forget().hear({
    type: "INSERTED",
    ...envelope("C"),
    stamp: stampZero,
    members: [memberOf("C")],
  });
  server.advance(insertTimeoutMs);
  assertEquals(server.sent("INSERT"), []);
  assertEquals(server.effectsOf("note").filter(({ text }) => text.includes("No server")), []);
});

Deno.test("a server that returns goes on when the previous server does not answer, and says so", () => {
  const server = returningAfter();
  server.advance(insertTimeoutMs);
  assertEquals(server.effectsOf("note").at(-1)?.text, `No server answered at ${previous} for 10 s`);
  server.forget().advance(insertTimeoutMs);
  assertEquals(server.sent("INSERT"), []);
  assertEquals(server.effectsOf("stop"), []);
  const failed = returningAfter();
  const error = "The ring has no room";
  failed.hear({ type: "REFUSE", ...envelope("C"), status: 403, intended: "", error });
  failed.advance(insertTimeoutMs);
  assertEquals([failed.sent("INSERT"), failed.effectsOf("stop")], [[], []]);
  assertEquals(failed.effectsOf("note").some(({ text }) => text === error), true);
});

Deno.test("a server that returns as the only one is alive at once", () => {
  for (const others of [[], [memberOf("B", { status: "left" })]]) {
    const server = returning(...others);
    assertEquals(server.own, memberOf("A", { incarnation: 2, status: "alive" }));
  }
});

Deno.test("a server that returns takes part at once: it inserts others", () => {
  const server = returning(memberOf("B"));
  server.hear(insertOf("D"));
  assertEquals(server.circle, "A D B");
});

Deno.test("a server that was alone and is now told a previous server joins that one's ring", () => {
  const stored = { incarnation: 3, members: [memberOf("A")], highestStamp: stampZero };
  const server = new Server({ stored, previous }).start();
  assertEquals(server.sent("INSERT"), [insertOf("A", { incarnation: 4 })]);
  assertEquals(server.circle, "");
});
