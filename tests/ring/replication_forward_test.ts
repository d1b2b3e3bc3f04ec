import { assert, assertEquals } from "@std/assert";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import type { Errand } from "../../lib/ring/message.ts";
import { transferRateMin, writeTimeoutMs } from "../../lib/ring/replication.ts";
import { envelope, inRing, last } from "./harness.ts";
import {
  addressOf,
  bodyOf,
  circleOf,
  idOf,
  memberOf,
  nameOf,
  path,
  putOf,
  recordOf,
  stampAt,
  visitsOf,
} from "./sample.ts";
import { forward, report, write } from "./replication_harness.ts";

Deno.test("another's write is passed on first, stored, and reported only when it is on disk", () => {
  const server = inRing("B", "C");
  server.held.add("write");
  const record = recordOf("a", "text");
  forward(server, write(server, record), { body: bodyOf("text") });
  assertEquals(server.sent("ACK"), [{ type: "ACK", from: idOf("A"), to: idOf("C"), hop: 9 }]);
  const passed = last(server.sent("FORWARD"));
  assertEquals(`${nameOf(passed.to)} after ${path(passed.circle)}`, "B after C:passed A:passed");
  assertEquals(passed.body, bodyOf("text"));
  assertEquals(server.sent("REPORT"), []);
  server.release("write");
  assertEquals(server.disk.records.get("a"), record);
  const { creator, boot, sequence } = circleOf("C");
  const about = { circle: { creator, boot, sequence }, deed: "stored" as const };
  const envelope = { type: "REPORT" as const, from: idOf("A"), to: idOf("C") };
  assertEquals(server.sent("REPORT"), [{ ...envelope, ...about }]);
});

Deno.test("another's write that is older than what is here is reported as stored", () => {
  const server = inRing("B", "C");
  const newer = recordOf("a", "new", { stamp: stampAt(2000) });
  server.disk.add(newer);
  forward(server, write(server, recordOf("a", "old")), { body: bodyOf("old") });
  assertEquals(last(server.sent("REPORT")).deed, "stored");
  assertEquals(server.disk.records.get("a"), newer);
});

Deno.test("another's write that finds no room is reported as failed", () => {
  const server = inRing("B", "C");
  server.disk.full = true;
  forward(server, write(server, recordOf("a", "text")), { body: bodyOf("text") });
  assertEquals(last(server.sent("REPORT")).deed, "failed");
});

Deno.test("a server that could not store another's write does not answer from what it holds", () => {
  const server = inRing("B", "C");
  const before = server.own?.incarnation ?? 0;
  server.disk.add(recordOf("a", "old", { stamp: stampAt(1) }));
  server.disk.full = true;
  forward(server, write(server, recordOf("a", "new")), { body: bodyOf("new") });
  assertEquals([server.own?.status, server.own?.incarnation], ["joining", before + 1]);
  const request = server.ask({ type: "GET", item: "a" });
  assertEquals(server.answerTo(request), undefined);
  assertEquals(last(server.sent("FORWARD")).errand.type, "FIND");
});

Deno.test("another's large write fetches its body, from the transfer, the holder or the sender", () => {
  const server = inRing("B", "C");
  const record = recordOf("a", "", { size: inlineBytesMax + 1, sha256: "1".repeat(64) });
  server.hear({
    type: "FORWARD",
    ...envelope("B"),
    hop: 9,
    circle: circleOf("C"),
    errand: write(server, record, { upload: "upload 1" }),
  });
  const [fetch] = server.jobs("fetch");
  assert(fetch !== undefined);
  assertEquals([fetch.record, fetch.upload], [record, "upload 1"]);
  assertEquals(fetch.sources, [addressOf("C"), addressOf("B")]);
  server.fetched(fetch, true);
  assertEquals(last(server.sent("REPORT")).deed, "stored");
});

Deno.test("a repeated attempt of a write is acknowledged, and nothing else", () => {
  const server = inRing("B", "C");
  forward(server, write(server, recordOf("a", "text")), { body: bodyOf("text") });
  server.forget();
  forward(server, write(server, recordOf("a", "text")), { body: bodyOf("text") });
  assertEquals(server.effects.map(({ type }) => type), ["reply"]);
});

Deno.test("a higher attempt of a write is reported and passed on again, and not stored twice", () => {
  const server = inRing("B", "C");
  forward(server, write(server, recordOf("a", "text")), { body: bodyOf("text") });
  server.forget();
  const circle = circleOf("C", { attempt: 1 });
  forward(server, write(server, recordOf("a", "text")), { circle, body: bodyOf("text") });
  assertEquals(server.effectsOf("write"), []);
  assertEquals(last(server.sent("REPORT")).deed, "stored");
  const passed = last(server.sent("FORWARD"));
  assertEquals(path(passed.circle), "C:passed A:stored");
  assertEquals(passed.circle.attempt, 1);
});

Deno.test("a server that has another list than the creator sends it with its report", () => {
  const server = inRing("B", "C");
  const { list } = server;
  server.held.add("write");
  forward(server, write(server, recordOf("a", "text"), { list }), { body: bodyOf("text") });
  server.learn("B", memberOf("D", { status: "joining" }));
  server.release("write");
  const { members } = last(server.sent("REPORT"));
  assertEquals(members?.map(({ id }) => nameOf(id)), ["A", "B", "C", "D"]);
});

Deno.test("a server that has another list than the creator sends it with all that says it has a write", () => {
  for (const isSame of [true, false]) {
    const server = inRing("B", "C");
    const list = isSame ? server.list : "another";
    const errand = write(server, recordOf("a", "text"), { list });
    forward(server, errand, { body: bodyOf("text") });
    assertEquals(last(server.sent("FORWARD")).members, undefined);
    forward(server, errand, { circle: circleOf("C", { attempt: 1 }), body: bodyOf("text") });
    const passed = last(server.sent("FORWARD"));
    assertEquals(path(passed.circle), "C:passed A:stored");
    for (const { members } of [passed, last(server.sent("REPORT"))]) {
      const names = members?.map(({ id }) => nameOf(id));
      assertEquals(names, isSame ? undefined : ["A", "B", "C"]);
    }
  }
});

Deno.test("a server makes no stamp below one that it could not store, nor in a later life", () => {
  const server = inRing("B", "C");
  const stamp = stampAt(2 ** 43, "C");
  server.disk.full = true;
  forward(server, write(server, recordOf("a", "text", { stamp })), { body: bodyOf("text") });
  assertEquals(last(server.sent("REPORT")).deed, "failed");
  const { stampCeiling } = last(server.effectsOf("save"));
  assert(stampCeiling > stamp, `${stampCeiling} is not above ${stamp}`);
});

Deno.test("the list that a FORWARD brings is merged, and goes on with what is known here", () => {
  const server = inRing("B", "C");
  server.learn("B", memberOf("E"));
  const members = [memberOf("D", { status: "joining" })];
  const errand = write(server, recordOf("a", "text"));
  forward(server, errand, { body: bodyOf("text"), members });
  assertEquals(server.circle, "A B C D E");
  const passed = last(server.sent("FORWARD"));
  assertEquals(passed.members?.map(({ id }) => nameOf(id)), ["A", "B", "C", "D", "E"]);
});

Deno.test("a write is not settled by a circle that brings a list before whoever is new in it has it", () => {
  const server = inRing("B");
  const request = server.ask(putOf("a", "text"));
  const { errand, ...sent } = last(server.sent("FORWARD"));
  const circle = { ...sent.circle, visited: visitsOf("stored", "A", "B") };
  const members = [memberOf("C", { status: "joining" })];
  server.hear({ type: "FORWARD", ...envelope("B"), hop: 9, circle, errand, members });
  assertEquals(server.answerTo(request), undefined);
  report(server, "C");
  assertEquals(server.answerTo(request)?.copies, 3);
});

Deno.test("a server that could not store a write catches up when that is settled everywhere", () => {
  const cases: readonly [number, number][] = [
    [5, writeTimeoutMs],
    [inlineBytesMax + 1, writeTimeoutMs + (inlineBytesMax + 1) / transferRateMin],
    [100_000_000, writeTimeoutMs + 10_000],
  ];
  for (const [size, settledMs] of cases) {
    const server = inRing("B", "C");
    server.disk.full = true;
    forward(server, write(server, recordOf("a", "text", { size })), { body: bodyOf("text") });
    assertEquals(server.own?.status, "joining");
    server.advance(settledMs - 1);
    assertEquals(server.sent("COMPARE"), [], `${size} bytes`);
    server.advance(2);
    assertEquals(server.sent("COMPARE").length, 1, `${size} bytes`);
  }
});

Deno.test("a circle that was here before is passed on to its creator, if the sender could not", () => {
  const server = inRing("B", "C");
  forward(server, { type: "FIND", item: "a" });
  server.forget();
  const skipped = { id: idOf("C"), deed: "skipped" as const, by: idOf("B") };
  const visited = [...visitsOf("passed", "C", "A", "B"), skipped];
  forward(server, { type: "FIND", item: "a" }, { circle: circleOf("C", { visited }) });
  assertEquals(server.effects.map(({ type }) => type), ["reply", "send"]);
  const { to, circle, errand } = last(server.sent("FORWARD"));
  assertEquals([to, circle.visited, errand], [idOf("C"), visited, { type: "FIND", item: "a" }]);
});

Deno.test("whatever a circle asks, it is done and passed on once, however often it comes", () => {
  const upTo = stampAt(9);
  const errands: readonly Errand[] = [
    { type: "FIND", item: "a" },
    { type: "SURVEY", upTo, surveys: [] },
    { type: "COLLECT", upTo, list: "another" },
  ];
  for (const errand of errands) {
    const server = inRing("B", "C");
    for (let times = 0; times < 3; times++) forward(server, errand);
    assertEquals([server.sent("FORWARD").length, server.sent("ACK").length], [1, 3], errand.type);
  }
});
