import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { InvariantError } from "../../lib/ring/assert.ts";
import { checkIntervalDefaultMs } from "../../lib/ring/checks.ts";
import { memberStatuses } from "../../lib/ring/member.ts";
import type { MemberMessage } from "../../lib/ring/message.ts";
import { stampZero } from "../../lib/ring/stamp.ts";
import { noDigests } from "./disk.ts";
import { envelope, inRing, last, type Server } from "./harness.ts";
import {
  addressOf,
  circleOf,
  idOf,
  memberOf,
  type Name,
  nameOf,
  names,
  putOf,
  recordOf,
  stampAt,
} from "./sample.ts";

/** Every message but INSERT, which has no `to`. */
type Addressed = Exclude<MemberMessage, { type: "INSERT" }>;

/** One message of each type, from one server to another. */
function messages(from: Name, to: Name): readonly Addressed[] {
  const envelope = { from: idOf(from), to: idOf(to) };
  const circle = circleOf("F");
  const errand = { type: "FIND", item: "a" } as const;
  return [
    { type: "INSERTED", ...envelope, stamp: stampZero, members: [] },
    { type: "CHECK", ...envelope, sequence: 1, list: "", files: "", wall: 0 },
    {
      type: "CHECKED",
      ...envelope,
      sequence: 1,
      list: "",
      files: "",
      wall: 0,
      members: [memberOf("E")],
    },
    { type: "ASK", ...envelope, suspect: idOf("B") },
    { type: "VOUCH", ...envelope, suspect: idOf("B") },
    { type: "UPDATE", ...envelope, hop: 1, circle, stamp: stampZero, members: [memberOf("E")] },
    { type: "FORWARD", ...envelope, hop: 1, circle, errand },
    { type: "ACK", ...envelope, hop: 1 },
    { type: "REPORT", ...envelope, circle, deed: "stored" },
    {
      type: "COMPARE",
      ...envelope,
      sequence: 1,
      member: memberOf(from),
      digests: noDigests,
      after: "",
    },
    { type: "PAGE", ...envelope, sequence: 1, records: [recordOf("a", "text")] },
    { type: "MISSED", ...envelope },
  ];
}

for (const message of messages("F", "A")) {
  if (message.type === "UPDATE" || message.type === "INSERTED") continue;
  Deno.test(`a stranger's ${message.type} is refused with 403, and changes nothing`, () => {
    const server = inRing("B");
    server.hear(message);
    assertEquals(server.sent("REFUSE"), [{
      type: "REFUSE",
      from: idOf("A"),
      to: idOf("F"),
      status: 403,
      intended: idOf("A"),
      error: "The sender is not in the list",
    }]);
    assertEquals(server.effects.map(({ type }) => type), ["reply"]);
    assertEquals(server.circle, "A B");
  });
}

for (const message of [...messages("B", "D"), ...messages("F", "D")]) {
  const who = message.from === idOf("B") ? "a member" : "a stranger";
  Deno.test(`a ${message.type} of ${who} to another server is refused with 421`, () => {
    const server = inRing("B");
    server.hear(message);
    assertEquals(server.sent("REFUSE"), [{
      type: "REFUSE",
      from: idOf("A"),
      to: message.from,
      status: 421,
      intended: idOf("D"),
      error: "This is another server",
    }]);
    assertEquals(server.effects.map(({ type }) => type), ["reply"]);
  });
}

Deno.test("a REFUSE is never answered by a REFUSE", () => {
  for (const from of ["B", "F"] as const) {
    for (const to of ["A", "D"] as const) {
      for (const status of [403, 421] as const) {
        const server = inRing("B", "C");
        const intended = idOf("C");
        const about = { status, intended, error: "no" };
        server.hear({ type: "REFUSE", from: idOf(from), to: idOf(to), ...about });
        assertEquals(server.sent("REFUSE"), []);
      }
    }
  }
});

Deno.test("an UPDATE that names this server introduces a stranger", () => {
  const server = inRing("B");
  server.learn("F", memberOf("F"));
  assertEquals(server.circle, "A B F");
  server.forget().hear({
    type: "CHECK",
    ...envelope("F"),
    sequence: 1,
    list: "",
    files: "",
    wall: 0,
  });
  assertEquals(server.sent("REFUSE"), []);
  assertEquals(server.sent("CHECKED").length, 1);
});

Deno.test("a server that takes us for a stranger is told who is in the ring, once a second", () => {
  const server = inRing("B", "C");
  const about = {
    status: 403,
    intended: idOf("B"),
    error: "The sender is not in the list",
  } as const;
  const refuse = { type: "REFUSE", ...envelope("B"), ...about } as const;
  server.hear(refuse);
  server.hear(refuse);
  assertEquals(server.receivers("UPDATE"), "B");
  const told = last(server.sent("UPDATE")).members;
  assertEquals(told.map(({ id }) => nameOf(id)), ["A", "B", "C"]);
  server.advance(checkIntervalDefaultMs);
  server.forget().hear(refuse);
  assertEquals(server.receivers("UPDATE"), "B");
});

Deno.test("a stranger that takes us for a stranger is told nothing", () => {
  const server = inRing("B");
  const about = {
    status: 403,
    intended: idOf("F"),
    error: "The sender is not in the list",
  } as const;
  server.hear({ type: "REFUSE", ...envelope("F"), ...about });
  assertEquals(server.effects, []);
});

Deno.test("the circle is shown when it changes, from this server on, and only then", () => {
  const server = inRing("C");
  server.learn("C", memberOf("B"));
  const [shown] = server.effectsOf("circle");
  assertEquals(shown?.members.map(({ id }) => nameOf(id)), ["A", "B", "C"]);
  server.forget().learn("C", memberOf("B", { status: "suspect" }));
  server.learn("C", memberOf("D", { status: "dead" }));
  assertEquals(server.effectsOf("circle"), []);
  server.learn("C", memberOf("B", { incarnation: 2, address: addressOf("F") }));
  assertEquals(server.effectsOf("circle").length, 1);
});

Deno.test("a hop that waits for a member finds another way in the step that says it is dead", () => {
  const server = inRing("B", "C");
  server.answering.delete("B");
  server.ask(putOf("a", "text"));
  server.learn("C", memberOf("B", { status: "dead" }));
  assertEquals(server.receivers("FORWARD"), "B C");
});

Deno.test("members are all that are known, dead ones too; circle is the live ones", () => {
  const server = inRing("B", "C");
  server.learn("C", memberOf("B", { status: "dead" }));
  assertEquals(server.node.members.map(({ id }) => nameOf(id)), ["A", "B", "C"]);
  assertEquals(server.node.circle.map(({ id }) => nameOf(id)), ["A", "C"]);
});

Deno.test("being woken too early or too often is harmless", () => {
  const server = inRing("B", "C");
  const request = server.ask(putOf("a", "text"));
  server.forget();
  for (let n = 0; n < 20; n++) server.step({ type: "wake" });
  assertEquals(server.effects.every(({ type }) => type === "wake"), true);
  assertEquals(server.answerTo(request), undefined);
});

Deno.test("a wake is asked for only in the future", () => {
  const server = inRing("B", "C");
  server.answering.clear();
  server.ask(putOf("a", "text"));
  for (let n = 0; n < 200; n++) {
    server.forget().advance(100);
    const before = server.now.monotonic - 100;
    for (const { at } of server.effectsOf("wake")) assert(at > before);
  }
});

Deno.test("an answer to an effect that nobody waits for is a bug", () => {
  const server = inRing();
  assertThrows(() => server.step({ type: "looked", token: 999 }), InvariantError, "no effect 999");
});

type Act = (server: Server) => void;

/** Anything that may happen to a server. */
function arbitraryAct(): fc.Arbitrary<Act> {
  const name = fc.constantFrom(...names);
  const other = fc.constantFrom<Name>("B", "C", "D", "E", "F");
  const member = fc.record({
    incarnation: fc.integer({ min: 1, max: 4 }),
    status: fc.constantFrom(...memberStatuses),
  });
  const text = fc.constantFrom("x", "y");
  const item = fc.constantFrom("a", "b");
  return fc.oneof(
    fc.tuple(other, name, member).map(([from, who, changes]): Act => (server) =>
      server.learn(from, memberOf(who, changes))
    ),
    fc.tuple(other, fc.nat(11)).map(([from, at]): Act => (server) => {
      const message = messages(from, "A")[at];
      if (message !== undefined) server.hear(message);
    }),
    fc.constantFrom<Act>(
      (server) => server.collect(),
      (server) => server.pause(4000),
      (server) => server.disk.full = !server.disk.full,
    ),
    fc.tuple(item, fc.constantFrom("record" as const, "body" as const)).map(
      ([item, part]): Act => (server) => {
        server.disk.lose(item, part);
        server.damaged(item);
      },
    ),
    fc.tuple(other, fc.nat(9), fc.boolean()).map(([from, at, isSurvey]): Act => (server) => {
      const upTo = stampAt(at, from);
      const errand = isSurvey
        ? { type: "SURVEY", upTo, surveys: [] } as const
        : { type: "COLLECT", upTo, list: server.list } as const;
      const circle = circleOf(from, { sequence: 100 + at });
      server.hear({ type: "FORWARD", ...envelope(from), hop: at, circle, errand });
    }),
    fc.tuple(item, text).map(([item, text]): Act => (server) => {
      server.ask(putOf(item, text));
    }),
    item.map((item): Act => (server) => {
      server.ask({ type: "GET", item });
    }),
    item.map((item): Act => (server) => {
      server.ask({ type: "DELETE", item });
    }),
    fc.tuple(other, fc.constantFrom("refused" as const, "closed" as const)).map(
      ([who, reason]): Act => (server) => server.unreachable(who, reason),
    ),
    fc.integer({ min: 0, max: 3000 }).map((ms): Act => (server) => server.advance(ms)),
    other.map((who): Act => (server) => {
      if (!server.answering.delete(who)) server.answering.add(who);
    }),
    fc.tuple(other, item, text, fc.nat(9)).map(([from, item, text, at]): Act => (server) => {
      const record = recordOf(item, text, { stamp: stampAt(at, from) });
      const errand = { type: "WRITE", record, holder: idOf(from), list: "" } as const;
      const circle = circleOf(from, { sequence: at });
      server.hear({ type: "FORWARD", ...envelope(from), hop: at, circle, errand });
    }),
  );
}

Deno.test("the same inputs at the same times give the same effects", () => {
  fc.assert(fc.property(fc.array(arbitraryAct(), { maxLength: 30 }), (acts) => {
    const [one, other] = [inRing("B", "C"), inRing("B", "C")];
    for (const act of acts) {
      act(one);
      act(other);
    }
    assertEquals(one.effects, other.effects);
  }));
});

Deno.test("what a step has returned never changes later", () => {
  fc.assert(fc.property(fc.array(arbitraryAct(), { maxLength: 30 }), (acts) => {
    const server = inRing("B", "C");
    const texts: string[] = [];
    for (const act of acts) {
      act(server);
      for (const effect of server.effects.slice(texts.length)) texts.push(JSON.stringify(effect));
    }
    assertEquals(server.effects.map((effect) => JSON.stringify(effect)), texts);
  }));
});

Deno.test("whatever happens, every request is answered at most once, and in time", () => {
  fc.assert(fc.property(fc.array(arbitraryAct(), { maxLength: 20 }), (acts) => {
    const server = inRing("B", "C");
    for (const act of acts) act(server);
    const request = server.ask(putOf("last", "text"));
    for (let seconds = 0; seconds < 11; seconds++) {
      for (const fetch of server.jobs("fetch")) server.fetched(fetch, false);
      server.advance(1000);
    }
    assert(server.answerTo(request) !== undefined);
  }));
});
