/** How often a server looks for what it does not have. */
import { assertEquals } from "@std/assert";
import { lookUpsPerSecond } from "../../lib/ring/replication.ts";
import { inRing, type Server } from "./harness.ts";
import { putOf, recordOf, stampAt, tombstoneOf } from "./sample.ts";
import { comeBack, everywhere } from "./replication_harness.ts";

/** A server that has looked for as many names as it may in a second. */
function exhausted(): Server {
  const server = inRing("B", "C");
  for (let n = 0; n < lookUpsPerSecond; n++) server.ask({ type: "GET", item: `missing ${n}` });
  return server;
}

function statusOf(server: Server, request: number): number | undefined {
  return server.answerTo(request)?.status;
}

for (const type of ["GET", "DELETE"] as const) {
  Deno.test(`${type} of one missing name too many is answered 503, and sends nothing`, () => {
    const server = exhausted();
    const sent = server.sent("FORWARD").length;
    const request = server.ask({ type, item: "one more" });
    const error = `This server looks for ${lookUpsPerSecond} names a second on the others ` +
      "at the most; try again";
    assertEquals(server.answerTo(request), { type, item: "one more", status: 503, error });
    assertEquals(server.sent("FORWARD").length, sent);
    assertEquals(server.effectsOf("refused"), [{ type: "refused", bound: "look_ups" }]);
  });
}

Deno.test("what is here is read, replaced and deleted however many missing names are asked for", () => {
  const server = exhausted();
  server.disk.add(recordOf("here", "text"));
  server.disk.add(tombstoneOf("gone", stampAt(1)));
  assertEquals(statusOf(server, server.ask({ type: "GET", item: "here" })), 200);
  assertEquals(statusOf(server, server.ask({ type: "GET", item: "gone" })), 404);
  const sent = server.sent("FORWARD").length;
  server.ask(putOf("here", "new"));
  server.ask({ type: "DELETE", item: "here" });
  assertEquals(server.sent("FORWARD").length - sent, 2);
  assertEquals(server.effectsOf("refused"), []);
});

Deno.test("a server looks for missing names again as time passes", () => {
  const server = exhausted();
  assertEquals(statusOf(server, server.ask({ type: "GET", item: "a" })), 503);
  server.advance(10);
  const request = server.ask({ type: "GET", item: "a" });
  comeBack(server, { visited: everywhere });
  assertEquals(statusOf(server, request), 404);
});

Deno.test("a server that is alone tells at once that there is no file, as often as it is asked", () => {
  const server = inRing();
  for (let n = 0; n < 2 * lookUpsPerSecond; n++) {
    assertEquals(statusOf(server, server.ask({ type: "GET", item: "a" })), 404);
  }
});
