import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { insertRetryMs, insertTimeoutMs, leaveTimeoutMs } from "../../lib/ring/entrance.ts";
import { type Member, membersMax } from "../../lib/ring/member.ts";
import { positionDigitsMax } from "../../lib/ring/position.ts";
import { stampMillis, stampZero } from "../../lib/ring/stamp.ts";
import { envelope, inRing, last, Server } from "./harness.ts";
import {
  addressOf,
  circleOf,
  idOf,
  idOfNumber,
  insertOf,
  memberOf,
  nameOf,
  putOf,
  recordOf,
  stampAt,
} from "./sample.ts";

const previous = addressOf("B");

/** A as a newcomer that asks B. */
function newcomer(): Server {
  return new Server({ previous }).start();
}

function refusalOf(server: Server): string {
  return last(server.sent("REFUSE")).error;
}

Deno.test("the first server of a ring is alive at once, alone, in the first position", () => {
  const server = new Server().start();
  assertEquals(server.own, memberOf("A"));
  assertEquals(server.circle, "A");
  assertEquals(server.effects[0]?.type, "save");
  assertEquals(server.sent("INSERT"), []);
});

Deno.test("a newcomer asks its previous server to insert it, its incarnation saved before", () => {
  const server = newcomer();
  assertEquals(server.effects.map(({ type }) => type), ["save", "send", "wake"]);
  assertEquals(server.sent("INSERT"), [insertOf("A")]);
  assertEquals(server.effectsOf("send")[0]?.address, previous);
});

Deno.test("a newcomer asks again every 500 ms while nobody answers", () => {
  const server = newcomer();
  server.advance(insertRetryMs - 1);
  assertEquals(server.sent("INSERT").length, 1);
  server.advance(1);
  assertEquals(server.sent("INSERT").length, 2);
  server.advance(3 * insertRetryMs);
  assertEquals(server.sent("INSERT").length, 5);
});

Deno.test("a newcomer says once that it is trying", () => {
  const server = newcomer();
  assertEquals(server.effectsOf("note"), []);
  server.advance(5000);
  const texts = server.effectsOf("note").map(({ text }) => text);
  assertEquals(texts, [`No answer from ${previous} yet; trying for 10 s`]);
});

Deno.test("a newcomer gives up after 10 s, with one sentence", () => {
  const server = newcomer();
  server.advance(insertTimeoutMs - 1);
  assertEquals(server.effectsOf("stop"), []);
  server.advance(1);
  const text = `No server answered at ${previous} for 10 s`;
  assertEquals(server.effectsOf("stop"), [{ type: "stop", reason: "noPrevious", text }]);
  server.forget().advance(60_000);
  assertEquals(server.effects, []);
});

Deno.test("a newcomer takes the place that it is given, as joining, and asks no more", () => {
  const server = newcomer();
  const members = [memberOf("B"), memberOf("A", { status: "joining", position: "77" })];
  server.answering.add("B");
  server.forget().hear({ type: "INSERTED", ...envelope("B"), stamp: stampZero, members });
  assertEquals(server.own, memberOf("A", { status: "joining", position: "77" }));
  assertEquals(server.circle, "A B");
  assertEquals(server.sent("COMPARE", "B").length, 1);
  server.advance(insertTimeoutMs);
  assertEquals(server.sent("INSERT"), []);
});

Deno.test("a newcomer makes its stamps above the one that comes with its place, later lives too", () => {
  const server = newcomer();
  const far = stampAt(2 ** 43, "F");
  const members = [memberOf("B", { status: "dead" }), memberOf("A", { status: "joining" })];
  server.hear({ type: "INSERTED", ...envelope("B"), stamp: far, members });
  assert(last(server.effectsOf("save")).stampCeiling > far);
  const { stamp = "" } = server.answerTo(server.ask(putOf("a", "text"))) ?? {};
  assert(stamp > far, `${stamp} is not above ${far}`);
});

Deno.test("a newcomer that takes its place from an UPDATE makes its stamps above that one's as well", () => {
  const server = newcomer();
  const far = stampAt(2 ** 43, "F");
  const members = [memberOf("B", { status: "dead" }), memberOf("A", { status: "joining" })];
  const circle = circleOf("B");
  server.hear({ type: "UPDATE", ...envelope("B"), hop: 1, circle, stamp: far, members });
  assert(last(server.effectsOf("save")).stampCeiling > far);
  const { stamp = "" } = server.answerTo(server.ask(putOf("a", "text"))) ?? {};
  assert(stamp > far, `${stamp} is not above ${far}`);
});

Deno.test("an UPDATE goes on with a stamp above which a newcomer can make its own", () => {
  const far = stampAt(2 ** 43, "F");
  const server = inRing("B", "C");
  const record = recordOf("a", "text", { stamp: far });
  const errand = { type: "WRITE", record, holder: idOf("B"), list: server.list } as const;
  server.hear({ type: "FORWARD", ...envelope("B"), hop: 1, circle: circleOf("B"), errand });
  server.hear(insertOf("D"));
  for (const { stamp } of server.sent("UPDATE")) assertEquals(stampMillis(stamp), 2 ** 43);
  assert(server.sent("UPDATE").length > 0, "the ring is not told");
});

Deno.test("a newcomer goes on asking when the answer has no place for it", () => {
  const server = newcomer();
  server.hear({ type: "INSERTED", ...envelope("B"), stamp: stampZero, members: [memberOf("B")] });
  assertEquals(server.circle, "");
  server.forget().advance(insertRetryMs);
  assertEquals(server.sent("INSERT").length, 1);
});

Deno.test("a newcomer takes its place from an UPDATE, if the answer does not come", () => {
  const server = newcomer();
  const place = memberOf("A", { status: "joining", position: "77" });
  server.answering.add("C");
  server.forget().learn("C", memberOf("B"), memberOf("C"), place);
  assertEquals(server.own, place);
  assertEquals(server.circle, "A B C");
  assertEquals(server.effectsOf("reply").map(({ message }) => message.type), ["ACK"]);
  assertEquals(server.receivers("COMPARE"), "C");
  // The answer changes nothing any more.
  server.forget().hear({
    type: "INSERTED",
    ...envelope("B"),
    stamp: stampZero,
    members: [memberOf("B"), place],
  });
  assertEquals([server.own, server.sent("COMPARE").length], [place, 0]);
});

Deno.test("a newcomer that is refused stops, with the reason", () => {
  const server = newcomer();
  const error = "The ring has no room";
  server.hear({ type: "REFUSE", ...envelope("B"), status: 403, intended: "", error });
  assertEquals(server.effectsOf("stop"), [{ type: "stop", reason: "noPrevious", text: error }]);
});

Deno.test("a newcomer takes no list, and acknowledges none, before it has a place", () => {
  const server = new Server({ previous: addressOf("B") }).start().forget();
  server.learn("C", memberOf("C"), memberOf("D"));
  assertEquals(server.node.members, []);
  assertEquals(server.effects, []);
});

Deno.test("a member that is in the ring does not stop when somebody refuses an INSERT", () => {
  const server = inRing("B");
  server.hear({ type: "REFUSE", ...envelope("B"), status: 403, intended: "", error: "no" });
  assertEquals(server.effectsOf("stop"), []);
});

Deno.test("an INSERT is answered with a stamp that is not below any that the receiver has seen", () => {
  const server = inRing("B");
  const far = stampAt(2 ** 43, "B");
  const errand = {
    type: "WRITE",
    record: recordOf("a", "text", { stamp: far }),
    holder: idOf("B"),
    list: server.list,
  } as const;
  server.hear({ type: "FORWARD", ...envelope("B"), hop: 1, circle: circleOf("B"), errand });
  server.hear(insertOf("D"));
  assertEquals(stampMillis(last(server.sent("INSERTED")).stamp), 2 ** 43);
});

Deno.test("an INSERT puts the newcomer right after the receiver, joining, and tells the ring", () => {
  const server = inRing("B", "C");
  server.hear(insertOf("D"));
  assertEquals(server.circle, "A D B C");
  const inserted = last(server.sent("INSERTED"));
  assertEquals(inserted.to, idOf("D"));
  assertEquals(inserted.members.map(({ id }) => nameOf(id)), ["A", "D", "B", "C"]);
  const told = inserted.members.find(({ id }) => id === idOf("D"));
  assertEquals(told, memberOf("D", { status: "joining", position: told?.position ?? "" }));
  assertEquals(server.sent("UPDATE", "D").length, 1);
});

Deno.test("4044 and then 4045 inserted after 4043 make 4043 -> 4045 -> 4044 -> (4043)", () => {
  const server = inRing();
  server.hear(insertOf("B", { address: "127.0.1.1:4044" }));
  server.hear(insertOf("C", { address: "127.0.1.1:4045" }));
  assertEquals(server.circle, "A C B");
  const circle = last(server.effectsOf("circle")).members.map(({ address }) => address);
  assertEquals(circle, [addressOf("A"), "127.0.1.1:4045", "127.0.1.1:4044"]);
});

Deno.test("an INSERT at the last of the circle is put before the first", () => {
  const server = inRing("B", "C");
  server.learn("B", memberOf("A", { incarnation: 1 }));
  const other = new Server({
    stored: {
      incarnation: 1,
      members: [memberOf("A", { position: "ff" })],
      highestStamp: stampZero,
    },
  }).start();
  other.learn("B", memberOf("B"), memberOf("C"));
  other.hear(insertOf("D"));
  assertEquals(other.circle, "A D B C");
  assert((other.member("D")?.position ?? "") > "ff");
});

Deno.test("an INSERT keeps clear of dead members' positions", () => {
  const server = inRing("B", "C");
  server.learn("C", memberOf("B", { status: "dead" }));
  server.hear(insertOf("D"));
  const position = server.member("D")?.position ?? "";
  assert(position > "00" && position < "20", position);
});

Deno.test("an INSERT after one of two equal positions is put after both", () => {
  const server = inRing("B", "C");
  const twin = memberOf("B", { incarnation: 2, position: "00" });
  server.learn("B", twin);
  server.hear(insertOf("D"));
  assertEquals(server.circle, "A B D C");
});

Deno.test("an INSERT that is repeated is answered with the same place, and not told again", () => {
  const server = inRing("B");
  server.answering.add("D");
  server.hear(insertOf("D"));
  const place = server.member("D");
  server.forget().hear(insertOf("D"));
  assertEquals(server.member("D"), place);
  assertEquals(last(server.sent("INSERTED")).members.length, 3);
  assertEquals(server.sent("UPDATE"), []);
  assertEquals(server.effectsOf("save"), []);
});

Deno.test("an INSERT of a higher incarnation keeps the position, and takes the new address", () => {
  const server = inRing("B", "C");
  server.learn("B", memberOf("C", { status: "dead" }));
  const address = "10.0.0.9:1";
  server.hear(insertOf("C", { incarnation: 2, address, position: "40" }));
  assertEquals(server.member("C"), memberOf("C", { incarnation: 2, status: "joining", address }));
  const forgetful = insertOf("B", { incarnation: 2 });
  server.hear(forgetful);
  assertEquals(server.member("B")?.position, memberOf("B").position);
});

Deno.test("an INSERT of oneself is refused", () => {
  const server = inRing("B");
  server.hear(insertOf("A", { incarnation: 2 }));
  assertStringIncludes(refusalOf(server), "A server cannot be inserted after itself");
  assertEquals(server.own, memberOf("A"));
});

Deno.test("a newcomer that asks itself stops, with the reason", () => {
  const server = new Server({ previous: addressOf("A") }).start();
  server.hear(last(server.sent("INSERT")));
  server.hear(last(server.sent("REFUSE")));
  assertEquals(server.effectsOf("stop").map(({ text }) => text), [
    `A server cannot be inserted after itself: ${addressOf("A")} is this server`,
  ]);
});

Deno.test("an INSERT is not answered by a server that is not in the ring itself", () => {
  const server = newcomer();
  server.forget().hear(insertOf("D"));
  assertEquals(server.effects, []);
});

Deno.test("an INSERT into a full list is refused", () => {
  const server = inRing();
  const others = Array.from({ length: membersMax - 2 }, (_, n): Member => {
    return memberOf("B", { id: idOfNumber(n), position: "40", status: "dead" });
  });
  server.learn("B", memberOf("B"), ...others);
  server.hear(insertOf("D"));
  assertStringIncludes(refusalOf(server), `${membersMax} members, and no room for more`);
  assertEquals(server.sent("INSERTED"), []);
});

Deno.test("an INSERT into a gap without room is refused", () => {
  const server = inRing();
  const position = "0".repeat(positionDigitsMax - 2) + "01";
  server.learn("B", memberOf("B", { position }));
  server.hear(insertOf("D"));
  assertStringIncludes(refusalOf(server), "no place left");
  assertEquals(server.circle, "A B");
});

Deno.test("a server that leaves alone stops at once", () => {
  const server = inRing();
  server.step({ type: "leave" });
  assertEquals(server.effectsOf("stop").map(({ reason }) => reason), ["left"]);
  assertEquals(server.own?.status, "left");
});

Deno.test("a server that leaves saves it, tells the ring, and stops when that is acknowledged", () => {
  const server = inRing("B", "C");
  server.answering.clear();
  server.step({ type: "leave" });
  assertEquals(server.effects[0]?.type, "save");
  assertEquals(server.effectsOf("stop"), []);
  for (const { to, hop, members } of server.sent("UPDATE")) {
    assertEquals(members.find(({ id }) => id === idOf("A"))?.status, "left");
    const name = nameOf(to);
    assert(name !== undefined);
    server.hear({ type: "ACK", ...envelope(name), hop });
  }
  assertEquals(server.receivers("UPDATE"), "B C");
  assertEquals(server.effectsOf("stop").map(({ reason }) => reason), ["left"]);
});

Deno.test("a server that leaves tells two members, as one may just have died", () => {
  const server = inRing("B", "C", "D");
  server.step({ type: "leave" });
  assertEquals(server.receivers("UPDATE"), "B C");
});

Deno.test("a server that leaves stops after 2 s at the latest", () => {
  const server = inRing("B", "C", "D", "E", "F");
  server.answering.clear();
  server.step({ type: "leave" });
  server.advance(leaveTimeoutMs - 1);
  assertEquals(server.effectsOf("stop"), []);
  server.advance(1);
  assertEquals(server.effectsOf("stop").map(({ reason }) => reason), ["left"]);
});

Deno.test("a server that is asked to leave twice leaves once", () => {
  const server = inRing("B");
  server.step({ type: "leave" });
  server.step({ type: "leave" });
  server.advance(leaveTimeoutMs);
  assertEquals(server.effectsOf("stop").length, 1);
});

Deno.test("a server that leaves inserts nobody any more", () => {
  const server = inRing("B");
  server.answering.clear();
  server.step({ type: "leave" });
  server.forget().hear(insertOf("D"));
  assertEquals(server.sent("INSERTED"), []);
});
