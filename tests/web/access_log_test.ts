import { assertEquals } from "@std/assert";
import { accessLine, withoutTicket } from "../../lib/web/access_log.ts";

const entry = {
  method: "GET",
  target: "/a?b",
  status: 200,
  bytes: 1204,
  milliseconds: 1.26,
  remote: "127.0.0.1:51234",
  isComplete: true,
};

Deno.test("accessLine() says who asked for what, and what came of it", () => {
  assertEquals(accessLine(entry), '127.0.0.1:51234 GET "/a?b" 200 1204 bytes 1.3 ms');
});

Deno.test("accessLine() says that the client went before the end", () => {
  assertEquals(
    accessLine({ ...entry, isComplete: false }),
    '127.0.0.1:51234 GET "/a?b" 200 1204 bytes 1.3 ms, broken off',
  );
});

Deno.test("accessLine() quotes a target, so that it cannot look like something else", () => {
  assertEquals(
    accessLine({ ...entry, target: '/" 200 1 bytes\n\u001b[2J' }),
    '127.0.0.1:51234 GET "/\\" 200 1 bytes\\n\\u001b[2J" 200 1204 bytes 1.3 ms',
  );
});

Deno.test("withoutTicket() leaves out what lets its bearer listen, and nothing else", () => {
  const targetOf = (target: string) => withoutTicket({ ...entry, target }).target;
  assertEquals(targetOf("/_ring/events?ticket=1.2.3"), "/_ring/events?ticket=-");
  assertEquals(targetOf("/_ring/events?a=b&ticket=1&c=d"), "/_ring/events?a=b&ticket=-&c=d");
  assertEquals(targetOf("/ticket=1?b=ticket=2"), "/ticket=1?b=ticket=2");
});
