import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectionError } from "../../lib/protocol/connection.ts";
import { encodeFrame } from "../../lib/protocol/frame.ts";
import { ProtocolError } from "../../lib/protocol/protocol_error.ts";
import { InvariantError } from "../../lib/ring/assert.ts";
import { eventually } from "../eventually.ts";
import { bytesOf, frameOf } from "./bytes.ts";
import { collect, connect, inChunks, receiving } from "./connection_fixture.ts";

Deno.test("FrameConnection receives frames and bodies in their order, however they are cut", async () => {
  const bytes = bytesOf(
    frameOf('{"a":1}'),
    frameOf('{"a":2,"size":6}'),
    "abcdef",
    frameOf('{"a":3,"size":0}'),
    frameOf('{"a":4,"size":3}'),
    "ghi",
    frameOf('{"a":5}'),
  );
  for (const readBytesMax of [1, 2, 7, 1000]) {
    const connection = await receiving(bytes, { readBytesMax });
    assertEquals(await connection.receive(), { value: { a: 1 }, size: undefined });
    assertEquals(await connection.receive(), { value: { a: 2, size: 6 }, size: 6 });
    assertEquals(bytesOf(...await collect(connection.body())), bytesOf("abcdef"));
    assertEquals(await connection.receive(), { value: { a: 3, size: 0 }, size: 0 });
    assertEquals(await connection.receive(), { value: { a: 4, size: 3 }, size: 3 });
    assertEquals(await connection.readBody(3), bytesOf("ghi"));
    assertEquals(await connection.receive(), { value: { a: 5 }, size: undefined });
    assertEquals(await connection.receive(), undefined);
    assertEquals(await connection.receive(), undefined);
    connection.close();
  }
});

Deno.test("FrameConnection gives an empty body to whoever asks after a frame without one", async () => {
  const connection = await receiving(bytesOf(frameOf("{}"), frameOf('{"size":0}')));
  await connection.receive();
  assertEquals(await connection.readBody(10), bytesOf());
  await connection.receive();
  assertEquals(await connection.readBody(0), bytesOf());
  assertEquals(await collect(connection.body()), []);
  connection.close();
});

Deno.test("FrameConnection hands on memory that later reads do not change", async () => {
  const { a, b, near } = connect();
  await near.write(bytesOf(frameOf('{"size":4}'), "1111"));
  await b.receive();
  const streamed = await collect(b.body());
  await near.write(bytesOf(frameOf('{"size":4}'), "2222"));
  await b.receive();
  const whole = await b.readBody(4);
  await near.write(bytesOf(frameOf('{"size":4}'), "3333"));
  await b.receive();
  await b.skipBody();
  assertEquals(streamed, [bytesOf("1111")]);
  assertEquals(whole, bytesOf("2222"));
  a.close();
  b.close();
});

Deno.test("FrameConnection asserts that a body is received before the next frame", async () => {
  const connection = await receiving(bytesOf(frameOf('{"size":2}'), "ab", frameOf("{}")));
  await connection.receive();
  await assertRejects(() => connection.receive(), InvariantError);
  await connection.skipBody();
  assertEquals(await connection.receive(), { value: {}, size: undefined });
  connection.close();
});

Deno.test("FrameConnection asserts that only one receives", async () => {
  const { a, b } = connect();
  const first = a.receive();
  await assertRejects(() => a.receive(), InvariantError);
  b.close();
  assertEquals(await first, undefined);
  a.close();
});

Deno.test("FrameConnection goes on with a body that was left early", async () => {
  const connection = await receiving(bytesOf(frameOf('{"size":4}'), "abcd", frameOf("{}")), {
    readBytesMax: 1,
  });
  await connection.receive();
  for await (const chunk of connection.body()) {
    assertEquals(chunk, bytesOf("a"));
    break;
  }
  assertEquals((await connection.body().next()).value, bytesOf("b"));
  await connection.skipBody();
  assertEquals(await connection.receive(), { value: {}, size: undefined });
  connection.close();
});

Deno.test("FrameConnection.readBody() refuses a body over the limit before it takes memory", async () => {
  const connection = await receiving(frameOf(`{"size":${Number.MAX_SAFE_INTEGER}}`));
  await connection.receive();
  const error = await assertRejects(() => connection.readBody(65536), ProtocolError);
  assert(error instanceof ProtocolError);
  assertEquals(error.status, 413);
  connection.close();
});

Deno.test("FrameConnection throws when the other side ends in a frame or a body", async () => {
  const cutFrame = await receiving(frameOf('{"a":1}').subarray(0, 6));
  await assertRejects(() => cutFrame.receive(), ProtocolError, "after 2 of its 7 bytes");
  await assertRejects(() => cutFrame.receive(), ProtocolError, "after 2 of its 7 bytes");
  cutFrame.close();
  for (const take of ["readBody", "body", "skipBody"] as const) {
    const cutBody = await receiving(bytesOf(frameOf('{"size":5}'), "ab"));
    await cutBody.receive();
    await assertRejects(
      () => take === "body" ? collect(cutBody.body()) : cutBody[take](10),
      ProtocolError,
      "3 bytes before its end",
    );
    cutBody.close();
  }
});

Deno.test("FrameConnection can still answer what is no frame", async () => {
  const { a, b, near } = connect();
  await near.write(bytesOf(0));
  await assertRejects(() => b.receive(), ProtocolError);
  assert(!b.closed);
  await b.send(encodeFrame({ type: "ERROR", status: 400 }));
  await b.flush();
  b.close();
  assertEquals(await a.receive(), { value: { type: "ERROR", status: 400 }, size: undefined });
  assertEquals(await a.receive(), undefined);
  a.close();
});

Deno.test("FrameConnection.close() ends everything that is pending", async () => {
  const { a, b } = connect({ capacity: 10 });
  const received = a.receive();
  const released = Promise.withResolvers<void>();
  async function* source() {
    try {
      yield await Promise.resolve(new Uint8Array(100));
    } finally {
      released.resolve();
    }
  }
  a.send(encodeFrame({ size: 100 }));
  const sent = a.sendBody(100, source());
  const flushed = a.flush();
  await b.receive();
  a.close();
  a.close();
  assertEquals(await received, undefined);
  assertEquals(await a.receive(), undefined);
  await assertRejects(() => sent, ConnectionError, "closed");
  await assertRejects(() => flushed, ConnectionError, "closed");
  await assertRejects(() => a.send(bytesOf("x")), ConnectionError);
  await assertRejects(() => a.sendBody(1, inChunks("x")), ConnectionError);
  await assertRejects(() => a.closeWrite(), ConnectionError);
  await b.skipBody().catch((error) => assert(error instanceof ProtocolError));
  b.close();
  await released.promise;
});

Deno.test("FrameConnection.close() ends a body that is being received", async () => {
  const { a, b } = connect();
  a.send(encodeFrame({ size: 100 }), bytesOf("some"));
  await b.receive();
  const body = b.readBody(100);
  b.close();
  await assertRejects(() => body, ConnectionError);
  a.close();
});

Deno.test("FrameConnection fails as a whole when its stream does", async () => {
  const { a, b, near } = connect();
  const received = b.receive();
  near.reset();
  await assertRejects(() => received, ConnectionError, "connection reset");
  assert(b.closed);
  await assertRejects(() => b.send(bytesOf("x")), ConnectionError, "connection reset");
  // The other end notices when it writes; a send that nobody waits for is no unhandled rejection.
  a.send(bytesOf("x"));
  await assertRejects(() => a.flush(), ConnectionError, "connection reset");
  assert(a.closed);
  await assertRejects(() => a.receive(), ConnectionError, "connection reset");
});

Deno.test("FrameConnection.closeWrite() sends what waits, and goes on receiving", async () => {
  const { a, b } = connect({ writeBytesMax: 2 });
  a.send(encodeFrame({ type: "STATUS" }));
  await a.closeWrite();
  assertEquals((await b.receive())?.value, { type: "STATUS" });
  assertEquals(await b.receive(), undefined);
  b.send(encodeFrame({ late: true }));
  await b.flush();
  b.close();
  assertEquals((await a.receive())?.value, { late: true });
  assertEquals(await a.receive(), undefined);
  a.close();
});

Deno.test("FrameConnection counts the bytes that came, that went, and that wait for the other side", async () => {
  const { a, b } = connect({ capacity: 50, writeBytesMax: 20 });
  const frame = encodeFrame({ text: "x".repeat(86) });
  assertEquals(frame.length, 101);
  const counts = () => [a.bytesWritten, a.bytesWaiting, b.bytesReceived];
  assertEquals(counts(), [0, 0, 0]);
  a.send(frame);
  assertEquals(counts(), [0, 101, 0]);
  await eventually(() => a.bytesWritten === 50, { what: "the pipe to be full" });
  assertEquals(counts(), [50, 101, 0], "a write counts as waiting until all of it is taken");
  await b.receive();
  await a.flush();
  assertEquals(counts(), [101, 0, 101]);
  await Promise.all([a.sendBody(10, inChunks("0123456789")), b.drain(10)]);
  assertEquals([a.bytesWritten, a.bytesWaiting], [111, 0]);
  a.close();
  b.close();
});
