import { assert, assertEquals } from "@std/assert";
import { findTimeoutMs } from "../../lib/ring/finder.ts";
import { Disk } from "./disk.ts";
import { inRing, inRingWith, last, type Server } from "./harness.ts";
import { comeBack, everywhere, sentRound } from "./replication_harness.ts";
import { addressOf, idOf, recordOf, stampAt, tombstoneOf } from "./sample.ts";

const record = recordOf("a", "text");

/** Ends all fetches that are under way. */
function fetched(server: Server, ok: boolean): void {
  for (const fetch of server.jobs("fetch")) server.fetched(fetch, ok);
}

Deno.test("a record that has lost its body has it fetched from any other server", () => {
  const server = inRing("B", "C");
  server.disk.add(record);
  server.disk.lose("a", "body");
  const request = server.damaged("a");
  assertEquals(server.sent("FORWARD"), []);
  const [fetch] = server.jobs("fetch");
  assertEquals([fetch?.record, fetch?.sources], [record, [addressOf("B"), addressOf("C")]]);
  assertEquals(server.lostOf(request), undefined);
  fetched(server, true);
  assertEquals(server.lostOf(request), []);
  assert(server.disk.bodies.has(record.sha256));
});

Deno.test("a record that is gone is found on another server, and brought with its body", () => {
  const server = inRing("B", "C");
  const request = server.damaged("a");
  assertEquals(last(server.sent("FORWARD")).errand, { type: "FIND", item: "a" });
  comeBack(server, { visited: everywhere, found: { record, holder: idOf("C") } });
  assertEquals(server.jobs("fetch")[0]?.sources, [addressOf("C"), addressOf("B")]);
  fetched(server, true);
  assertEquals(server.lostOf(request), []);
  assertEquals(server.disk.records.get("a"), record);
});

Deno.test("a tombstone that is gone is found and stored again: the file must not come back", () => {
  const server = inRing("B", "C");
  const request = server.damaged("a");
  const tombstone = tombstoneOf("a", stampAt(5));
  comeBack(server, { visited: everywhere, found: { record: tombstone, holder: idOf("C") } });
  assertEquals(server.lostOf(request), []);
  assertEquals(server.disk.records.get("a"), tombstone);
});

Deno.test("a name that no server knows is not lost: it was damaged itself", () => {
  const server = inRing("B", "C");
  const request = server.damaged("a");
  comeBack(server, { visited: everywhere });
  assertEquals(server.lostOf(request), []);
});

Deno.test("what was written anew meanwhile is whole", () => {
  const server = inRing("B", "C");
  server.disk.add(record);
  const request = server.damaged("a");
  assertEquals(server.lostOf(request), []);
  assertEquals([server.effectsOf("fetch"), server.sent("FORWARD")], [[], []]);
});

Deno.test("what nobody can give back is lost", () => {
  const server = inRing("B", "C");
  server.disk.add(record);
  server.disk.lose("a", "body");
  const request = server.damaged("a");
  fetched(server, false);
  assertEquals(server.lostOf(request), ["a"]);
});

Deno.test("what there is no room for is lost, for now", () => {
  const server = inRing("B", "C");
  server.disk.full = true;
  const request = server.damaged("a");
  comeBack(server, { visited: everywhere, found: { record, holder: idOf("C") } });
  fetched(server, true);
  assertEquals(server.lostOf(request), ["a"]);
});

Deno.test("what not every server could be asked for is lost, for now", () => {
  const server = inRing("B", "C");
  const request = server.damaged("a");
  server.advance(findTimeoutMs);
  assertEquals(server.lostOf(request), ["a"]);
});

Deno.test("a server that is alone has lost what lost its body", () => {
  const server = inRing();
  server.disk.add(record);
  server.disk.lose("a", "body");
  assertEquals(server.lostOf(server.damaged("a")), ["a"]);
});

Deno.test("a server that is alone has lost what lost its record: nobody can bring it back", () => {
  const server = inRing();
  assertEquals(server.lostOf(server.damaged("a")), ["a"]);
});

Deno.test("several names are mended one after the other, and those that are lost are told", () => {
  const server = inRing("B", "C");
  const names = ["gone", "bodiless", "lost", "whole"];
  for (const name of ["bodiless", "lost", "whole"]) server.disk.add(recordOf(name, name));
  for (const name of ["bodiless", "lost"]) server.disk.lose(name, "body");
  const request = server.damaged(...names);
  assertEquals(server.jobs("fetch"), []);
  const gone = recordOf("gone", "gone");
  comeBack(server, { visited: everywhere, found: { record: gone, holder: idOf("B") } });
  for (const [name, ok] of [["gone", true], ["bodiless", true], ["lost", false]] as const) {
    assertEquals(server.jobs("fetch").map(({ record }) => record.name), [name]);
    assertEquals(server.lostOf(request), undefined);
    fetched(server, ok);
  }
  assertEquals(server.lostOf(request), ["lost"]);
});

Deno.test("nothing damaged is nothing lost", () => {
  const server = inRing("B");
  assertEquals(server.lostOf(server.damaged()), []);
});

Deno.test("the digest that is told from then on is that of what is left", () => {
  const disk = new Disk();
  disk.add(record);
  const server = inRingWith({ disk }, "B");
  disk.lose("a", "record");
  server.damaged("a");
  server.forget().advance(1000);
  assertEquals(last(server.sent("CHECK")).files, server.disk.digest);
});

Deno.test("two scrubs at once are answered each for itself", () => {
  const server = inRing("B", "C");
  server.disk.add(record);
  server.disk.lose("a", "body");
  const first = server.damaged("a");
  const second = server.damaged("b");
  comeBack(server, { visited: everywhere });
  assertEquals([server.lostOf(first), server.lostOf(second)], [undefined, []]);
  fetched(server, false);
  assertEquals(server.lostOf(first), ["a"]);
  assertEquals(sentRound(server).sequence > 0, true);
});
