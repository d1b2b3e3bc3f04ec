import { assert, assertEquals } from "@std/assert";
import { collectRecordsMax } from "../../lib/ring/collector.ts";
import type { Survey } from "../../lib/ring/message.ts";
import { membersMax } from "../../lib/ring/member.ts";
import { inRingWithTombstones } from "./collector_harness.ts";
import { inRing, last, returning, Server } from "./harness.ts";
import { page, tell } from "./repair_harness.ts";
import { forward, write } from "./replication_harness.ts";
import {
  bodyOf,
  circleOf,
  idOf,
  memberOf,
  nameOf,
  path,
  putOf,
  recordOf,
  stampAt,
  tombstoneOf,
} from "./sample.ts";

const upTo = stampAt(1000, "C");

/** C's SURVEY comes; returns what A says. */
function survey(server: Server, surveys: readonly Survey[] = [], attempt = 0): readonly Survey[] {
  const circle = circleOf("C", { sequence: 77, attempt });
  forward(server, { type: "SURVEY", upTo, surveys }, { circle });
  const { errand } = last(server.sent("FORWARD"));
  assert(errand.type === "SURVEY");
  return errand.surveys;
}

/** C's COLLECT comes. */
function collect(server: Server, { list = server.list, attempt = 0 } = {}): void {
  const circle = circleOf("C", { sequence: 78, attempt });
  forward(server, { type: "COLLECT", upTo, list }, { circle });
}

Deno.test("a SURVEY is passed on with what this server has, and whether that is settled", () => {
  const server = inRing("B", "C");
  const own = { id: idOf("A"), list: server.list, files: server.disk.digest, isSettled: true };
  assertEquals(survey(server), [own]);
  const { to, circle } = last(server.sent("FORWARD"));
  assertEquals([nameOf(to), path(circle)], ["B", "C:passed A:passed"]);
});

Deno.test("a SURVEY that comes again has what this server says then, once", () => {
  const server = inRing("B", "C");
  const first = survey(server);
  server.held.add("write");
  forward(server, write(server, recordOf("a", "text")), { body: bodyOf("text") });
  const theirs = { id: idOf("D"), list: "", files: "", isSettled: true };
  const again = survey(server, [...first, theirs], 1);
  assertEquals(again.map(({ id, isSettled }) => [nameOf(id), isSettled]), [
    ["D", true],
    ["A", false],
  ]);
});

const unsettled: readonly { when: string; make: () => Server }[] = [
  { when: "is joining", make: () => returning(memberOf("B"), memberOf("C")) },
  {
    when: "has missed a write, and does not catch up yet",
    make: () => {
      const server = inRing("B", "C");
      server.disk.full = true;
      forward(server, write(server, recordOf("a", "text")), { body: bodyOf("text") });
      return server;
    },
  },
  {
    when: "waits for a WRITE that it has passed on to be acknowledged",
    make: () => {
      const server = inRing("B", "C");
      server.answering.delete("B");
      forward(server, write(server, recordOf("a", "text")), { body: bodyOf("text") });
      return server;
    },
  },
  {
    when: "has a write of its own going round",
    make: () => {
      const server = inRing("B", "C");
      server.ask(putOf("a", "text"));
      return server;
    },
  },
  {
    when: "looks for a file that may have been deleted since",
    make: () => {
      const server = inRing("B", "C");
      server.ask({ type: "GET", item: "a" });
      return server;
    },
  },
  {
    when: "stores another's write",
    make: () => {
      const server = inRing("B", "C");
      server.held.add("write");
      forward(server, write(server, recordOf("a", "text")), { body: bodyOf("text") });
      return server;
    },
  },
  {
    when: "fetches a body",
    make: () => {
      const server = inRing("B", "C");
      forward(server, write(server, recordOf("a", "text")));
      return server;
    },
  },
  {
    when: "pulls from another",
    make: () => {
      const server = inRing("B", "C");
      for (let n = 0; n < 2; n++) tell(server, "theirs");
      return server;
    },
  },
];

for (const { when, make } of unsettled) {
  Deno.test(`a server that ${when} says in a SURVEY that it is not settled`, () => {
    assertEquals(survey(make()).map(({ isSettled }) => isSettled), [false]);
  });
}

Deno.test("a server that has passed on another's FIND is settled: that brings nothing to its disk", () => {
  const server = inRing("B", "C");
  server.answering.delete("B");
  forward(server, { type: "FIND", item: "a" });
  assertEquals(survey(server).map(({ isSettled }) => isSettled), [true]);
});

Deno.test("whoever was surveyed makes no stamp up to that of the SURVEY, in its next life either", () => {
  const far = stampAt(2 ** 43, "F");
  const server = inRing("B", "C");
  forward(server, { type: "SURVEY", upTo: far, surveys: [] });
  server.ask(putOf("a", "text"));
  const { errand } = last(server.sent("FORWARD"));
  assert(errand.type === "WRITE" && errand.record.stamp > far);
  const stored = { incarnation: 1, members: [], highestStamp: ceilingOf(server) };
  const later = new Server({ stored }).start();
  const stamp = later.answerTo(later.ask(putOf("a", "text")))?.stamp ?? "";
  assert(stamp > far);
});

Deno.test("the ceiling above the stamp of a SURVEY is saved before the SURVEY is passed on", () => {
  const server = inRing("B", "C");
  const far = stampAt(2 ** 43, "F");
  forward(server, { type: "SURVEY", upTo: far, surveys: [] });
  const types = server.effects.map(({ type }) => type);
  assertEquals(types.filter((type) => type !== "wake"), ["save", "reply", "send"]);
  assert(ceilingOf(server) > far);
});

function ceilingOf(server: Server): string {
  return last(server.effectsOf("save")).stampCeiling;
}

Deno.test("a COLLECT drops what its stamp says, and is passed on when that is done", () => {
  const server = inRingWithTombstones(2, "B", "C");
  const newer = tombstoneOf("newer", stampAt(1001));
  const last1000 = tombstoneOf("last", upTo);
  server.disk.add(newer);
  server.disk.add(last1000);
  server.disk.add(recordOf("kept", "text", { stamp: stampAt(1) }));
  survey(server);
  server.forget().held.add("collect");
  collect(server);
  assertEquals(server.sent("FORWARD"), []);
  for (let times = 0; times < 2; times++) server.release("collect");
  assertEquals(server.disk.sorted.map(({ name }) => name), ["kept", "newer"]);
  assertEquals(path(last(server.sent("FORWARD")).circle), "C:passed A:stored");
});

Deno.test("a COLLECT drops more than fits in one transaction", () => {
  const server = inRingWithTombstones(collectRecordsMax + 1, "B", "C");
  survey(server);
  collect(server);
  assertEquals(server.disk.records.size, 0);
  assertEquals(server.effectsOf("collect").length, 3);
});

Deno.test("a server with another list drops nothing, and says so", () => {
  const server = inRingWithTombstones(2, "B", "C");
  collect(server, { list: "another" });
  assertEquals(server.effectsOf("collect"), []);
  assertEquals(path(last(server.sent("FORWARD")).circle), "C:passed A:failed");
});

Deno.test("a COLLECT that no SURVEY went before drops nothing, and takes no write for a past one", () => {
  const server = inRingWithTombstones(1, "B", "C");
  collect(server);
  assertEquals(path(last(server.sent("FORWARD")).circle), "C:passed A:failed");
  const record = recordOf("a", "text", { stamp: stampAt(999) });
  forward(server, write(server, record), { body: bodyOf("text") });
  assertEquals(server.disk.records.get("a"), record);
});

Deno.test("a SURVEY in which more have spoken than a list may hold goes no further", () => {
  const server = inRing("B", "C");
  const one = { id: idOf("D"), list: "", files: "", isSettled: true };
  const surveys = new Array<Survey>(membersMax).fill(one);
  forward(server, { type: "SURVEY", upTo, surveys });
  assertEquals(server.sent("FORWARD"), []);
});

Deno.test("a file that is being pulled when a COLLECT comes does not come back after it", () => {
  const server = inRingWithTombstones(1, "B", "C");
  const old = recordOf("file 0", "text", { stamp: stampAt(0) });
  server.disk.bodies.add(old.sha256);
  survey(server);
  for (let n = 0; n < 2; n++) tell(server, "theirs");
  collect(server);
  assertEquals(path(last(server.sent("FORWARD")).circle), "C:passed A:failed");
  // B had read this page before it stored the tombstone.
  page(server, "B", { records: [old] });
  assertEquals(server.disk.records.get("file 0"), tombstoneOf("file 0", stampAt(1)));
});

Deno.test("a server that is storing a write when a COLLECT comes drops nothing, and says so", () => {
  const server = inRingWithTombstones(1, "B", "C");
  server.held.add("write");
  forward(server, write(server, recordOf("a", "text")), { body: bodyOf("text") });
  collect(server);
  assertEquals(server.effectsOf("collect"), []);
  assertEquals(path(last(server.sent("FORWARD")).circle), "C:passed A:failed");
});

Deno.test("a write that was held up on its way until a COLLECT was over does not come back", () => {
  const server = inRingWithTombstones(1, "B", "C");
  survey(server);
  collect(server);
  assertEquals(server.disk.records.size, 0);
  server.forget();
  const old = recordOf("file 0", "text", { stamp: stampAt(0) });
  forward(server, write(server, old), { body: bodyOf("text") });
  // It is acknowledged, or it would be sent again; and nobody else is given it.
  assertEquals(server.effects.map(({ type }) => type), ["reply"]);
  assertEquals(server.sent("ACK").length, 1);
});

Deno.test("a write that is newer than what a COLLECT has dropped is taken", () => {
  const server = inRingWithTombstones(1, "B", "C");
  survey(server);
  collect(server);
  const newer = recordOf("file 0", "text", { stamp: stampAt(1001) });
  forward(server, write(server, newer), { body: bodyOf("text") });
  assertEquals(server.disk.records.get("file 0"), newer);
});

Deno.test("a server that has refused a COLLECT takes older writes: its tombstones are still here", () => {
  const server = inRingWithTombstones(1, "B", "C");
  collect(server, { list: "another" });
  const older = recordOf("a", "text", { stamp: stampAt(999) });
  forward(server, write(server, older), { body: bodyOf("text") });
  assertEquals(server.disk.records.get("a"), older);
});

Deno.test("a COLLECT that was refused once is taken when the lists agree again", () => {
  const server = inRingWithTombstones(2, "B", "C");
  survey(server);
  collect(server, { list: "another" });
  collect(server, { attempt: 1 });
  assertEquals(server.disk.records.size, 0);
  assertEquals(path(last(server.sent("FORWARD")).circle), "C:passed A:stored");
});

Deno.test("what was dropped shows in the digest that is told from then on", () => {
  const server = inRingWithTombstones(2, "B", "C");
  survey(server);
  collect(server);
  server.forget().advance(1000);
  assertEquals(last(server.sent("CHECK")).files, server.disk.digest);
});

Deno.test("a COLLECT says nothing of another circle's deed", () => {
  const server = inRing("B", "C");
  forward(server, write(server, recordOf("a", "text")), { body: bodyOf("text") });
  collect(server, { list: "another" });
  assertEquals(path(last(server.sent("FORWARD")).circle), "C:passed A:failed");
});
