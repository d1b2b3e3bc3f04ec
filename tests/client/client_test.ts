/** The client library: connections, errors, lists, and many requests at a time. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { RingClient } from "../../lib/client/client.ts";
import { RingError, type RingErrorKind } from "../../lib/client/ring_error.ts";
import type { ClientAnswer } from "../../lib/ring/request.ts";
import { answering, type Script, withServer } from "./fake_server.ts";
import {
  bytes,
  failure,
  fileAnswer,
  hashOf,
  patient,
  test,
  withClient,
} from "./scripted_client.ts";

const stamp = `000000000001-0000-${"a".repeat(32)}`;

test("connect() says that nobody listens", async () => {
  let address = "";
  await withServer(answering(() => status()), async (of) => {
    address = of;
    await Promise.resolve();
  });
  const error = await failure(RingClient.connect(address, patient));
  assertEquals(error.kind, "unavailable");
  assertEquals(error.message, `Cannot reach a server at ${address}: nobody listens there`);
});

const kinds: [number, RingErrorKind][] = [
  [404, "notFound"],
  [503, "unavailable"],
  [504, "unknown"],
  [507, "failed"],
  [400, "failed"],
];
for (const [code, kind] of kinds) {
  test(`an answer with status ${code} is an error of kind ${kind}`, async () => {
    const script = answering(({ item }) =>
      fileAnswer("DELETE", item, { status: code, error: "Because" })
    );
    await withClient(script, async (client) => {
      const error = await failure(client.delete("a"));
      // That the outcome is unknown does not mean that it could not be done.
      const message = kind === "unknown" ? "Because" : 'Cannot delete "a": because';
      assertEquals([error.kind, error.message], [kind, message]);
      assert(!client.closed);
    });
  });
}

test("an ERROR answers any request", async () => {
  const script = answering(() => ({ type: "ERROR", status: 503, error: "Cannot serve now" }));
  await withClient(script, async (client) => {
    for (const asked of [client.status(), client.list().next(), client.delete("a")]) {
      const error = await failure(asked);
      assertEquals([error.kind, error.message], ["unavailable", "Cannot serve now"]);
    }
  });
});

test("an answer about another file is refused", async () => {
  const script = answering(() => fileAnswer("DELETE", "b", { status: 200 }));
  await withClient(script, async (client) => {
    const error = await failure(client.delete("a"));
    assertEquals(error.kind, "failed");
    assertStringIncludes(error.message, "answered another request");
  });
});

test("what is no answer of a ring is refused in one sentence", async () => {
  const script: Script = async (connection, conn) => {
    await connection.receive();
    await conn.write(bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
  };
  await withClient(script, async (client) => {
    const error = await failure(client.status());
    assertEquals(error.kind, "unavailable");
    assertStringIncludes(error.message, "its answer makes no sense");
  });
});

test("list() asks for page after page", async () => {
  const names = ["a", "b", "c", "d", "e"];
  const asked: unknown[] = [];
  const script = answering(({ prefix, after }) => {
    asked.push([prefix, after]);
    const start = names.indexOf(String(after)) + 1;
    const page = names.slice(start, start + 2);
    const last = page.at(-1);
    const more = start + 2 < names.length && last !== undefined ? { next: last } : {};
    return { type: "LIST", status: 200, files: page.map(record), ...more };
  });
  await withClient(script, async (client) => {
    const got = await Array.fromAsync(client.list("x"), (file) => file.name);
    assertEquals(got, names);
  });
  assertEquals(asked, [["x", ""], ["x", "b"], ["x", "d"]]);
});

test("list() does not go round in circles", async () => {
  const script = answering(() => ({ type: "LIST", status: 200, files: [record("a")], next: "a" }));
  await withClient(script, async (client) => {
    await assertRejects(() => Array.fromAsync(client.list()), RingError, "a page came twice");
  });
});

function status(): ClientAnswer {
  return {
    type: "STATUS",
    status: 200,
    version: "test",
    id: "a".repeat(32),
    address: "127.0.0.1:1",
    members: [],
    files: 0,
    bytes: 0,
    digest: "0".repeat(64),
  };
}

function record(name: string) {
  return { name, stamp, sha256: hashOf(bytes("")), size: 0, contentType: "text/plain" };
}
