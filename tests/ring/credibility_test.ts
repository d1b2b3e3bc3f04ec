import { assertEquals } from "@std/assert";
import { incarnationStepMax, stampAheadMsMax } from "../../lib/ring/credibility.ts";
import type { Errand } from "../../lib/ring/message.ts";
import { envelope, epochMs, inRing, last, type Server } from "./harness.ts";
import { page, tell } from "./repair_harness.ts";
import { forward, write } from "./replication_harness.ts";
import { bodyOf, idOf, memberOf, recordOf, stampAt } from "./sample.ts";

/** The last stamp that there is: no clock can make one above it. */
const lastStamp = `ffffffffffff-ffff-${idOf("F")}`;

/** The stamp that A makes next. */
function nextStamp(server: Server): string {
  server.forget().step({ type: "collect", request: 1 });
  const { errand } = last(server.sent("FORWARD"));
  return errand.type === "SURVEY" ? errand.upTo : "";
}

const find: Errand = { type: "FIND", item: "a" };
const lying: readonly { what: string; errand: (server: Server) => Errand }[] = [
  {
    what: "a WRITE with the last stamp there is",
    errand: (server) => write(server, recordOf("a", "text", { stamp: lastStamp })),
  },
  {
    what: "a FIND that has found a record with the last stamp there is",
    errand: () => ({
      ...find,
      found: { record: recordOf("a", "text", { stamp: lastStamp }), holder: idOf("C") },
    }),
  },
  {
    what: "a FIND that has found another file",
    errand: () => ({ ...find, found: { record: recordOf("b", "text"), holder: idOf("C") } }),
  },
  {
    what: "a SURVEY up to the last stamp there is",
    errand: () => ({ type: "SURVEY", upTo: lastStamp, surveys: [] }),
  },
  {
    what: "a COLLECT up to the last stamp there is",
    errand: (server) => ({ type: "COLLECT", upTo: lastStamp, list: server.list }),
  },
];

for (const { what, errand } of lying) {
  Deno.test(`${what} is not heeded, and not passed on`, () => {
    const server = inRing("B", "C");
    forward(server, errand(server), { body: bodyOf("text") });
    assertEquals(server.effects.filter(({ type }) => type !== "wake"), []);
    assertEquals(server.disk.records.size, 0);
    assertEquals(nextStamp(server) < lastStamp, true);
  });
}

Deno.test("a PAGE with the last stamp there is, is not heeded", () => {
  const server = inRing("B", "C");
  for (let n = 0; n < 2; n++) tell(server, "theirs");
  page(server, "B", { records: [recordOf("a", "text", { stamp: lastStamp })] });
  assertEquals(server.disk.records.size, 0);
  assertEquals(nextStamp(server) < lastStamp, true);
});

Deno.test("an INSERTED with the last stamp there is leaves the clock alone", () => {
  const server = inRing("B", "C");
  server.hear({ type: "INSERTED", ...envelope("B"), stamp: lastStamp, members: [] });
  assertEquals(nextStamp(server) < lastStamp, true);
});

Deno.test("a write with a stamp as far ahead as is believed is taken", () => {
  const server = inRing("B", "C");
  const record = recordOf("a", "text", { stamp: stampAt(epochMs + stampAheadMsMax) });
  forward(server, write(server, record), { body: bodyOf("text") });
  assertEquals(server.disk.records.get("a"), record);
});

Deno.test("an incarnation far above the known one is not believed, of this server or of another", () => {
  const far = 2 + incarnationStepMax;
  for (const incarnation of [far, Number.MAX_SAFE_INTEGER]) {
    const server = inRing("B", "C");
    server.learn("C", memberOf("A", { incarnation, status: "dead" }));
    server.learn("C", memberOf("B", { incarnation, status: "dead" }), memberOf("D"));
    assertEquals(server.own, memberOf("A"));
    assertEquals(server.member("B"), memberOf("B"));
    // What else is in the list is believed.
    assertEquals(server.circle, "A B C D");
  }
});

Deno.test("an incarnation as far above the known one as is believed is surpassed", () => {
  const server = inRing("B", "C");
  const incarnation = 1 + incarnationStepMax;
  server.learn("C", memberOf("A", { incarnation, status: "suspect" }));
  assertEquals(server.own, memberOf("A", { incarnation: incarnation + 1 }));
});
