import { assertEquals } from "@std/assert";
import { accessLine } from "../../lib/web/access_log.ts";

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
