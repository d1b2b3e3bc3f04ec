import { assert, assertEquals } from "@std/assert";
import {
  collectRecordsMax,
  collectTimeoutMs,
  surveyPauseMs,
  surveysMax,
} from "../../lib/ring/collector.ts";
import type { Survey } from "../../lib/ring/message.ts";
import { stampMillis } from "../../lib/ring/stamp.ts";
import { collected, inRingWithTombstones, surveyed, surveyOf } from "./collector_harness.ts";
import { envelope, inRing, last, returning, Server } from "./harness.ts";
import { forward, write } from "./replication_harness.ts";
import {
  addressOf,
  bodyOf,
  memberOf,
  putOf,
  recordOf,
  stampAt,
  tombstoneOf,
  visitsOf,
} from "./sample.ts";

const differ = "The servers do not all have the same files now, or are writing; try again later";

Deno.test("a server that is alone drops its tombstones at once, and keeps its files", () => {
  const server = inRingWithTombstones(3);
  server.disk.add(recordOf("kept", "text"));
  const request = server.collect();
  assertEquals(server.collectAnswerTo(request), { type: "GC", status: 200, dropped: 3 });
  assertEquals(server.disk.sorted.map(({ name }) => name), ["kept"]);
  assertEquals(server.sent("FORWARD"), []);
});

Deno.test("a server drops many tombstones in several transactions", () => {
  const count = 2 * collectRecordsMax + 1;
  const server = inRingWithTombstones(count);
  assertEquals(server.collectAnswerTo(server.collect())?.dropped, count);
  const limits = server.effectsOf("collect").map(({ limit }) => limit);
  assertEquals(limits, Array.from({ length: 4 }, () => collectRecordsMax));
});

Deno.test("a server that is not in the ring yet drops nothing", () => {
  const server = new Server({ previous: addressOf("B") }).start();
  const error = "This server is not in the ring yet";
  assertEquals(server.collectAnswerTo(server.collect()), { type: "GC", status: 503, error });
});

Deno.test("tombstones are dropped by one request at a time", () => {
  const server = inRing("B");
  const first = server.collect();
  const error = "Tombstones are being dropped already";
  assertEquals(server.collectAnswerTo(server.collect()), { type: "GC", status: 503, error });
  surveyed(server, surveyOf(server, "B"));
  collected(server, { B: "stored" });
  assertEquals(server.collectAnswerTo(first)?.status, 200);
});

Deno.test("tombstones can be dropped again, however it ended the last time", () => {
  const server = inRing("B");
  const failed = server.collect();
  server.advance(collectTimeoutMs);
  assertEquals(server.collectAnswerTo(failed)?.status, 503);
  for (let times = 0; times < 2; times++) {
    const request = server.collect();
    surveyed(server, surveyOf(server, "B"));
    collected(server, { B: "stored" });
    assertEquals(server.collectAnswerTo(request)?.status, 200);
  }
});

Deno.test("while a member is suspect nothing is dropped, and nobody is told to forget it", () => {
  const server = inRingWithTombstones(1, "B", "C");
  server.learn("B", memberOf("C", { status: "suspect" }));
  const error = `${addressOf("C")} does not answer now; try again`;
  assertEquals(server.collectAnswerTo(server.collect()), { type: "GC", status: 409, error });
  assertEquals([server.disk.records.size, server.sent("FORWARD")], [1, []]);
});

for (const status of ["dead", "left"] as const) {
  Deno.test(`while a member is ${status} nothing is dropped, and the answer says which it is`, () => {
    const server = inRingWithTombstones(1, "B", "C");
    server.learn("B", memberOf("C", { status }));
    const answer = server.collectAnswerTo(server.collect());
    assertEquals(answer?.status, 409);
    assert(answer?.error?.startsWith(`${addressOf("C")} is ${status}, and could bring`));
    assertEquals([server.disk.records.size, server.sent("FORWARD")], [1, []]);
  });
}

Deno.test("a member that was forgotten does not keep tombstones from being dropped", () => {
  const server = inRing("B", "C");
  server.learn("B", memberOf("C", { status: "forgotten" }));
  const request = server.collect();
  surveyed(server, surveyOf(server, "B"));
  collected(server, { B: "stored" });
  assertEquals(server.collectAnswerTo(request)?.status, 200);
});

Deno.test("a SURVEY asks all others first, with a stamp under a ceiling that is saved", () => {
  const server = inRingWithTombstones(1, "B", "C");
  server.collect();
  const { errand } = last(server.sent("FORWARD"));
  assert(errand.type === "SURVEY");
  assertEquals(errand.surveys, []);
  assert(errand.upTo > stampAt(1) && errand.upTo < last(server.effectsOf("save")).stampCeiling);
  assertEquals(server.effectsOf("collect"), []);
});

Deno.test("when all servers say the same a COLLECT goes round, up to the stamp of the SURVEY", () => {
  const server = inRingWithTombstones(2, "B", "C");
  const request = server.collect();
  const survey = last(server.sent("FORWARD")).errand;
  surveyed(server, surveyOf(server, "B"), surveyOf(server, "C"));
  assert(survey.type === "SURVEY");
  const { upTo } = survey;
  assertEquals(last(server.sent("FORWARD")).errand, { type: "COLLECT", upTo, list: server.list });
  assertEquals(server.effectsOf("collect").map(({ upTo }) => upTo), [upTo, upTo]);
  assertEquals(server.collectAnswerTo(request), undefined);
  collected(server, { B: "stored", C: "stored" });
  assertEquals(server.collectAnswerTo(request), { type: "GC", status: 200, dropped: 2 });
});

const unequal: readonly { what: string; changes: Partial<Survey> }[] = [
  { what: "has other files", changes: { files: "other" } },
  { what: "has another list", changes: { list: "other" } },
  { what: "is not settled", changes: { isSettled: false } },
];

for (const { what, changes } of unequal) {
  Deno.test(`a server that ${what} is asked again, and then nothing is dropped`, () => {
    const server = inRingWithTombstones(1, "B", "C");
    const request = server.collect();
    for (let surveys = 1; surveys <= surveysMax; surveys++) {
      assertEquals(server.collectAnswerTo(request), undefined);
      surveyed(server, surveyOf(server, "B"), surveyOf(server, "C", changes));
      server.advance(surveyPauseMs);
    }
    assertEquals(server.collectAnswerTo(request), { type: "GC", status: 409, error: differ });
    assertEquals(server.disk.records.size, 1);
  });
}

Deno.test("a server that was visited and has said nothing is asked again", () => {
  const server = inRingWithTombstones(1, "B", "C");
  server.collect();
  surveyed(server, surveyOf(server, "B"));
  assertEquals(server.effectsOf("collect"), []);
  server.advance(surveyPauseMs);
  surveyed(server, surveyOf(server, "B"), surveyOf(server, "C"));
  assertEquals(server.effectsOf("collect").length, 2);
});

Deno.test("servers that differ are asked again after a pause, and the last answers count", () => {
  const server = inRing("B");
  const request = server.collect();
  surveyed(server, surveyOf(server, "B", { isSettled: false }));
  server.forget().advance(surveyPauseMs - 1);
  assertEquals(server.sent("FORWARD"), []);
  server.advance(1);
  surveyed(server, surveyOf(server, "B"));
  collected(server, { B: "stored" });
  assertEquals(server.collectAnswerTo(request)?.status, 200);
});

Deno.test("all SURVEYs of a request are for one stamp", () => {
  const server = inRing("B");
  server.collect();
  surveyed(server, surveyOf(server, "B", { isSettled: false }));
  server.advance(surveyPauseMs);
  const stamps = server.sent("FORWARD").map(({ errand }) =>
    errand.type === "SURVEY" ? errand.upTo : ""
  );
  assertEquals([stamps.length, new Set(stamps).size], [2, 1]);
});

for (const ask of [putOf("a", "text"), { type: "GET", item: "a" }] as const) {
  Deno.test(`a server that has a ${ask.type} under way itself asks again`, () => {
    const server = inRing("B");
    server.ask(ask);
    server.collect();
    surveyed(server, surveyOf(server, "B"));
    assertEquals(server.effectsOf("collect"), []);
    const { errand } = last(server.sent("FORWARD"));
    assertEquals(errand.type, "SURVEY");
  });
}

Deno.test("a SURVEY that not every server answers in time drops nothing", () => {
  const server = inRingWithTombstones(1, "B", "C");
  const request = server.collect();
  server.advance(collectTimeoutMs);
  const error = "Not every server has answered; nothing is dropped";
  assertEquals(server.collectAnswerTo(request), { type: "GC", status: 503, error });
  assertEquals(server.disk.records.size, 1);
});

Deno.test("a SURVEY that missed a member is not judged, whatever the others say", () => {
  const server = inRingWithTombstones(1, "B", "C");
  const request = server.collect();
  const { errand, circle } = last(server.sent("FORWARD"));
  assert(errand.type === "SURVEY");
  const surveys = [surveyOf(server, "B"), surveyOf(server, "C")];
  const visited = [...visitsOf("passed", "A", "B"), ...visitsOf("skipped", "C")];
  const back = { hop: 9, circle: { ...circle, visited }, errand: { ...errand, surveys } };
  server.hear({ type: "FORWARD", ...envelope("B"), ...back });
  assertEquals([server.effectsOf("collect"), server.collectAnswerTo(request)], [[], undefined]);
});

Deno.test("a member that dies during the SURVEY ends the collection", () => {
  const server = inRingWithTombstones(1, "B", "C");
  const request = server.collect();
  server.learn("B", memberOf("C", { status: "dead" }));
  surveyed(server, surveyOf(server, "B"));
  assertEquals(server.collectAnswerTo(request)?.status, 409);
  assertEquals(server.disk.records.size, 1);
});

Deno.test("a member that joins keeps tombstones from being dropped until it has caught up", () => {
  const server = inRing("B");
  server.learn("B", memberOf("C", { status: "joining" }));
  const request = server.collect();
  surveyed(server, surveyOf(server, "B"), surveyOf(server, "C", { isSettled: false }));
  assertEquals(server.effectsOf("collect"), []);
  server.learn("B", memberOf("C"));
  server.advance(surveyPauseMs);
  surveyed(server, surveyOf(server, "B"), surveyOf(server, "C"));
  collected(server, { B: "stored", C: "stored" });
  assertEquals(server.collectAnswerTo(request)?.status, 200);
});

Deno.test("a collection that one server does not take part in says so", () => {
  const server = inRing("B", "C");
  const request = server.collect();
  surveyed(server, surveyOf(server, "B"), surveyOf(server, "C"));
  collected(server, { B: "stored", C: "failed" });
  const error = "Not all servers could drop their tombstones just now; try again";
  assertEquals(server.collectAnswerTo(request), { type: "GC", status: 503, error });
});

Deno.test("a COLLECT waits for its own disk too", () => {
  const server = inRingWithTombstones(1, "B");
  server.held.add("collect");
  const request = server.collect();
  surveyed(server, surveyOf(server, "B"));
  collected(server, { B: "stored" });
  assertEquals(server.collectAnswerTo(request), undefined);
  server.release("collect");
  server.release("collect");
  assertEquals(server.collectAnswerTo(request), { type: "GC", status: 200, dropped: 1 });
});

Deno.test("a COLLECT that not every server answers in time has an unknown outcome", () => {
  const server = inRing("B", "C");
  const request = server.collect();
  surveyed(server, surveyOf(server, "B"), surveyOf(server, "C"));
  server.advance(collectTimeoutMs);
  const error = "Not every server has said that it dropped its tombstones";
  assertEquals(server.collectAnswerTo(request), { type: "GC", status: 504, error });
});

Deno.test("a server that joins during the COLLECT has to answer as well", () => {
  const server = inRing("B");
  const request = server.collect();
  surveyed(server, surveyOf(server, "B"));
  server.learn("B", memberOf("C", { status: "joining" }));
  collected(server, { B: "stored" });
  assertEquals(server.collectAnswerTo(request), undefined);
  const statuses = server.node.circle.map(({ status }) => status);
  assertEquals(statuses, ["alive", "alive", "joining"]);
  collected(server, { B: "stored", C: "failed" });
  assertEquals(server.collectAnswerTo(request)?.status, 503);
});

Deno.test("a tombstone that is made after the SURVEY has begun stays", () => {
  const server = inRingWithTombstones(1, "B", "C");
  const request = server.collect();
  const { errand } = last(server.sent("FORWARD"));
  assert(errand.type === "SURVEY");
  const newer = tombstoneOf("newer", stampAt(stampMillis(errand.upTo) + 1));
  forward(server, write(server, newer));
  server.advance(1000);
  surveyed(server, surveyOf(server, "B"), surveyOf(server, "C"));
  collected(server, { B: "stored", C: "stored" });
  assertEquals(server.collectAnswerTo(request)?.dropped, 1);
  assertEquals(server.disk.sorted, [newer]);
});

Deno.test("a creator that has dropped tombstones takes no write that is older than them", () => {
  const server = inRingWithTombstones(1, "B", "C");
  server.collect();
  surveyed(server, surveyOf(server, "B"), surveyOf(server, "C"));
  server.forget();
  forward(server, write(server, recordOf("file 0", "text")), { body: bodyOf("text") });
  assertEquals(server.effects.map(({ type }) => type), ["reply"]);
  assertEquals(server.disk.records.size, 0);
});

Deno.test("a server that is joining drops nothing", () => {
  const server = returning(memberOf("B"));
  const request = server.collect();
  for (let surveys = 1; surveys <= surveysMax; surveys++) {
    surveyed(server, surveyOf(server, "B"));
    server.advance(surveyPauseMs);
  }
  assertEquals(server.collectAnswerTo(request)?.status, 409);
  assertEquals(server.effectsOf("collect"), []);
});
