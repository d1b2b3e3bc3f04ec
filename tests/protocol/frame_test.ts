import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  encodeFrame,
  frameBytesMax,
  FrameDecoder,
  jsonDepthMax,
} from "../../lib/protocol/frame.ts";
import type { FrameEvent } from "../../lib/protocol/frame.ts";
import { ProtocolError } from "../../lib/protocol/protocol_error.ts";
import { InvariantError } from "../../lib/ring/assert.ts";
import { bytesOf, eventsOf, frameOf, joinData } from "./bytes.ts";

const nested = (depth: number) => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;

/** The status of the error that these bytes cause, and the same error again when asked again. */
function statusOf(bytes: Uint8Array): number {
  const decoder = new FrameDecoder();
  decoder.push(bytes);
  const error = assertThrows(() => decoder.next(), ProtocolError);
  assert(error instanceof ProtocolError);
  assertEquals(assertThrows(() => decoder.next()), error);
  assertEquals(assertThrows(() => decoder.end()), error);
  assert(!decoder.idle);
  return error.status;
}

Deno.test("FrameDecoder refuses what is no frame, and says why by its status", () => {
  const cases: readonly (readonly [string, Uint8Array, number])[] = [
    ["length 0", bytesOf(0), 400],
    ["1 MiB + 1", bytesOf(frameBytesMax + 1), 413],
    ["the longest length", bytesOf(0xffffffff), 413],
    ["an HTTP request", bytesOf("GET / HTTP/1.1\r\n\r\n"), 413],
    ["invalid UTF-8", frameOf(bytesOf('{"a":"', new Uint8Array([0xff]), '"}')), 400],
    ["a byte order mark", frameOf(bytesOf(new Uint8Array([0xef, 0xbb, 0xbf]), "{}")), 400],
    ["no JSON", frameOf("{"), 400],
    ["two objects", frameOf("{}{}"), 400],
    ["too deep", frameOf(nested(jsonDepthMax + 1)), 400],
    ["far too deep, and cut", frameOf("[".repeat(frameBytesMax)), 400],
    ["an array", frameOf("[]"), 400],
    ["a string", frameOf('"GET"'), 400],
    ["a number", frameOf("1"), 400],
    ["null", frameOf("null"), 400],
    ["true", frameOf("true"), 400],
    ["size -1", frameOf('{"size":-1}'), 400],
    ["size 1.5", frameOf('{"size":1.5}'), 400],
    ["size 2^53", frameOf('{"size":9007199254740992}'), 400],
    ["size 1e999", frameOf('{"size":1e999}'), 400],
    ["size as a string", frameOf('{"size":"1"}'), 400],
    ["size null", frameOf('{"size":null}'), 400],
  ];
  for (const [name, bytes, status] of cases) assertEquals(statusOf(bytes), status, name);
});

Deno.test("FrameDecoder judges the length before the rest of the frame has come", () => {
  const decoder = new FrameDecoder();
  for (const byte of [0xff, 0xff, 0xff]) {
    decoder.push(new Uint8Array([byte]));
    assertEquals(decoder.next(), undefined);
  }
  decoder.push(new Uint8Array([0xff]));
  assertThrows(() => decoder.next(), ProtocolError, "4294967295 bytes");
});

for (
  const [what, bytes, text] of [
    ["an answer of HTTP", "HTTP/1.1 400 Bad Request\r\n", "HTTP, which has another port"],
    ["a GET of HTTP", "GET / HTTP/1.1\r\n", "HTTP, which has another port"],
    ["a PUT of HTTP", "PUT /a HTTP/1.1\r\n", "HTTP, which has another port"],
    [
      "the beginning of TLS",
      "\x16\x03\x01\x02\x00\x01",
      "TLS, which is not spoken here",
    ],
  ] as const
) {
  Deno.test(`FrameDecoder says of ${what} what it is`, () => {
    const decoder = new FrameDecoder();
    decoder.push(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
    assertThrows(() => decoder.next(), ProtocolError, `Cannot read a frame from what is ${text}`);
  });
}

Deno.test("FrameDecoder takes a frame of the greatest length and of the greatest depth", () => {
  const long = `{"a":"${"x".repeat(frameBytesMax - 8)}"}`;
  assertEquals(eventsOf(frameOf(long)).length, 1);
  assertEquals(eventsOf(frameOf(long), [1000]).length, 1);
  assertEquals(eventsOf(frameOf(nested(jsonDepthMax))).length, 1);
});

Deno.test("FrameDecoder does not count brackets in strings as depth", () => {
  const value = { 'a"\\': `\\"${"[{".repeat(50)}`, "[[[[[[[[[[[[[[[[[": "\\" };
  assertEquals(eventsOf(encodeFrame(value)), [{ type: "frame", value, size: undefined }]);
});

Deno.test("FrameDecoder gives a frame and its body, wherever they are cut", () => {
  const value = { type: "PUT", item: "ä€😀", size: 6 };
  const bytes = bytesOf(encodeFrame(value), "body\0!", encodeFrame({ type: "STATUS" }));
  const expected: FrameEvent[] = [
    { type: "frame", value, size: 6 },
    { type: "data", bytes: bytesOf("body\0!") },
    { type: "end" },
    { type: "frame", value: { type: "STATUS" }, size: undefined },
  ];
  assertEquals(eventsOf(bytes), expected);
  assertEquals(joinData(eventsOf(bytes, [1])), expected);
  for (let cut = 1; cut < bytes.length; cut++) {
    assertEquals(joinData(eventsOf(bytes, [cut, Infinity])), expected);
  }
});

Deno.test("FrameDecoder gives an end, and no data, for a body of no bytes", () => {
  assertEquals(eventsOf(frameOf('{"size":0}')), [
    { type: "frame", value: { size: 0 }, size: 0 },
    { type: "end" },
  ]);
});

Deno.test("FrameDecoder gives two frames of one packet", () => {
  assertEquals(eventsOf(bytesOf(frameOf('{"a":1}'), frameOf('{"a":2}'))), [
    { type: "frame", value: { a: 1 }, size: undefined },
    { type: "frame", value: { a: 2 }, size: undefined },
  ]);
});

Deno.test("FrameDecoder hands on the bytes of a body without copying them", () => {
  const decoder = new FrameDecoder();
  const packet = bytesOf(frameOf('{"size":3}'), "abc");
  decoder.push(packet);
  decoder.next();
  const event = decoder.next();
  assert(event?.type === "data");
  assertEquals(event.bytes.buffer, packet.buffer);
});

Deno.test("FrameDecoder.end() refuses a stream that is cut anywhere but between frames", () => {
  const first = encodeFrame({ type: "STATUS" });
  const bytes = bytesOf(first, encodeFrame({ size: 4 }), "body");
  for (let length = 0; length <= bytes.length; length++) {
    const decoder = new FrameDecoder();
    decoder.push(bytes.subarray(0, length));
    while (decoder.next() !== undefined);
    const whole = length === 0 || length === first.length || length === bytes.length;
    assertEquals(decoder.idle, whole);
    if (whole) decoder.end();
    else assertThrows(() => decoder.end(), ProtocolError, "the connection ended");
  }
});

Deno.test("FrameDecoder keeps __proto__ a plain key and pollutes nothing", () => {
  const [event] = eventsOf(frameOf('{"__proto__":{"size":3,"polluted":true}}'));
  assert(event?.type === "frame");
  assertEquals(event.size, undefined);
  assert(Object.hasOwn(event.value, "__proto__"));
  assert(!("polluted" in {}));
});

Deno.test("FrameDecoder gives the same events however the bytes are cut", () => {
  const body = fc.uint8Array({ maxLength: 40 });
  const frame = fc.record({ text: fc.string({ unit: "binary", maxLength: 40 }), body });
  const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 });
  fc.assert(fc.property(fc.array(frame, { maxLength: 6 }), sizes, (frames, sizes) => {
    const bytes = bytesOf(
      ...frames.flatMap(({ text, body }) =>
        body.length === 0
          ? [encodeFrame({ text })]
          : [encodeFrame({ text, size: body.length }), body]
      ),
    );
    assertEquals(joinData(eventsOf(bytes, sizes)), eventsOf(bytes));
  }));
});

Deno.test("FrameDecoder works in linear time, however many pieces wait", () => {
  const decoder = new FrameDecoder();
  const bytes = frameOf(`{"a":"${"x".repeat(frameBytesMax - 8)}"}`);
  for (let offset = 0; offset < bytes.length; offset += 4) {
    decoder.push(bytes.subarray(offset, offset + 4));
  }
  assertEquals(decoder.next()?.type, "frame");
  assert(decoder.idle);
});

Deno.test("encodeFrame() asserts that a frame is within the limit", () => {
  const fits = "x".repeat(frameBytesMax - 8);
  assertEquals(encodeFrame({ a: fits }).length, frameBytesMax + 4);
  assertThrows(() => encodeFrame({ a: `${fits}x` }), InvariantError);
});
