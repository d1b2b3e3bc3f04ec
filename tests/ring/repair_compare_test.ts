import { assert, assertEquals } from "@std/assert";
import { pageRecordsMax } from "../../lib/ring/file_record.ts";
import { bucketOf, Disk, inBuckets } from "./disk.ts";
import { inRing, last, returning } from "./harness.ts";
import { compare } from "./repair_harness.ts";
import { forward, write } from "./replication_harness.ts";
import { bodyOf, idOf, memberOf, recordOf, stampAt, tombstoneOf } from "./sample.ts";

const records = inBuckets([
  recordOf("a", ""),
  tombstoneOf("b", stampAt(5)),
  recordOf("c", ""),
  recordOf("d", ""),
]);

Deno.test("a COMPARE is answered with the records that differ, in the order of the buckets", () => {
  const server = inRing("B");
  for (const record of records) server.disk.add(record);
  compare(server, "B");
  const answer = { type: "PAGE" as const, from: idOf("A"), to: idOf("B"), sequence: 7 };
  assertEquals(server.sent("PAGE"), [{ ...answer, records }]);
  assertEquals(server.effects.map(({ type }) => type), ["compare", "reply"]);
});

Deno.test("a COMPARE is answered with what comes after a name, tombstones too", () => {
  const server = inRing("B");
  for (const record of records) server.disk.add(record);
  const [first] = records;
  compare(server, "B", { after: first?.name ?? "" });
  assertEquals(last(server.sent("PAGE")).records, records.slice(1));
});

Deno.test("a COMPARE is not answered with the records of buckets that do not differ", () => {
  const server = inRing("B");
  const theirs = new Disk();
  for (const record of records) {
    server.disk.add(record);
    if (record.name !== "c") theirs.add(record);
  }
  assertEquals(new Set(records.map(({ name }) => bucketOf(name))).size, records.length);
  compare(server, "B", { digests: theirs.digests });
  assertEquals(last(server.sent("PAGE")).records.map(({ name }) => name), ["c"]);
});

Deno.test("a COMPARE is answered with at most pageRecordsMax records, and where to go on", () => {
  const server = inRing("B");
  const all = Array.from({ length: pageRecordsMax + 1 }, (_, n) => recordOf(`file ${n}`, ""));
  for (const record of all) server.disk.add(record);
  compare(server, "B");
  const { records, next } = last(server.sent("PAGE"));
  assertEquals(records, inBuckets(all).slice(0, pageRecordsMax));
  assertEquals(next, records.at(-1)?.name);
});

Deno.test("who is asked has the sender in its list, on disk, before it reads what to answer", () => {
  const server = inRing("B", "C");
  const member = memberOf("B", { incarnation: 2, status: "joining" });
  compare(server, "B", { member });
  assertEquals(server.member("B"), member);
  const types = server.effects.map(({ type }) => type);
  assertEquals(types.filter((type) => type !== "circle"), ["save", "compare", "reply"]);
});

Deno.test("a COMPARE brings no other record than its sender's", () => {
  const server = inRing("B", "C");
  compare(server, "B", { member: memberOf("C", { incarnation: 9, status: "dead" }) });
  assertEquals(server.member("C"), memberOf("C"));
  assertEquals(server.sent("PAGE").length, 1);
});

Deno.test("who has sent a COMPARE is given new writes from then on", () => {
  const server = inRing("B", "C");
  server.learn("C", memberOf("B", { status: "dead" }));
  compare(server, "B", { member: memberOf("B", { incarnation: 2, status: "joining" }) });
  const body = bodyOf("text");
  forward(server, write(server, recordOf("a", "text")), { body });
  assertEquals(last(server.sent("FORWARD")).to, idOf("B"));
});

for (const status of ["dead", "left", "forgotten"] as const) {
  Deno.test(`who is ${status} to the one that it asks is told so, and given nothing until it denies it`, () => {
    const server = inRing("B", "C");
    for (const record of records) server.disk.add(record);
    server.learn("C", memberOf("B", { status }));
    server.forget();
    compare(server, "B", { member: memberOf("B", { status: "joining" }) });
    assertEquals([server.circle, server.sent("PAGE")], ["A C", []]);
    assertEquals(server.receivers("UPDATE"), "B");
    assert(last(server.sent("UPDATE")).members.some(({ status: told }) => told === status));
    compare(server, "B", { member: memberOf("B", { incarnation: 2, status: "joining" }) });
    assertEquals([server.circle, last(server.sent("PAGE")).records], ["A B C", records]);
  });
}

Deno.test("a COMPARE does not wait for what is being stored: who stores it reports the sender", () => {
  const server = inRing("B", "C");
  server.held.add("write");
  const errand = write(server, recordOf("a", "text"));
  forward(server, errand, { body: bodyOf("text") });
  const member = memberOf("B", { incarnation: 2, status: "joining" });
  compare(server, "B", { member });
  assertEquals(last(server.sent("PAGE")).records, []);
  server.release("write");
  assert(last(server.sent("REPORT")).members?.some(({ incarnation }) => incarnation === 2));
});

Deno.test("a page of a server that is not alive says that it is partial", () => {
  const joining = returning(memberOf("B"));
  compare(joining, "B");
  assertEquals(last(joining.sent("PAGE")).partial, true);
  const alive = inRing("B");
  compare(alive, "B");
  assertEquals("partial" in last(alive.sent("PAGE")), false);
});

Deno.test("a page says what its server is when it is read, not when it was asked for", () => {
  const server = inRing("B", "C");
  server.held.add("compare");
  compare(server, "B");
  server.learn("C", memberOf("A", { status: "dead" }));
  server.release("compare");
  assertEquals(last(server.sent("PAGE")).partial, true);
});
