import { assertEquals } from "@std/assert";
import { type FileRecord } from "../../lib/ring/file_record.ts";
import { settleMsMax, writeTimeoutMs } from "../../lib/ring/replication.ts";
import { envelope, last, returning, type Server } from "./harness.ts";
import { known, page } from "./repair_harness.ts";
import { forward, write } from "./replication_harness.ts";
import { bodyOf, circleOf, memberOf, recordOf } from "./sample.ts";

const joining = { status: "joining" } as const;

/** A write reaches the server that finds no room for it. */
function missWrite(server: Server, sequence = 1, changes: Partial<FileRecord> = {}): void {
  server.disk.full = true;
  const circle = circleOf("C", { sequence });
  const record = recordOf("missed", "text", changes);
  forward(server, write(server, record), { circle, body: bodyOf("text") });
  server.disk.full = false;
}

Deno.test("a server that misses a write while it pulls begins anew, and the old pages do not count", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  missWrite(server);
  page(server, "C");
  assertEquals(server.own?.status, "joining");
  server.forget().advance(writeTimeoutMs);
  assertEquals(server.sent("COMPARE").map(({ after }) => after), [""]);
  for (const name of ["C", "B"] as const) page(server, name);
  assertEquals(server.own?.status, "alive");
});

Deno.test("a server that missed a write does not pull before that write is settled", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  missWrite(server);
  server.forget().advance(writeTimeoutMs - 1);
  assertEquals(server.sent("COMPARE"), []);
  server.advance(1);
  assertEquals(server.sent("COMPARE").length, 1);
});

Deno.test("a server waits settleMsMax at the most for a write that says it is endlessly large", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  missWrite(server, 1, { size: Number.MAX_SAFE_INTEGER });
  server.forget().advance(settleMsMax - 1);
  assertEquals(server.sent("COMPARE"), []);
  server.advance(1);
  assertEquals(server.sent("COMPARE").length, 1);
});

Deno.test("a server does not wait for a large write whose creator is gone", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  server.learn("B", memberOf("C", { status: "dead" }));
  missWrite(server, 1, { size: Number.MAX_SAFE_INTEGER });
  server.forget().advance(writeTimeoutMs);
  assertEquals(server.sent("COMPARE").length, 1);
});

Deno.test("a server that misses one write after another waits for the last of them", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  missWrite(server, 1);
  server.advance(5000);
  missWrite(server, 2);
  server.forget().advance(writeTimeoutMs - 1);
  assertEquals(server.sent("COMPARE"), []);
  server.advance(1);
  assertEquals(server.sent("COMPARE").length, 1);
});

Deno.test("a server that was stopped while it pulled begins anew, at once", () => {
  const server = returning(memberOf("B"));
  page(server, "B", { records: [known(server, "a")], next: "a" });
  server.forget().pause(4000);
  assertEquals(last(server.sent("COMPARE")).after, "");
});

Deno.test("a server that was stopped, and then sees the last page of its pull, is not alive by that", () => {
  const server = returning(memberOf("B"));
  server.stopFor(60_000);
  page(server, "B");
  assertEquals(server.own?.status, "joining");
  assertEquals(server.receivers("COMPARE"), "B B");
  page(server, "B");
  assertEquals(server.own?.status, "alive");
});

Deno.test("a server that was stopped, and then hears of its last write, is not alive by that", () => {
  const server = returning(memberOf("B"));
  server.held.add("write");
  page(server, "B", { records: [known(server, "a")] });
  server.stopFor(60_000);
  server.release("write");
  assertEquals(server.own?.status, "joining");
  page(server, "B");
  assertEquals(server.own?.status, "alive");
});

Deno.test("a joining server that was held dead begins its pull anew", () => {
  const server = returning(memberOf("B"), memberOf("C"));
  page(server, "C", { records: [known(server, "a")], next: "a" });
  const old = last(server.sent("COMPARE"));
  server.forget().learn("B", memberOf("A", { incarnation: 2, status: "dead" }));
  server.hear({ type: "PAGE", ...envelope("C"), sequence: old.sequence, records: [] });
  assertEquals(server.own, memberOf("A", { incarnation: 3, status: "joining" }));
  const [compare] = server.sent("COMPARE");
  assertEquals([compare?.after, compare?.member], ["", server.own]);
});

Deno.test("a server that was held dead while it was joining forgets whom it has pulled from", () => {
  const server = returning(memberOf("B", joining), memberOf("C", joining));
  page(server, "C", { partial: true });
  server.learn("B", memberOf("A", { incarnation: 2, status: "dead" }));
  page(server, "C", { partial: true });
  assertEquals(server.own?.status, "joining");
  assertEquals(server.receivers("COMPARE"), "C B C B");
});
