/** What the client library does with a file that it gets. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Script } from "./fake_server.ts";
import {
  bytes,
  failure,
  fileAnswer,
  gather,
  hashOf,
  serving,
  test,
  withClient,
} from "./scripted_client.ts";

test("get() streams the file and verifies it", async () => {
  const body = new Uint8Array(200_000).fill(7);
  await withClient(serving(body, hashOf(body)), async (client) => {
    const { answer, body: got } = await client.get("a");
    assertEquals(answer.size, body.length);
    assertEquals(await gather(got), body);
    assert(!client.closed);
    assertEquals(await gather((await client.get("a")).body), body);
  });
});

test("get() fails at the end of a file with another hash", async () => {
  const script = serving(bytes("Hello"), hashOf(bytes("World")));
  await withClient(script, async (client) => {
    const { body } = await client.get("a");
    assertEquals((await failure(gather(body))).kind, "failed");
  });
});

test("get() fails when the connection ends before the file", async () => {
  const script: Script = async (connection, conn) => {
    await connection.receive();
    const head = { size: 10, sha256: hashOf(bytes("Hello")) };
    await writeFrame(conn, { ...fileAnswer("GET", "a", { status: 200 }), ...head });
    await conn.write(bytes("Hello"));
  };
  await withClient(script, async (client) => {
    const { body } = await client.get("a");
    const error = await failure(gather(body));
    assertEquals(error.kind, "unavailable");
    assertStringIncludes(error.message, "the connection ended before the file did");
  });
});

test("a file that is left early closes the client", async () => {
  const body = new Uint8Array(200_000);
  await withClient(serving(body, hashOf(body)), async (client) => {
    for await (const _ of (await client.get("a")).body) break;
    assert(client.closed);
    assertEquals((await failure(client.get("a"))).kind, "unavailable");
  });
});

test("close() fails what is under way, a body that nobody reads included", async () => {
  const body = bytes("Hello");
  await withClient(serving(body, hashOf(body)), async (client) => {
    await client.get("a");
    const waiting = failure(client.get("b"));
    client.close();
    assertStringIncludes((await waiting).message, "the client was closed");
  });
});

async function writeFrame(conn: Deno.Conn, object: object): Promise<void> {
  const json = bytes(JSON.stringify(object));
  const frame = new Uint8Array(4 + json.length);
  new DataView(frame.buffer).setUint32(0, json.length);
  frame.set(json, 4);
  await conn.write(frame);
}
