import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { hopTimeoutMs } from "../../lib/ring/circles.ts";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import { requestsMax, writeTimeoutMs } from "../../lib/ring/replication.ts";
import { resendMs } from "../../lib/ring/rounds.ts";
import { envelope, epochMs, inRing, last, Server } from "./harness.ts";
import {
  addressOf,
  bodyOf,
  idOf,
  memberOf,
  type Name,
  nameOf,
  path,
  putOf,
  recordOf,
  stampAt,
  tombstoneOf,
} from "./sample.ts";
import { everywhere, forward, report, sentRound, write } from "./replication_harness.ts";

Deno.test("PUT is not answered before this server and every live member have it on disk", () => {
  fc.assert(fc.property(
    fc.shuffledSubarray<Name>(["A", "B", "C"], { minLength: 3 }),
    (order) => {
      const server = inRing("B", "C");
      server.held.add("write");
      const request = server.ask(putOf("a", "text"));
      for (const name of order) {
        assertEquals(server.answerTo(request), undefined);
        if (name === "A") server.release("write");
        else report(server, name);
      }
      assertEquals(server.answerTo(request)?.status, 201);
      assertEquals(server.answerTo(request)?.copies, 3);
    },
  ));
});

Deno.test("PUT is answered with what was stored: hash, type and stamp", () => {
  const server = inRing();
  const { sha256, contentType, ...put } = putOf("a", "text");
  const request = server.ask({ sha256, contentType, ...put });
  const stamp = server.disk.records.get("a")?.stamp;
  assert(stamp !== undefined && stamp > stampAt(epochMs, "A").slice(0, 12));
  const answer = { type: "PUT" as const, item: "a", status: 201, copies: 1 };
  assertEquals(server.answerTo(request), { ...answer, sha256, contentType, stamp });
});

Deno.test("PUT sends the record on while it is being written, the body inside", () => {
  const server = inRing("B", "C");
  server.held.add("write");
  server.ask(putOf("a", "text"));
  const [message] = server.sent("FORWARD");
  assertEquals(server.effects.map(({ type }) => type), ["save", "write", "send"]);
  assertEquals(nameOf(message?.to ?? ""), "B");
  assertEquals(message?.body, bodyOf("text"));
  const { record } = server.jobs("write")[0]?.write ?? {};
  assert(record !== undefined);
  assertEquals(message?.errand, {
    type: "WRITE",
    record,
    holder: idOf("A"),
    list: server.list,
  });
});

Deno.test("PUT sends a large record on without its body, with its upload", () => {
  const server = inRing("B", "C");
  const large = { size: inlineBytesMax + 1, sha256: "1".repeat(64), upload: "upload 1" };
  const contentType = "text/plain";
  server.disk.bodies.add(large.sha256);
  server.ask({ type: "PUT", item: "a", contentType, ...large });
  const [message] = server.sent("FORWARD");
  assert(message !== undefined && message.errand.type === "WRITE");
  assertEquals(message.body, undefined);
  assertEquals(message.errand.upload, "upload 1");
});

Deno.test("PUT is answered 200 if it replaced a file, 201 if there was none or a deleted one", () => {
  const cases: readonly [FileRecord | undefined, number][] = [
    [undefined, 201],
    [recordOf("a", "old"), 200],
    [tombstoneOf("a", stampAt(1)), 201],
  ];
  for (const [before, status] of cases) {
    const server = inRing();
    if (before !== undefined) server.disk.add(before);
    assertEquals(server.answerTo(server.ask(putOf("a", "text")))?.status, status);
  }
});

Deno.test("PUT counts only the copies that there are", () => {
  const server = inRing("B", "C");
  const request = server.ask(putOf("a", "text"));
  report(server, "B", { deed: "failed" });
  report(server, "C");
  assertEquals(server.answerTo(request)?.copies, 2);
});

Deno.test("PUT on a full disk is answered 201 if another server stored it", () => {
  const server = inRing("B");
  server.disk.full = true;
  const request = server.ask(putOf("a", "text"));
  report(server, "B");
  assertEquals([server.answerTo(request)?.status, server.answerTo(request)?.copies], [201, 1]);
});

Deno.test("PUT is answered 507, with a sentence, only if nobody could store it", () => {
  const server = inRing("B");
  server.disk.full = true;
  const request = server.ask(putOf("a", "text"));
  report(server, "B", { deed: "failed" });
  const error = "There is no room left on any server's disk";
  assertEquals(server.answerTo(request), { type: "PUT", item: "a", status: 507, error });
});

Deno.test("PUT is settled by the death of the member that it waits for", () => {
  const server = inRing("B", "C");
  const request = server.ask(putOf("a", "text"));
  report(server, "B");
  server.learn("B", memberOf("C", { status: "dead" }));
  assertEquals(server.answerTo(request)?.copies, 2);
});

Deno.test("PUT reaches the members behind one that refuses", () => {
  const server = inRing("B", "C");
  server.answering.delete("B");
  server.ask(putOf("a", "text"));
  server.unreachable("B", "refused");
  const message = last(server.sent("FORWARD"));
  assertEquals(nameOf(message.to), "C");
  assertEquals(path(message.circle), "A:passed B:skipped by A");
  assertEquals(message.body, bodyOf("text"));
});

Deno.test("PUT is sent again after 1 s, the same write, to those that have not reported", () => {
  const server = inRing("B", "C");
  server.ask(putOf("a", "text"));
  const [first] = server.sent("FORWARD");
  report(server, "B");
  server.advance(resendMs - 1);
  assertEquals(server.sent("FORWARD").length, 1);
  server.advance(1);
  const again = last(server.sent("FORWARD"));
  assertEquals([nameOf(again.to), path(again.circle)], ["C", "A:stored B:stored"]);
  assertEquals(again.errand, first?.errand);
  assertEquals(again.body, first?.body);
  assertEquals([again.circle.sequence, again.circle.attempt], [first?.circle.sequence, 1]);
  report(server, "C");
  server.forget().advance(2 * resendMs);
  assertEquals(server.sent("FORWARD"), []);
});

Deno.test("PUT is answered 504 after 9 s: the outcome is unknown, and says how far it came", () => {
  const server = inRing("B", "C");
  const request = server.ask(putOf("a", "text"));
  report(server, "B");
  server.advance(writeTimeoutMs - 1);
  assertEquals(server.answerTo(request), undefined);
  server.advance(1);
  const error = 'The outcome for "a" is unknown: 2 of 3 servers have it after 9 s';
  assertEquals(server.answerTo(request), { type: "PUT", item: "a", status: 504, error });
  report(server, "C");
  assertEquals(server.answerTo(request)?.status, 504);
});

Deno.test("PUT of a large file has time for it", () => {
  const server = inRing("B");
  const large = { size: 100_000_000, sha256: "1".repeat(64), contentType: "", upload: "upload 1" };
  server.disk.bodies.add(large.sha256);
  const request = server.ask({ type: "PUT", item: "a", ...large });
  server.advance(writeTimeoutMs + 9_000);
  assertEquals(server.answerTo(request), undefined);
  server.advance(1_000);
  assertEquals(server.answerTo(request)?.status, 504);
});

Deno.test("writes of one server have rising stamps, though its wall clock jumps back", () => {
  const server = inRing();
  const stamps = ["a", "b", "c"].map((name) => {
    server.wallJump -= 60_000;
    return server.answerTo(server.ask(putOf(name, "text")))?.stamp ?? "";
  });
  assertEquals(stamps, [...stamps].sort());
  assertEquals(new Set(stamps).size, 3);
});

Deno.test("a write is above every stamp that was stored, or came round", () => {
  const stored = { incarnation: 0, members: [], highestStamp: stampAt(2 ** 42) };
  const server = new Server({ stored }).start();
  const first = server.answerTo(server.ask(putOf("a", "text")))?.stamp ?? "";
  assert(first > stored.highestStamp);
  server.answering.add("B");
  server.learn("B", memberOf("B"), memberOf("C", { status: "dead" }));
  forward(server, write(server, recordOf("b", "text", { stamp: stampAt(2 ** 43) })));
  server.ask(putOf("a", "text"));
  report(server, "B");
  assert((server.disk.records.get("a")?.stamp ?? "") > stampAt(2 ** 43));
});

Deno.test("a request to a server that is not in the ring yet is answered 503", () => {
  const server = new Server({ previous: addressOf("B") }).start();
  const request = server.ask(putOf("a", "text"));
  const error = "This server is not in the ring yet";
  assertEquals(server.answerTo(request), { type: "PUT", item: "a", status: 503, error });
});

Deno.test("one request more than requestsMax is answered 503, until another has ended", () => {
  const server = inRing();
  server.held.add("look");
  for (let n = 0; n < requestsMax; n++) server.ask({ type: "GET", item: `file ${n}` });
  const refused = server.ask({ type: "GET", item: "a" });
  const error = `This server has ${requestsMax} requests under way; try again`;
  assertEquals(server.answerTo(refused), { type: "GET", item: "a", status: 503, error });
  assertEquals(server.effectsOf("refused"), [{ type: "refused", bound: "requests" }]);
  const [look] = server.jobs("look");
  if (look !== undefined) server.finish(look);
  assertEquals(server.answerTo(server.ask({ type: "GET", item: "a" })), undefined);
  assertEquals(server.answerTo(server.ask({ type: "GET", item: "a" }))?.status, 503);
});

Deno.test("a report of an earlier life, or to nobody's circle, changes nothing", () => {
  const server = inRing("B");
  const request = server.ask(putOf("a", "text"));
  report(server, "B", { circle: { ...sentRound(server), boot: "earlier" } });
  report(server, "B", { circle: { ...sentRound(server), sequence: 99 } });
  assertEquals(server.answerTo(request), undefined);
});

Deno.test("a silent successor delays the others by two hop timeouts at most", () => {
  const server = inRing("B", "C");
  server.answering.delete("B");
  server.ask(putOf("a", "text"));
  server.advance(2 * hopTimeoutMs);
  assertEquals(server.receivers("FORWARD").includes("C"), true);
});

Deno.test("answers are never crossed, in whatever order disks and servers do their work", () => {
  const ask = fc.record({
    type: fc.constantFrom("GET" as const, "PUT" as const, "DELETE" as const),
    item: fc.constantFrom("a", "b", "c"),
    text: fc.string({ maxLength: 4 }),
  });
  const asks = fc.array(ask, { minLength: 1, maxLength: 12 });
  fc.assert(fc.property(asks, fc.infiniteStream(fc.nat()), (asks, choices) => {
    const server = inRing("B", "C");
    server.held.add("write").add("look");
    const requests = asks.map(({ type, item, text }) => {
      const what = type === "PUT" ? putOf(item, text) : { type, item };
      return { request: server.ask(what), what };
    });
    runInAnyOrder(server, choices);
    for (const { request, what } of requests) {
      const answer = server.answerTo(request);
      assert(answer !== undefined, `${what.type} ${what.item} was not answered`);
      assertEquals([answer.type, answer.item], [what.type, what.item]);
      if (what.type === "PUT") assertEquals(answer.sha256, what.sha256);
      if (what.type === "PUT" || answer.status === 200) assert(answer.stamp !== undefined);
      if (what.type === "GET" && answer.status === 200) {
        const texts = asks.filter(({ type, item }) => type === "PUT" && item === what.item);
        const hashes = texts.map(({ item, text }) => putOf(item, text).sha256);
        assert(hashes.includes(answer.sha256 ?? ""), "a GET was answered with another's body");
      }
    }
  }));
});

/** Ends what is under way, one thing after another, as `choices` say, until nothing is. */
function runInAnyOrder(server: Server, choices: Iterator<number>): void {
  const answered = new Set<string>();
  for (;;) {
    const rounds = server.sent("FORWARD").filter(({ circle }) => {
      return !answered.has(`${circle.sequence} B`) || !answered.has(`${circle.sequence} C`);
    });
    const jobs = [...server.jobs("write"), ...server.jobs("look")];
    const at = (choices.next().value ?? 0) % Math.max(1, jobs.length + rounds.length);
    const job = jobs[at];
    const round = rounds[at - jobs.length];
    if (job !== undefined) server.finish(job);
    else if (round === undefined) return;
    else if (round.errand.type === "FIND") {
      answered.add(`${round.circle.sequence} B`).add(`${round.circle.sequence} C`);
      const circle = { ...round.circle, visited: everywhere };
      server.hear({ ...round, ...envelope("C"), circle });
    } else {
      const name = answered.has(`${round.circle.sequence} B`) ? "C" : "B";
      answered.add(`${round.circle.sequence} ${name}`);
      report(server, name, { circle: round.circle });
    }
  }
}
