import { assert, assertEquals } from "@std/assert";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import { envelope, inRing, last, path } from "./harness.ts";
import { addressOf, bodyOf, circleOf, idOf, nameOf, recordOf, stampAt } from "./sample.ts";
import { forward, write } from "./replication_harness.ts";

Deno.test("another's write is passed on first, stored, and reported only when it is on disk", () => {
  const server = inRing("B", "C");
  server.held.add("write");
  const record = recordOf("a", "text");
  forward(server, write(record), { body: bodyOf("text") });
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
  forward(server, write(recordOf("a", "old")), { body: bodyOf("old") });
  assertEquals(last(server.sent("REPORT")).deed, "stored");
  assertEquals(server.disk.records.get("a"), newer);
});

Deno.test("another's write that finds no room is reported as failed", () => {
  const server = inRing("B", "C");
  server.disk.full = true;
  forward(server, write(recordOf("a", "text")), { body: bodyOf("text") });
  assertEquals(last(server.sent("REPORT")).deed, "failed");
});

Deno.test("a server that could not store another's write does not answer from what it holds", () => {
  const server = inRing("B", "C");
  const before = server.own?.incarnation ?? 0;
  server.disk.add(recordOf("a", "old", { stamp: stampAt(1) }));
  server.disk.full = true;
  forward(server, write(recordOf("a", "new")), { body: bodyOf("new") });
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
    errand: write(record, "upload 1"),
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
  forward(server, write(recordOf("a", "text")), { body: bodyOf("text") });
  server.forget();
  forward(server, write(recordOf("a", "text")), { body: bodyOf("text") });
  assertEquals(server.effects.map(({ type }) => type), ["reply"]);
});

Deno.test("a higher attempt of a write is reported and passed on again, and not stored twice", () => {
  const server = inRing("B", "C");
  forward(server, write(recordOf("a", "text")), { body: bodyOf("text") });
  server.forget();
  const circle = circleOf("C", { attempt: 1 });
  forward(server, write(recordOf("a", "text")), { circle, body: bodyOf("text") });
  assertEquals(server.effectsOf("write"), []);
  assertEquals(last(server.sent("REPORT")).deed, "stored");
  const passed = last(server.sent("FORWARD"));
  assertEquals(path(passed.circle), "C:passed A:stored");
  assertEquals(passed.circle.attempt, 1);
});
