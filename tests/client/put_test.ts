/** What the client library does with what it sends. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { encodeAnswer } from "../../lib/protocol/encode.ts";
import { answering, type Script } from "./fake_server.ts";
import {
  bytes,
  failure,
  fileAnswer,
  hashOf,
  hasty,
  swallow,
  test,
  text,
  withClient,
} from "./scripted_client.ts";

test("put() sends bytes, and streams what is iterable", async () => {
  const got: string[] = [];
  const script = answering((request, body) => {
    got.push(`${request.type} ${request.item} ${request.size} ${text(body)}`);
    return fileAnswer("PUT", request.item, { status: 201, copies: 3, sha256: hashOf(body) });
  });
  await withClient(script, async (client) => {
    const body = bytes("Hello");
    assertEquals((await client.put("a", { size: 5, body })).copies, 3);
    assertEquals((await client.put("b", { size: 5, body: chunks("He", "llo") })).status, 201);
    assertEquals((await client.put("c", { size: 0, body: chunks() })).status, 201);
    assertEquals((await client.put("d", { size: 0, body: bytes("") })).status, 201);
  });
  assertEquals(got, ["PUT a 5 Hello", "PUT b 5 Hello", "PUT c 0 ", "PUT d 0 "]);
});

test("put() takes large bytes and the content type", async () => {
  const body = new Uint8Array(300_000).map((_, index) => index % 251);
  const script = answering((request, received) => {
    assertEquals(request.contentType, "text/x-test");
    return fileAnswer("PUT", request.item, { status: 200, sha256: hashOf(received) });
  });
  await withClient(script, async (client) => {
    const answer = await client.put("a", { size: body.length, body, contentType: "text/x-test" });
    assertEquals(answer.sha256, hashOf(body));
  });
});

test("put() fails if the server stored other bytes", async () => {
  const script = answering(({ item }) =>
    fileAnswer("PUT", item, { status: 201, sha256: hashOf(bytes("other")) })
  );
  await withClient(script, async (client) => {
    const error = await failure(client.put("a", { size: 5, body: bytes("Hello") }));
    assertEquals(error.kind, "failed");
    assertStringIncludes(error.message, "other bytes");
  });
});

for (const type of ["PUT", "DELETE"] as const) {
  test(`a ${type} that was sent and is not answered has an unknown outcome`, async () => {
    const script: Script = async (connection) => {
      await connection.receive();
      await connection.skipBody();
    };
    await withClient(script, async (client) => {
      const asked = type === "PUT"
        ? client.put("a", { size: 5, body: chunks("Hello") })
        : client.delete("a");
      const error = await failure(asked);
      assertEquals(error.kind, "unknown");
      assertStringIncludes(error.message, "may have been done or not");
      assert(client.closed);
    });
  });
}

test("a PUT of which only a part was sent is not stored, and said to be so", async () => {
  const script: Script = async (connection) => {
    await connection.receive();
  };
  await withClient(script, async (client) => {
    const error = await failure(client.put("a", { size: 1e12, body: endless() }));
    assertEquals(error.kind, "unavailable");
  });
});

test("a PUT that is refused before all of it was sent stops, and says why", async () => {
  const script: Script = async (connection) => {
    await connection.receive();
    const answer = fileAnswer("PUT", "a", { status: 507, error: "The disk is full" });
    await connection.send(encodeAnswer(answer));
    await connection.skipBody().catch(() => {});
  };
  await withClient(script, async (client) => {
    const error = await failure(client.put("a", { size: 1e12, body: endless() }));
    assertEquals([error.kind, error.message], ["failed", 'Cannot put "a": the disk is full']);
    assert(client.closed);
  });
});

test("put() throws what its source throws, and closes the connection", async () => {
  const mistake = new Error("The disk is on fire");
  async function* source() {
    yield bytes("He");
    await Promise.resolve();
    throw mistake;
  }
  await withClient(swallow, async (client) => {
    const error = await assertRejects(() => client.put("a", { size: 5, body: source() }));
    assertEquals(error, mistake);
    assert(client.closed);
  });
});

test("put() refuses a source with other than the announced bytes", async () => {
  for (const [size, message] of [[4, "more than 4"], [6, "only 5 of 6"]] as const) {
    await withClient(swallow, async (client) => {
      const asked = () => client.put("a", { size, body: chunks("He", "llo") });
      await assertRejects(asked, RangeError, message);
    });
  }
});

test("a server that does not read is given up", async () => {
  const givenUp = Promise.withResolvers<void>();
  const script: Script = async (connection) => {
    await connection.receive();
    await givenUp.promise;
  };
  await withClient(script, async (client) => {
    const error = await failure(client.put("a", { size: 1e12, body: endless() }));
    assertEquals(error.kind, "unavailable");
    givenUp.resolve();
  }, hasty);
});

test("a source that is slow does not count against the server", async () => {
  async function* source() {
    yield bytes("He");
    // The one thing to do here is to take longer than the client waits for a server.
    await new Promise((resolve) => setTimeout(resolve, 1.5 * hasty.timeoutMs));
    yield bytes("llo");
  }
  const script = answering((request) => fileAnswer("PUT", request.item, { status: 201 }));
  await withClient(script, async (client) => {
    assertEquals((await client.put("a", { size: 5, body: source() })).status, 201);
  }, hasty);
});

async function* chunks(...parts: string[]): AsyncGenerator<Uint8Array, void, void> {
  for (const part of parts) yield await Promise.resolve(bytes(part));
}

async function* endless(): AsyncGenerator<Uint8Array, void, void> {
  const chunk = new Uint8Array(65536);
  for (;;) yield await Promise.resolve(chunk);
}
