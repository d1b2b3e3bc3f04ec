import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { RingClient } from "../../lib/client/client.ts";
import { RingError, type RingErrorKind } from "../../lib/client/ring_error.ts";
import { encodeAnswer } from "../../lib/protocol/encode.ts";
import type { ClientAnswer, FileAnswer } from "../../lib/ring/message.ts";
import { needs } from "../permission.ts";
import { answering, type Script, withServer } from "./fake_server.ts";

/** More than the client waits in a test that expects an answer. */
const patient = { timeoutMs: 20_000 };
/** What the client waits in a test that expects none; no server takes that long by accident. */
const hasty = { timeoutMs: 100 };

const stamp = `000000000001-0000-${"a".repeat(32)}`;

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ...needs("net"), fn });
}

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

test("requests overlap, and every answer reaches its own", async () => {
  const script = answering((request) => {
    const body = bytes(`file ${request.item}`);
    const head = { status: 200, size: body.length, sha256: hashOf(body) };
    return request.type === "GET" ? [fileAnswer("GET", request.item, head), body] : status();
  });
  await withClient(script, async (client) => {
    const names = Array.from({ length: 50 }, (_, index) => `n${index}`);
    const asked = names.map(async (name, index) => {
      if (index % 7 === 0) return (await client.status()).version;
      return text(await gather((await client.get(name)).body));
    });
    const expected = names.map((name, index) => index % 7 === 0 ? "test" : `file ${name}`);
    assertEquals(await Promise.all(asked), expected);
  });
});

test("all requests under way fail when the connection breaks", async () => {
  const script: Script = async (connection) => {
    await connection.receive();
  };
  await withClient(script, async (client) => {
    const asked = [client.status(), client.get("a"), client.status()].map(failure);
    const errors = await Promise.all(asked);
    assertEquals(errors.map((error) => error.kind), Array(3).fill("unavailable"));
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

test("a server that does not answer is given up", async () => {
  await withClient(swallow, async (client) => {
    const error = await failure(client.status());
    assertEquals(error.kind, "unavailable");
    assertStringIncludes(error.message, "nothing came or went for 0.1 s");
  }, hasty);
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

async function withClient(
  script: Script,
  use: (client: RingClient) => Promise<void>,
  options = patient,
): Promise<void> {
  await withServer(script, async (address) => {
    const client = await RingClient.connect(address, options);
    try {
      await use(client);
    } finally {
      client.close();
    }
  });
}

/** Reads everything, and answers nothing. */
const swallow: Script = async (connection) => {
  while (await connection.receive().catch(() => undefined) !== undefined) {
    await connection.skipBody().catch(() => {});
  }
};

function serving(body: Uint8Array, sha256: string): Script {
  return answering(({ item }) => [
    fileAnswer("GET", item, { status: 200, size: body.length, sha256 }),
    body,
  ]);
}

function fileAnswer(
  type: FileAnswer["type"],
  item: unknown,
  rest: Omit<FileAnswer, "type" | "item">,
): FileAnswer {
  return { type, item: String(item), ...rest };
}

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

async function writeFrame(conn: Deno.Conn, object: object): Promise<void> {
  const json = bytes(JSON.stringify(object));
  const frame = new Uint8Array(4 + json.length);
  new DataView(frame.buffer).setUint32(0, json.length);
  frame.set(json, 4);
  await conn.write(frame);
}

async function failure(promise: Promise<unknown>): Promise<RingError> {
  const error = await promise.then(() => undefined, (error: unknown) => error);
  if (error instanceof RingError) return error;
  throw new Error(`A RingError was expected, and not ${error}`, { cause: error });
}

async function gather(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts = await Array.fromAsync(body);
  return new Uint8Array(await new Blob(parts.map((part) => new Uint8Array(part))).arrayBuffer());
}

async function* chunks(...parts: string[]): AsyncGenerator<Uint8Array, void, void> {
  for (const part of parts) yield await Promise.resolve(bytes(part));
}

async function* endless(): AsyncGenerator<Uint8Array, void, void> {
  const chunk = new Uint8Array(65536);
  for (;;) yield await Promise.resolve(chunk);
}

function bytes(string: string): Uint8Array {
  return new TextEncoder().encode(string);
}

function text(body: Uint8Array): string {
  return new TextDecoder().decode(body);
}

function hashOf(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}
