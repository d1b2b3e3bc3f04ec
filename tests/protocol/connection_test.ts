import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectionError, FrameConnection } from "../../lib/protocol/connection.ts";
import { encodeFrame } from "../../lib/protocol/frame.ts";
import { ProtocolError } from "../../lib/protocol/protocol_error.ts";
import { gatherMs, sendHighWaterBytes, sendQueueBytesMax } from "../../lib/protocol/send_queue.ts";
import { InvariantError } from "../../lib/ring/assert.ts";
import { eventually } from "../eventually.ts";
import { bytesOf, frameOf } from "./bytes.ts";
import { memoryPair } from "./memory_stream.ts";
import type { PipeOptions } from "./memory_stream.ts";

/** Two connections, one at each end, and the streams below them. */
function connect(options: PipeOptions = {}) {
  const [near, far] = memoryPair(options);
  return { a: new FrameConnection(near), b: new FrameConnection(far), near, far };
}

/** A connection that receives these bytes, and then the end. */
async function receiving(bytes: Uint8Array, options: PipeOptions = {}): Promise<FrameConnection> {
  const [near, far] = memoryPair(options);
  await far.write(bytes);
  await far.closeWrite();
  return new FrameConnection(near);
}

async function* inChunks(...chunks: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(bytesOf(chunk));
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const waiting = Symbol();
  const first = await Promise.race([promise, Promise.resolve(waiting)]).catch(() => undefined);
  return first !== waiting;
}

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

Deno.test("FrameConnection.send() writes the frames of one turn together", async () => {
  const { a, b, near } = connect();
  const frames = [1, 2, 3].map((n) => encodeFrame({ n }));
  for (const frame of frames) a.send(frame);
  await a.flush();
  assertEquals(near.writes, [frames.reduce((sum, frame) => sum + frame.length, 0)]);
  for (const n of [1, 2, 3]) assertEquals((await b.receive())?.value, { n });
  a.close();
  b.close();
});

Deno.test("FrameConnection.send() does not wait for the end of a turn that takes long", async () => {
  const { a, b, near } = connect();
  const frames = [1, 2, 3].map((n) => encodeFrame({ n }));
  const [first, second, third] = frames;
  assert(first !== undefined && second !== undefined && third !== undefined);
  a.send(first);
  await a.flush();
  a.send(second);
  const began = performance.now();
  while (performance.now() - began <= gatherMs) continue;
  a.send(third);
  // All that a turn can do without an end.
  for (let step = 0; step < 10; step++) await Promise.resolve();
  assertEquals(near.writes, [first.length, second.length + third.length]);
  for (const n of [1, 2, 3]) assertEquals((await b.receive())?.value, { n });
  a.close();
  b.close();
});

Deno.test("FrameConnection.sendLater() writes nothing of its own, and keeps the order", async () => {
  const { a, b, near } = connect();
  const frames = [1, 2, 3].map((n) => encodeFrame({ n }));
  const [first, second, third] = frames;
  assert(first !== undefined && second !== undefined && third !== undefined);
  a.sendLater(first);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  assertEquals(near.writes, []);
  a.send(second);
  a.sendLater(third);
  await a.flush();
  assertEquals(near.writes, [frames.reduce((sum, frame) => sum + frame.length, 0)]);
  for (const n of [1, 2, 3]) assertEquals((await b.receive())?.value, { n });
  a.close();
  b.close();
});

Deno.test("FrameConnection.sendLater() writes before long what nothing follows", async () => {
  const { a, b } = connect();
  a.sendLater(encodeFrame({ n: 1 }));
  assertEquals((await b.receive())?.value, { n: 1 });
  a.close();
  b.close();
});

Deno.test("FrameConnection.close() forgets what was to be sent later", async () => {
  const { a, b, near } = connect();
  const sent = a.sendLater(encodeFrame({ n: 1 }));
  a.close();
  await assertRejects(() => a.flush(), ConnectionError);
  await sent;
  assertEquals(near.writes, []);
  b.close();
});

Deno.test("FrameConnection sends everything over a stream that writes a little at a time", async () => {
  const { a, b } = connect({ writeBytesMax: 3, capacity: 10 });
  a.send(encodeFrame({ size: 5 }), bytesOf("hello"));
  a.send(encodeFrame({ size: 6 }));
  a.sendBody(6, inChunks("wo", "", "rld!"));
  a.send(encodeFrame({ last: true }));
  await b.receive();
  assertEquals(await b.readBody(5), bytesOf("hello"));
  await b.receive();
  assertEquals(await b.readBody(6), bytesOf("world!"));
  assertEquals(await b.receive(), { value: { last: true }, size: undefined });
  await a.flush();
  a.close();
  b.close();
});

Deno.test("FrameConnection.send() asks to wait at the high-water mark, until it is read", async () => {
  const { a, b } = connect({ capacity: 64 * 1024 });
  const frame = encodeFrame({ a: "x".repeat(100_000) });
  const waits: Promise<void>[] = [];
  for (let sent = 0; sent <= sendHighWaterBytes; sent += frame.length) waits.push(a.send(frame));
  const last = waits.pop();
  assert(last !== undefined);
  await Promise.all(waits);
  assert(!await isSettled(last));
  await b.receive();
  await b.receive();
  await last;
  a.close();
  b.close();
});

Deno.test("FrameConnection closes when a peer that never reads lets too much wait", async () => {
  const { a, b } = connect({ capacity: 10 });
  const frame = new Uint8Array(1 << 20);
  const waiting = a.receive();
  const first = a.send(frame);
  for (let sent = frame.length; sent < sendQueueBytesMax; sent += frame.length) a.send(frame);
  assert(!a.closed);
  await assertRejects(() => a.send(frame), ConnectionError, "at most 8388608 may");
  assert(a.closed);
  await assertRejects(() => first, ConnectionError);
  await assertRejects(() => a.flush(), ConnectionError);
  await assertRejects(() => waiting, ConnectionError);
  b.close();
});

Deno.test("FrameConnection.sendBody() takes chunks only as fast as the other side", async () => {
  const { a, b } = connect({ capacity: 8 });
  let taken = 0;
  async function* source() {
    for (; taken < 100; taken++) yield await Promise.resolve(bytesOf("12345678"));
  }
  a.send(encodeFrame({ size: 800 }));
  const sent = a.sendBody(800, source());
  await b.receive();
  const chunks = b.body();
  await chunks.next();
  assert(!await isSettled(sent));
  assert(taken < 5, `${taken} chunks were taken`);
  await chunks.return();
  await b.skipBody();
  await sent;
  assertEquals(taken, 100);
  a.close();
  b.close();
});

Deno.test("FrameConnection.sendBody() closes the connection if the source has another size", async () => {
  for (const [size, text] of [[5, "four"], [3, "four"], [0, "x"]] as const) {
    const { a, b } = connect();
    a.send(encodeFrame({ size }));
    await assertRejects(() => a.sendBody(size, inChunks(text)), ConnectionError, "Cannot send");
    assert(a.closed);
    await assertRejects(() => a.receive(), ConnectionError, "Cannot send a body");
    b.close();
  }
});

Deno.test("FrameConnection.sendBody() fails with its source, and what waits behind it too", async () => {
  const { a, b } = connect();
  const cause = new Error("the disk is gone");
  async function* source() {
    yield await Promise.resolve(bytesOf("ab"));
    throw cause;
  }
  a.send(encodeFrame({ size: 10 }));
  const first = a.sendBody(10, source());
  const second = a.sendBody(1, inChunks("x"));
  const error = await assertRejects(() => first, ConnectionError, "the disk is gone");
  assertEquals(error.cause, cause);
  await assertRejects(() => second, ConnectionError);
  await b.receive();
  await assertRejects(() => b.readBody(10), ProtocolError, "8 bytes before its end");
  b.close();
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
