import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectionError } from "../../lib/protocol/connection.ts";
import { encodeFrame } from "../../lib/protocol/frame.ts";
import { ProtocolError } from "../../lib/protocol/protocol_error.ts";
import { gatherMs, sendHighWaterBytes, sendQueueBytesMax } from "../../lib/protocol/send_queue.ts";
import { bytesOf } from "./bytes.ts";
import { connect, inChunks, isSettled } from "./connection_fixture.ts";

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
