import { assertEquals } from "@std/assert";
import { introductionMs } from "../../lib/ring/strangers.ts";
import { envelope, inRing, type Server } from "./harness.ts";
import { idOf, memberOf, type Name } from "./sample.ts";

/** A member says that A is not in its list. */
function refuse(server: Server, from: Name): void {
  const about = {
    status: 403,
    intended: idOf(from),
    error: "The sender is not in the list",
  } as const;
  server.hear({ type: "REFUSE", ...envelope(from), ...about });
}

Deno.test("each of those that take this server for a stranger is told who is in the ring", () => {
  const server = inRing("B", "C");
  for (const name of ["B", "C", "B", "C"] as const) refuse(server, name);
  assertEquals(server.receivers("UPDATE"), "B C");
});

Deno.test("nobody is told who is in the ring more often than once in introductionMs", () => {
  const server = inRing("B", "C");
  refuse(server, "B");
  server.advance(introductionMs - 1);
  refuse(server, "B");
  assertEquals(server.receivers("UPDATE"), "B");
  server.advance(1);
  refuse(server, "B");
  assertEquals(server.receivers("UPDATE"), "B B");
});

Deno.test("a member that is gone, and takes this server for a stranger, is told as well", () => {
  const server = inRing("B", "C");
  server.learn("B", memberOf("C", { status: "dead" }));
  server.forget();
  refuse(server, "C");
  assertEquals(server.receivers("UPDATE"), "C");
});
