import { assert, assertEquals } from "@std/assert";
import { fetchesMax } from "../../lib/ring/applier.ts";
import { checkIntervalDefaultMs } from "../../lib/ring/checks.ts";
import { type FileRecord, pageRecordsMax } from "../../lib/ring/file_record.ts";
import {
  differencePause,
  differencesMin,
  pageTimeoutMs,
  pageTriesMax,
} from "../../lib/ring/repair.ts";
import { envelope, inRing, last, returning, type Server } from "./harness.ts";
import {
  addressOf,
  bodyOf,
  circleOf,
  idOf,
  memberOf,
  type Name,
  putOf,
  recordOf,
  stampAt,
  tombstoneOf,
} from "./sample.ts";

/** A page that answers the last COMPARE. */
function page(
  server: Server,
  from: Name,
  records: readonly FileRecord[] = [],
  next?: string,
): void {
  const { sequence } = last(server.sent("COMPARE", from));
  const more = next === undefined ? {} : { next };
  server.hear({ type: "PAGE", ...envelope(from), sequence, records, ...more });
}

/** A record whose body this server has already. */
function known(server: Server, name: string): FileRecord {
  const record = recordOf(name, name);
  server.disk.bodies.add(record.sha256);
  return record;
}

/** B tells that its files have this digest, in a CHECK. */
function tell(server: Server, files: string, from: Name = "B"): void {
  server.hear({
    type: "CHECK",
    ...envelope(from),
    sequence: 1,
    list: "",
    files,
    wall: server.now.wall,
  });
}

Deno.test("a joining server pulls from its predecessor", () => {
  const server = returning(memberOf("B"), memberOf("C"), memberOf("D"));
  const compare = { type: "COMPARE" as const, from: idOf("A"), to: idOf("D") };
  assertEquals(server.sent("COMPARE"), [{ ...compare, sequence: 1, after: "" }]);
});

Deno.test("a joining server prefers a member that is alive to a nearer one that is not", () => {
  const joining = { status: "joining" } as const;
  const server = returning(memberOf("B"), memberOf("C"), memberOf("D", joining));
  assertEquals(server.receivers("COMPARE"), "C");
});

Deno.test("a joining server pulls page by page, and then says that it is alive", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  const records = ["a", "b", "c"].map((name) => known(server, name));
  page(server, "C", records.slice(0, 2), "b");
  assertEquals(last(server.sent("COMPARE")).after, "b");
  assertEquals(server.own?.status, "joining");
  server.forget();
  server.hear({ type: "PAGE", ...envelope("C"), sequence: 2, records: records.slice(2) });
  assertEquals(server.own, memberOf("A", { incarnation: 2, status: "alive" }));
  assertEquals(server.disk.sorted, records);
  const told = last(server.sent("UPDATE")).members.find(({ id }) => id === idOf("A"));
  assertEquals(told?.status, "alive");
});

Deno.test("a joining server is not alive before the last record of the last page is on disk", () => {
  const server = returning(memberOf("B"));
  server.held.add("write");
  page(server, "B", [known(server, "a"), known(server, "b")]);
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
  page(server, "B", [tombstone]);
  assertEquals(server.disk.records.get("a"), tombstone);
});

Deno.test("a body that is missing is fetched, from the source first, and then written", () => {
  const server = returning(memberOf("B"), memberOf("C"), memberOf("D"));
  const record = recordOf("a", "text");
  page(server, "D", [record]);
  const [fetch] = server.jobs("fetch");
  assert(fetch !== undefined);
  assertEquals(fetch.sources, [addressOf("D"), addressOf("B"), addressOf("C")]);
  assertEquals(server.own?.status, "joining");
  server.fetched(fetch, true);
  assertEquals(server.disk.records.get("a"), record);
  assertEquals(server.own?.status, "alive");
});

Deno.test("a record that is superseded here fetches nothing", () => {
  const server = returning(memberOf("B"));
  const newer = recordOf("a", "new", { stamp: stampAt(2000) });
  server.disk.add(newer);
  page(server, "B", [recordOf("a", "old")]);
  assertEquals(server.effectsOf("fetch"), []);
  assertEquals(server.disk.records.get("a"), newer);
  assertEquals(server.own?.status, "alive");
});

Deno.test("at most fetchesMax bodies of a page are fetched at once", () => {
  const server = returning(memberOf("B"));
  const names = Array.from({ length: 3 * fetchesMax }, (_, n) => `file ${n}`);
  page(server, "B", names.map((name) => recordOf(name, name)));
  for (let open = server.jobs("fetch"); open.length > 0; open = server.jobs("fetch")) {
    assert(open.length <= fetchesMax);
    for (const fetch of open.slice(0, 5)) server.fetched(fetch, true);
  }
  assertEquals(server.disk.records.size, names.length);
  assertEquals(server.own?.status, "alive");
});

Deno.test("a page that does not answer the last COMPARE changes nothing", () => {
  const server = returning(memberOf("B"));
  const { sequence } = last(server.sent("COMPARE"));
  for (const wrong of [sequence - 1, sequence + 1]) {
    const record = known(server, "a");
    server.hear({ type: "PAGE", ...envelope("B"), sequence: wrong, records: [record] });
  }
  assertEquals(server.own?.status, "joining");
  assertEquals(server.disk.records.size, 0);
});

Deno.test("a page that comes twice is applied once", () => {
  const server = returning(memberOf("B"));
  server.held.add("write");
  page(server, "B", [known(server, "a")]);
  page(server, "B", [known(server, "a")]);
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
  page(server, "B", [recordOf("a", "text")]);
  server.forget().advance(20 * pageTimeoutMs);
  assertEquals(server.sent("COMPARE"), []);
});

Deno.test("a source that dies is replaced by another at once, from the beginning", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  page(server, "C", [known(server, "a")], "a");
  server.forget().learn("B", memberOf("C", { status: "dead" }));
  const [compare] = server.sent("COMPARE", "B");
  assertEquals(compare?.after, "");
});

Deno.test("records that a dead source sent are still applied, but do not end the pull", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  server.held.add("write");
  page(server, "C", [known(server, "a")]);
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

Deno.test("where all are joining each is pulled from in turn, and then this server is alive", () => {
  const joining = { status: "joining" } as const;
  const server = returning(memberOf("B", joining), memberOf("C", joining));
  page(server, "C");
  assertEquals(server.own?.status, "joining");
  page(server, "B");
  assertEquals(server.receivers("COMPARE"), "C B");
  assertEquals(server.own?.status, "alive");
});

Deno.test("a source that is suspect at the end does not count as one that holds everything", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  server.learn("B", memberOf("C", { status: "suspect" }));
  page(server, "C");
  assertEquals(server.own?.status, "joining");
  assertEquals(server.receivers("COMPARE"), "C B");
});

Deno.test("a body that nobody has keeps a server joining; it tries all, and again after 2 s", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  for (const name of ["C", "B"] as const) {
    page(server, name, [recordOf("a", "text")]);
    for (const fetch of server.jobs("fetch")) server.fetched(fetch, false);
  }
  assertEquals(server.own?.status, "joining");
  assertEquals(server.receivers("COMPARE"), "C B");
  server.advance(pageTimeoutMs);
  assertEquals(server.receivers("COMPARE"), "C B C");
  page(server, "C", [recordOf("a", "text")]);
  for (const fetch of server.jobs("fetch")) server.fetched(fetch, true);
  assertEquals(server.own?.status, "alive");
});

Deno.test("a COMPARE is answered with the records after a name, in order, tombstones too", () => {
  const server = inRing("B");
  const records = [recordOf("a", ""), tombstoneOf("b", stampAt(5)), recordOf("c", "")];
  for (const record of records) server.disk.add(record);
  server.hear({ type: "COMPARE", ...envelope("B"), sequence: 7, after: "a" });
  const answer = { type: "PAGE" as const, from: idOf("A"), to: idOf("B"), sequence: 7 };
  assertEquals(server.sent("PAGE"), [{ ...answer, records: records.slice(1) }]);
  assertEquals(server.effects.map(({ type }) => type), ["scan", "reply"]);
});

Deno.test("a COMPARE is answered with at most pageRecordsMax records, and where to go on", () => {
  const server = inRing("B");
  const nameOf = (n: number) => `file ${String(n).padStart(4, "0")}`;
  for (let n = 0; n <= pageRecordsMax; n++) server.disk.add(recordOf(nameOf(n), ""));
  server.hear({ type: "COMPARE", ...envelope("B"), sequence: 7, after: "" });
  const { records, next } = last(server.sent("PAGE"));
  assertEquals([records.length, next], [pageRecordsMax, nameOf(pageRecordsMax - 1)]);
});

Deno.test("a COMPARE is answered only when what was being stored before is stored", () => {
  const server = inRing("B", "C");
  server.held.add("write");
  const record = recordOf("a", "text");
  const errand = { type: "WRITE", record, holder: idOf("C") } as const;
  const body = bodyOf("text");
  server.hear({ type: "FORWARD", ...envelope("C"), hop: 1, circle: circleOf("C"), errand, body });
  server.hear({ type: "COMPARE", ...envelope("B"), sequence: 7, after: "" });
  assertEquals(server.sent("PAGE"), []);
  server.release("write");
  assertEquals(last(server.sent("PAGE")).records, [record]);
});

Deno.test("a difference of files that is seen once causes nothing", () => {
  const server = inRing("B", "C");
  tell(server, "theirs");
  tell(server, "theirs", "C");
  assertEquals(server.sent("COMPARE"), []);
});

Deno.test("the same difference seen twice causes a pull, one at a time", () => {
  assertEquals(differencesMin, 2);
  const server = inRing("B", "C");
  for (const from of ["B", "B", "B", "C", "C"] as const) tell(server, "theirs", from);
  assertEquals(server.receivers("COMPARE"), "B");
  page(server, "B", [known(server, "a")]);
  assertEquals(server.disk.records.size, 1);
  assertEquals(server.own, memberOf("A"));
  assertEquals(server.sent("UPDATE"), []);
});

Deno.test("a difference that changes from one CHECK to the next is writes under way", () => {
  const server = inRing("B");
  for (const files of ["1", "2", "3", "4"]) tell(server, files);
  for (const name of ["a", "b", "c"]) {
    server.ask(putOf(name, "text"));
    tell(server, "4");
  }
  assertEquals(server.sent("COMPARE"), []);
});

Deno.test("a difference that was gone in between is counted afresh", () => {
  const server = inRing("B");
  tell(server, "theirs");
  tell(server, server.disk.digest);
  tell(server, "theirs");
  assertEquals(server.sent("COMPARE"), []);
});

Deno.test("a difference is seen in the answer to a CHECK too", () => {
  const server = inRing("B");
  server.answering.delete("B");
  for (let n = 0; n < differencesMin; n++) {
    server.advance(checkIntervalDefaultMs);
    const { sequence, list } = last(server.sent("CHECK"));
    server.hear({ type: "CHECKED", ...envelope("B"), sequence, list, files: "theirs", wall: 0 });
  }
  assertEquals(server.receivers("COMPARE"), "B");
});

Deno.test("a difference that a comparison did not end is looked at again after a pause", () => {
  const server = inRing("B");
  for (let n = 0; n < differencesMin; n++) tell(server, "theirs");
  page(server, "B");
  for (let n = 0; n < differencePause; n++) tell(server, "theirs");
  assertEquals(server.receivers("COMPARE"), "B");
  for (let n = 0; n < differencesMin; n++) tell(server, "theirs");
  assertEquals(server.receivers("COMPARE"), "B B");
});

Deno.test("a joining server does not compare besides: it pulls everything anyway", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  for (let n = 0; n < 3 * differencesMin; n++) tell(server, "theirs");
  assertEquals(server.receivers("COMPARE"), "C");
});

Deno.test("a pull for a difference is given up when the member does not answer", () => {
  const server = inRing("B", "C");
  for (let n = 0; n < differencesMin; n++) tell(server, "theirs");
  server.advance((pageTriesMax + 5) * pageTimeoutMs);
  assertEquals(server.receivers("COMPARE"), "B B B");
});
