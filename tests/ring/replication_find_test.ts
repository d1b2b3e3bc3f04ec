import { assert, assertEquals } from "@std/assert";
import { findTimeoutMs } from "../../lib/ring/finder.ts";
import { resendMs } from "../../lib/ring/rounds.ts";
import { inRing, last } from "./harness.ts";
import {
  addressOf,
  idOf,
  memberOf,
  type Name,
  path,
  putOf,
  recordOf,
  stampAt,
  tombstoneOf,
  visitsOf,
} from "./sample.ts";
import {
  comeBack,
  everywhere,
  forward,
  joining,
  report,
  sentRound,
} from "./replication_harness.ts";

Deno.test("GET is answered from this server's own disk while it is alive", () => {
  const server = inRing("B", "C");
  const record = recordOf("a", "text");
  server.disk.add(record);
  const { size, sha256, contentType, stamp } = record;
  const answer = { type: "GET" as const, item: "a", status: 200, size, sha256, contentType, stamp };
  assertEquals(server.answerTo(server.ask({ type: "GET", item: "a" })), answer);
  assertEquals(server.sent("FORWARD"), []);
});

Deno.test("GET of a file that is deleted here is 404, without asking others", () => {
  const server = inRing("B", "C");
  server.disk.add(tombstoneOf("a", stampAt(1)));
  const request = server.ask({ type: "GET", item: "a" });
  const error = "No server has a file of this name";
  assertEquals(server.answerTo(request), { type: "GET", item: "a", status: 404, error });
  assertEquals(server.sent("FORWARD"), []);
});

Deno.test("GET of a missing file on a server that is alone is 404 at once", () => {
  const server = inRing();
  assertEquals(server.answerTo(server.ask({ type: "GET", item: "a" }))?.status, 404);
});

Deno.test("GET of a missing file sends a FIND round, and is 404 when nobody has it", () => {
  const server = inRing("B", "C");
  const request = server.ask({ type: "GET", item: "a" });
  const [message] = server.sent("FORWARD");
  assertEquals(message?.errand, { type: "FIND", item: "a" });
  assertEquals(server.answerTo(request), undefined);
  comeBack(server, { visited: everywhere });
  assertEquals(server.answerTo(request)?.status, 404);
});

Deno.test("GET brings a file here that another server has, and answers with it", () => {
  const server = inRing("B", "C");
  const record = recordOf("a", "text");
  const request = server.ask({ type: "GET", item: "a" });
  comeBack(server, { visited: everywhere, found: { record, holder: idOf("C") } });
  const [fetch] = server.jobs("fetch");
  assertEquals([fetch?.record, fetch?.sources], [
    record,
    [addressOf("C"), addressOf("B")],
  ]);
  assertEquals(server.answerTo(request), undefined);
  if (fetch !== undefined) server.fetched(fetch, true);
  assertEquals(server.answerTo(request)?.status, 200);
  assertEquals(server.answerTo(request)?.sha256, record.sha256);
  assertEquals(server.disk.records.get("a"), record);
});

Deno.test("GET is answered 503, with a sentence, if nobody who has it can be reached", () => {
  const server = inRing("B", "C");
  const request = server.ask({ type: "GET", item: "a" });
  const found = { record: recordOf("a", "text"), holder: idOf("C") };
  comeBack(server, { visited: everywhere, found });
  for (const fetch of server.jobs("fetch")) server.fetched(fetch, false);
  const error = 'Cannot get "a" from any server found to have it';
  assertEquals(server.answerTo(request), { type: "GET", item: "a", status: 503, error });
});

Deno.test("GET on a full disk is answered 507 if the file would have to come here", () => {
  const server = inRing("B", "C");
  server.disk.full = true;
  const request = server.ask({ type: "GET", item: "a" });
  const found = { record: recordOf("a", "text"), holder: idOf("C") };
  comeBack(server, { visited: everywhere, found });
  for (const fetch of server.jobs("fetch")) server.fetched(fetch, true);
  assertEquals(server.answerTo(request)?.status, 507);
});

Deno.test("GET is 404 when the newest record found is a tombstone", () => {
  const server = inRing("B", "C");
  const request = server.ask({ type: "GET", item: "a" });
  const found = { record: tombstoneOf("a", stampAt(9)), holder: idOf("C") };
  comeBack(server, { visited: everywhere, found });
  assertEquals(server.answerTo(request)?.status, 404);
});

Deno.test("GET on a joining server asks the others, though it has the file", () => {
  const server = joining();
  const record = recordOf("a", "text");
  server.disk.add(record);
  const request = server.ask({ type: "GET", item: "a" });
  const found = { record, holder: idOf("A") };
  assertEquals(last(server.sent("FORWARD")).errand, { type: "FIND", item: "a", found });
  comeBack(server, { visited: everywhere });
  assertEquals(server.answerTo(request)?.sha256, record.sha256);
  assertEquals(server.jobs("fetch"), []);
});

Deno.test("GET on a joining server answers with the newer version of another", () => {
  const server = joining();
  server.disk.add(recordOf("a", "old"));
  const request = server.ask({ type: "GET", item: "a" });
  const record = recordOf("a", "new", { stamp: stampAt(2000) });
  comeBack(server, { visited: everywhere, found: { record, holder: idOf("B") } });
  for (const fetch of server.jobs("fetch")) server.fetched(fetch, true);
  assertEquals(server.answerTo(request)?.sha256, record.sha256);
});

Deno.test("GET does not end in 404 while a live member was skipped: it asks again, then 503", () => {
  const server = inRing("B", "C");
  const request = server.ask({ type: "GET", item: "a" });
  const skipped = [...visitsOf("passed", "A", "B"), ...visitsOf("skipped", "C")];
  comeBack(server, { visited: skipped });
  assertEquals(server.answerTo(request), undefined);
  server.advance(resendMs);
  assertEquals(sentRound(server).attempt, 1);
  server.advance(findTimeoutMs - resendMs);
  const error = 'Cannot tell whether there is a file "a": not every server has answered';
  assertEquals(server.answerTo(request), { type: "GET", item: "a", status: 503, error });
});

Deno.test("DELETE stores a tombstone here and everywhere, and counts its copies", () => {
  const server = inRing("B", "C");
  server.disk.add(recordOf("a", "text"));
  const request = server.ask({ type: "DELETE", item: "a" });
  const tombstone = server.disk.records.get("a");
  assertEquals(tombstone, tombstoneOf("a", tombstone?.stamp ?? ""));
  assert((tombstone?.stamp ?? "") > stampAt(1000));
  const { errand, body } = last(server.sent("FORWARD"));
  assertEquals([errand, body], [
    { type: "WRITE", record: tombstone, holder: idOf("A"), list: server.list },
    undefined,
  ]);
  report(server, "B");
  report(server, "C");
  const answer = { type: "DELETE" as const, item: "a", status: 200, copies: 3 };
  assertEquals(server.answerTo(request), { ...answer, stamp: tombstone?.stamp ?? "" });
});

Deno.test("DELETE of a name that nobody has is 404, and makes no tombstone", () => {
  const server = inRing("B", "C");
  const request = server.ask({ type: "DELETE", item: "a" });
  comeBack(server, { visited: everywhere });
  assertEquals(server.answerTo(request)?.status, 404);
  assertEquals(server.disk.records.size, 0);
});

Deno.test("DELETE of a deleted name is 404, and leaves the tombstone as it is", () => {
  const server = inRing();
  const tombstone = tombstoneOf("a", stampAt(1));
  server.disk.add(tombstone);
  assertEquals(server.answerTo(server.ask({ type: "DELETE", item: "a" }))?.status, 404);
  assertEquals(server.disk.records.get("a"), tombstone);
});

Deno.test("DELETE of a file that only another server has is above that one's stamp", () => {
  const server = inRing("B", "C");
  const request = server.ask({ type: "DELETE", item: "a" });
  const record = recordOf("a", "text", { stamp: stampAt(2 ** 43) });
  comeBack(server, { visited: everywhere, found: { record, holder: idOf("C") } });
  report(server, "B");
  report(server, "C");
  assertEquals(server.answerTo(request)?.status, 200);
  assert((server.disk.records.get("a")?.stamp ?? "") > record.stamp);
});

Deno.test("DELETE is answered 503 when it cannot tell whether there is such a file", () => {
  const server = inRing("B", "C");
  const request = server.ask({ type: "DELETE", item: "a" });
  server.advance(findTimeoutMs);
  assertEquals(server.answerTo(request)?.status, 503);
  assertEquals(server.disk.records.size, 0);
});

Deno.test("a FIND takes the newest record along that it meets", () => {
  const mine = recordOf("a", "mine", { stamp: stampAt(5) });
  const cases: readonly { has: boolean; at?: number; holder: Name | undefined }[] = [
    { has: false, holder: undefined },
    { has: true, holder: "A" },
    { has: false, at: 3, holder: "C" },
    { has: true, at: 3, holder: "A" },
    { has: true, at: 9, holder: "C" },
  ];
  for (const { has, at, holder } of cases) {
    const server = inRing("B", "C");
    if (has) server.disk.add(mine);
    const record = recordOf("a", "theirs", { stamp: stampAt(at ?? 0) });
    const found = at === undefined ? {} : { found: { record, holder: idOf("C") } };
    forward(server, { type: "FIND", item: "a", ...found });
    const { errand, circle } = last(server.sent("FORWARD"));
    assert(errand.type === "FIND");
    assertEquals(errand.found?.holder, holder === undefined ? undefined : idOf(holder));
    assertEquals(path(circle), "C:passed A:passed");
  }
});

Deno.test("a FIND takes a tombstone along: the newest record may say that there is no file", () => {
  const server = inRing("B", "C");
  const tombstone = tombstoneOf("a", stampAt(9));
  server.disk.add(tombstone);
  const found = { record: recordOf("a", "text", { stamp: stampAt(3) }), holder: idOf("C") };
  forward(server, { type: "FIND", item: "a", found });
  const { errand } = last(server.sent("FORWARD"));
  assert(errand.type === "FIND");
  assertEquals(errand.found, { record: tombstone, holder: idOf("A") });
});

Deno.test("a FIND that is sent on to a newcomer keeps what it has found", () => {
  const server = inRing("B");
  server.ask({ type: "GET", item: "a" });
  const found = { record: recordOf("a", "text"), holder: idOf("B") };
  server.learn("B", memberOf("C", { status: "joining" }));
  comeBack(server, { found, visited: visitsOf("passed", "A", "B") });
  const { errand, to } = last(server.sent("FORWARD"));
  assert(errand.type === "FIND");
  assertEquals([to, errand.found], [idOf("C"), found]);
});

Deno.test("a joining server hears of others' writes of a name before it stamps its own", () => {
  const server = joining();
  const request = server.ask(putOf("a", "mine"));
  const theirs = recordOf("a", "theirs", { stamp: stampAt(server.now.wall + 5000) });
  comeBack(server, { found: { record: theirs, holder: idOf("B") }, visited: everywhere });
  const { errand } = last(server.sent("FORWARD"));
  assert(errand.type === "WRITE");
  assert(errand.record.stamp > theirs.stamp);
  assertEquals(server.answerTo(request), undefined);
});

Deno.test("GET of a file whose body is lost here brings it from any other server", () => {
  const server = inRing("B", "C");
  const record = recordOf("a", "text");
  server.disk.add(record);
  server.disk.lose("a", "body");
  const request = server.ask({ type: "GET", item: "a", bodyLost: true });
  const found = { record, holder: idOf("A") };
  assertEquals(last(server.sent("FORWARD")).errand, { type: "FIND", item: "a", found });
  comeBack(server, { visited: everywhere });
  const [fetch] = server.jobs("fetch");
  assertEquals(fetch?.sources, [addressOf("B"), addressOf("C")]);
  assertEquals(server.answerTo(request), undefined);
  if (fetch !== undefined) server.fetched(fetch, true);
  assertEquals(server.answerTo(request)?.status, 200);
});

Deno.test("GET of a file whose body is lost here is answered with what replaced it meanwhile", () => {
  const server = inRing("B", "C");
  server.disk.add(recordOf("a", "old"));
  server.disk.lose("a", "body");
  const request = server.ask({ type: "GET", item: "a", bodyLost: true });
  comeBack(server, { visited: everywhere });
  const newer = recordOf("a", "new", { stamp: stampAt(2000) });
  server.disk.add(newer);
  for (const fetch of server.jobs("fetch")) server.fetched(fetch, true);
  assertEquals(server.answerTo(request)?.sha256, newer.sha256);
});

Deno.test("GET of a file whose body is lost here brings a newer version that another server has", () => {
  const server = inRing("B", "C");
  server.disk.add(recordOf("a", "old"));
  server.disk.lose("a", "body");
  const request = server.ask({ type: "GET", item: "a", bodyLost: true });
  const newer = recordOf("a", "new", { stamp: stampAt(2000) });
  comeBack(server, { visited: everywhere, found: { record: newer, holder: idOf("C") } });
  for (const fetch of server.jobs("fetch")) server.fetched(fetch, true);
  assertEquals(server.answerTo(request)?.sha256, newer.sha256);
});

Deno.test("GET of a file whose body is lost, and is nowhere else, is 503 at once", () => {
  const alone = inRing();
  alone.disk.add(recordOf("a", "text"));
  alone.disk.lose("a", "body");
  const request = alone.ask({ type: "GET", item: "a", bodyLost: true });
  const error = 'Cannot get "a" from any server found to have it';
  assertEquals(alone.answerTo(request), { type: "GET", item: "a", status: 503, error });
});
