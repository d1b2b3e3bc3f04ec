import { assert, assertEquals } from "@std/assert";
import { smallFetchesMax } from "../../lib/ring/applier.ts";
import { pageRecordsMax } from "../../lib/ring/file_record.ts";
import { pageTimeoutMs, pageTriesMax, restartMsMax } from "../../lib/ring/repair.ts";
import { envelope, last, returning } from "./harness.ts";
import { known, page } from "./repair_harness.ts";
import { addressOf, idOf, memberOf, putOf, recordOf, stampAt, tombstoneOf } from "./sample.ts";

const joining = { status: "joining" } as const;

Deno.test("a joining server pulls from its predecessor, and says who it is and what it has", () => {
  const server = returning(memberOf("B"), memberOf("C"), memberOf("D"));
  const compare = { type: "COMPARE" as const, from: idOf("A"), to: idOf("D") };
  const member = memberOf("A", { incarnation: 2, ...joining });
  const { digests } = server.disk;
  assertEquals(server.sent("COMPARE"), [{ ...compare, sequence: 1, member, digests, after: "" }]);
});

Deno.test("a joining server prefers a member that is alive to a nearer one that is not", () => {
  const server = returning(memberOf("B"), memberOf("C"), memberOf("D", joining));
  assertEquals(server.receivers("COMPARE"), "C");
});

Deno.test("a joining server pulls page by page, and then says that it is alive", () => {
  const server = returning(memberOf("B"));
  const records = ["a", "b", "c"].map((name) => known(server, name));
  page(server, "B", { records: records.slice(0, 2), next: "b" });
  assertEquals(last(server.sent("COMPARE")).after, "b");
  assertEquals(server.own?.status, "joining");
  server.forget();
  server.hear({ type: "PAGE", ...envelope("B"), sequence: 2, records: records.slice(2) });
  assertEquals(server.own, memberOf("A", { incarnation: 2, status: "alive" }));
  assertEquals(server.disk.sorted, records);
  const told = last(server.sent("UPDATE")).members.find(({ id }) => id === idOf("A"));
  assertEquals(told?.status, "alive");
});

Deno.test("a joining server pulls from all: each has to know of it, and to tell what it has", () => {
  const server = returning(memberOf("B"), memberOf("C"), memberOf("D", joining));
  for (const name of ["C", "B"] as const) page(server, name);
  assertEquals(server.own?.status, "joining");
  page(server, "D", { partial: true });
  assertEquals(server.own?.status, "alive");
  assertEquals(server.receivers("COMPARE"), "C B D");
});

Deno.test("a joining server waits for who does not answer only while nobody has given it everything", () => {
  for (const [status, partial] of [["alive", undefined], ["joining", true]] as const) {
    const server = returning(memberOf("B", { status }), memberOf("C"));
    server.advance(pageTimeoutMs * pageTriesMax);
    page(server, "B", { ...(partial && { partial }) });
    assertEquals(server.own?.status, status);
    assertEquals(server.receivers("COMPARE"), "C C C B");
  }
});

Deno.test("the pages of a pull are all asked for with the digests that it began with", () => {
  const server = returning(memberOf("B"));
  const { digests } = last(server.sent("COMPARE"));
  page(server, "B", { records: [known(server, "a")], next: "a" });
  assert(server.disk.digests !== digests);
  assertEquals(last(server.sent("COMPARE")).digests, digests);
});

Deno.test("the next page is asked for when half of the one before is on disk", () => {
  const server = returning(memberOf("B"));
  server.held.add("write");
  const names = Array.from({ length: pageRecordsMax }, (_, n) => `file ${n}`);
  page(server, "B", { records: names.map((name) => known(server, name)), next: "more" });
  const jobs = server.jobs("write");
  for (const job of jobs.slice(0, pageRecordsMax / 2 - 1)) server.finish(job);
  assertEquals(server.receivers("COMPARE"), "B");
  for (const job of jobs.slice(pageRecordsMax / 2 - 1)) server.finish(job);
  assertEquals(server.sent("COMPARE").map(({ after }) => after), ["", "more"]);
});

Deno.test("a joining server is not alive before every record of every page is on disk", () => {
  const server = returning(memberOf("B"));
  server.held.add("write");
  page(server, "B", { records: [known(server, "a")], next: "a" });
  page(server, "B", { records: [known(server, "b")] });
  const [first, second] = server.jobs("write");
  assert(first !== undefined && second !== undefined);
  server.finish(second);
  assertEquals(server.own?.status, "joining");
  server.finish(first);
  assertEquals(server.own?.status, "alive");
});

Deno.test("tombstones are pulled like any record", () => {
  const server = returning(memberOf("B"));
  const tombstone = tombstoneOf("a", stampAt(5));
  page(server, "B", { records: [tombstone] });
  assertEquals(server.disk.records.get("a"), tombstone);
});

Deno.test("a body that is missing is fetched, from the source first, and then written", () => {
  const server = returning(memberOf("B"), memberOf("C"), memberOf("D"));
  const record = recordOf("a", "text");
  page(server, "D", { records: [record] });
  const [fetch] = server.jobs("fetch");
  assert(fetch !== undefined);
  assertEquals(fetch.sources, [addressOf("D"), addressOf("B"), addressOf("C")]);
  assertEquals(server.own?.status, "joining");
  server.fetched(fetch, true);
  assertEquals(server.disk.records.get("a"), record);
  for (const name of ["C", "B"] as const) page(server, name);
  assertEquals(server.own?.status, "alive");
});

Deno.test("a record that is superseded here fetches nothing", () => {
  const server = returning(memberOf("B"));
  const newer = recordOf("a", "new", { stamp: stampAt(2000) });
  server.disk.add(newer);
  page(server, "B", { records: [recordOf("a", "old")] });
  assertEquals(server.effectsOf("fetch"), []);
  assertEquals(server.disk.records.get("a"), newer);
  assertEquals(server.own?.status, "alive");
});

Deno.test("at most smallFetchesMax small bodies are fetched at once", () => {
  const server = returning(memberOf("B"));
  const names = Array.from({ length: 2 * smallFetchesMax }, (_, n) => `file ${n}`);
  page(server, "B", { records: names.map((name) => recordOf(name, name)) });
  assertEquals(server.jobs("fetch").length, smallFetchesMax);
  for (let open = server.jobs("fetch"); open.length > 0; open = server.jobs("fetch")) {
    assert(open.length <= smallFetchesMax);
    for (const fetch of open.slice(0, 50)) server.fetched(fetch, true);
  }
  assertEquals(server.disk.records.size, names.length);
  assertEquals(server.own?.status, "alive");
});

Deno.test("a page that does not answer the last COMPARE changes nothing", () => {
  const server = returning(memberOf("B"));
  const { sequence } = last(server.sent("COMPARE"));
  for (const wrong of [sequence - 1, sequence + 1, -1]) {
    const record = known(server, "a");
    server.hear({ type: "PAGE", ...envelope("B"), sequence: wrong, records: [record] });
  }
  assertEquals(server.own?.status, "joining");
  assertEquals(server.disk.records.size, 0);
});

Deno.test("a page that comes twice is applied once", () => {
  const server = returning(memberOf("B"));
  server.held.add("write");
  page(server, "B", { records: [known(server, "a")] });
  page(server, "B", { records: [known(server, "a")] });
  assertEquals(server.jobs("write").length, 1);
});

Deno.test("a page is asked for again after 2 s, and after 3 times another member is", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  server.advance(pageTimeoutMs - 1);
  assertEquals(server.receivers("COMPARE"), "C");
  server.advance(1);
  assertEquals(server.receivers("COMPARE"), "C C");
  server.advance((pageTriesMax - 1) * pageTimeoutMs);
  assertEquals(server.receivers("COMPARE"), "C C C B");
});

Deno.test("a page that takes long to apply is not asked for again meanwhile", () => {
  const server = returning(memberOf("B"));
  page(server, "B", { records: [recordOf("a", "text")] });
  server.forget().advance(20 * pageTimeoutMs);
  assertEquals(server.sent("COMPARE"), []);
});

Deno.test("a source that dies is replaced by another at once, for all that is still missing", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  page(server, "C", { records: [known(server, "a")], next: "a" });
  server.forget().learn("B", memberOf("C", { status: "dead" }));
  const [compare] = server.sent("COMPARE", "B");
  assertEquals([compare?.after, compare?.digests], ["", server.disk.digests]);
});

Deno.test("records that a dead source sent are still applied, but do not end the pull", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  server.held.add("write");
  page(server, "C", { records: [known(server, "a")] });
  server.learn("B", memberOf("C", { status: "dead" }));
  server.release("write");
  assertEquals(server.disk.records.size, 1);
  assertEquals(server.own?.status, "joining");
  assertEquals(server.receivers("COMPARE"), "C B");
});

Deno.test("a joining server whose others are all dead is alive, with what it has", () => {
  const server = returning(memberOf("B"));
  server.learn("B", memberOf("B", { status: "dead" }));
  assertEquals(server.own?.status, "alive");
});

Deno.test("who is alive as nobody else is pulls from those that were gone when they come back", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  server.learn("B", memberOf("C", { status: "dead" }), memberOf("B", { status: "dead" }));
  assertEquals(server.own?.status, "alive");
  server.forget().learn("B", memberOf("B", { incarnation: 2, ...joining }));
  assertEquals([server.own?.status, server.receivers("COMPARE")], ["joining", "B"]);
});

Deno.test("who was given everything pulls from nobody that comes back without missing anything", () => {
  const server = returning(memberOf("B"), memberOf("C", { status: "dead" }));
  page(server, "B");
  server.forget().learn("B", memberOf("C", { incarnation: 2, ...joining }));
  assertEquals([server.own?.status, server.receivers("COMPARE")], ["alive", ""]);
});

Deno.test("where all pages are partial each member is pulled from, and then the server is alive", () => {
  const server = returning(memberOf("B", joining), memberOf("C", joining));
  page(server, "C", { partial: true });
  assertEquals(server.own?.status, "joining");
  page(server, "B", { partial: true });
  assertEquals(server.receivers("COMPARE"), "C B");
  assertEquals(server.own?.status, "alive");
});

Deno.test("one page that is partial makes all that its source sent partial", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  page(server, "C", { records: [known(server, "a")], next: "a", partial: true });
  page(server, "C");
  assertEquals(server.own?.status, "joining");
  assertEquals(server.receivers("COMPARE"), "C C B");
});

Deno.test("a member that comes in the middle is pulled from as well, where all are partial", () => {
  const server = returning(memberOf("B", joining), memberOf("C", joining));
  page(server, "C", { partial: true });
  server.learn("C", memberOf("D", joining));
  page(server, "B", { partial: true });
  assertEquals(server.own?.status, "joining");
  page(server, "D", { partial: true });
  assertEquals(server.own?.status, "alive");
});

Deno.test("who dies before it was pulled from may have told others: they are pulled from again", () => {
  const server = returning(memberOf("B", joining), memberOf("C", joining), memberOf("D", joining));
  page(server, "D", { partial: true });
  // B has given what it alone had to D, after that was pulled from.
  server.learn("C", memberOf("B", { status: "dead" }));
  page(server, "C", { partial: true });
  assertEquals(server.own?.status, "joining");
  assertEquals(server.receivers("COMPARE"), "D C D");
  for (const name of ["D", "C"] as const) page(server, name, { partial: true });
  assertEquals(server.own?.status, "alive");
});

Deno.test("who dies after it was pulled from has told nothing that is not here", () => {
  const server = returning(memberOf("B", joining), memberOf("C", joining), memberOf("D", joining));
  for (const name of ["D", "C"] as const) page(server, name, { partial: true });
  server.learn("C", memberOf("D", { status: "dead" }));
  page(server, "B", { partial: true });
  assertEquals(server.receivers("COMPARE"), "D C B");
  assertEquals(server.own?.status, "alive");
});

Deno.test("a pull that failed does not count as pulled", () => {
  const server = returning(memberOf("B", joining), memberOf("C", joining));
  page(server, "C", { records: [recordOf("a", "text")], partial: true });
  for (const fetch of server.jobs("fetch")) server.fetched(fetch, false);
  page(server, "B", { partial: true });
  assertEquals(server.own?.status, "joining");
  assertEquals(server.receivers("COMPARE"), "C B");
});

Deno.test("a body that nobody has keeps a server joining; it tries all, and again after 2 s", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  for (const name of ["C", "B"] as const) {
    page(server, name, { records: [recordOf("a", "text")] });
    for (const fetch of server.jobs("fetch")) server.fetched(fetch, false);
  }
  assertEquals(server.own?.status, "joining");
  assertEquals(server.receivers("COMPARE"), "C B");
  server.advance(pageTimeoutMs);
  assertEquals(server.receivers("COMPARE"), "C B C");
  page(server, "C", { records: [recordOf("a", "text")] });
  for (const fetch of server.jobs("fetch")) server.fetched(fetch, true);
  page(server, "B");
  assertEquals(server.own?.status, "alive");
});

Deno.test("a server that cannot catch up tries again for ever, at least every restartMsMax", () => {
  const server = returning(memberOf("B"));
  const pauses = Array.from({ length: 6 }, () => {
    page(server, "B", { records: [recordOf("a", "text")] });
    for (const fetch of server.jobs("fetch")) server.fetched(fetch, false);
    server.forget();
    let pauseMs = 0;
    for (; pauseMs < 60_000 && server.sent("COMPARE").length === 0; pauseMs += 100) {
      server.advance(100);
    }
    return pauseMs;
  });
  assertEquals(pauses, [2000, 4000, 8000, 8000, 8000, 8000]);
  assertEquals(restartMsMax, 8000);
});

Deno.test("what a joining server has compared is counted, and is not told when it is alive", () => {
  const server = returning(memberOf("B"));
  assertEquals(server.node.compared, 0);
  page(server, "B", { records: [known(server, "a"), known(server, "b")], next: "b" });
  assertEquals(server.node.compared, 2);
  page(server, "B");
  assertEquals(server.node.compared, undefined);
});

Deno.test("a write of a joining server's own does not end its pull", () => {
  const server = returning(memberOf("B"));
  server.ask(putOf("a", "text"));
  assertEquals(server.own?.status, "joining");
  page(server, "B");
  assertEquals(server.own?.status, "alive");
});

Deno.test("what a member that dies has given to the source of a pull is pulled from the start again", () => {
  const server = returning(memberOf("B", joining), memberOf("C", joining));
  page(server, "C", { records: [known(server, "x")], next: "x", partial: true });
  server.learn("C", memberOf("B", { status: "dead" }));
  server.hear({ type: "PAGE", ...envelope("C"), sequence: 2, records: [], partial: true });
  assertEquals(server.own?.status, "joining");
  assertEquals(last(server.sent("COMPARE", "C")).after, "");
});
