import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encodeFrame, frameBytesMax, jsonDepthMax } from "../../lib/protocol/frame.ts";
import { inlineBytesMax, nameBytesMax } from "../../lib/ring/file_record.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { bytesOf, frameOf } from "../protocol/bytes.ts";
import { bytesOf as randomBytes } from "../storage/sample.ts";
import { Ring } from "./ring.ts";
import type { Wire } from "./wire.ts";

const good = { type: "GET", item: "good" };
const goodBody = bytesOf("right");

/** What is sent, and what the server says of it before it closes the connection. */
interface Refusal {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly status: number;
  readonly error: string;
}

const refusals: readonly Refusal[] = [
  { name: "a frame of length 0", bytes: bytesOf(0), status: 400, error: "a frame of 0 bytes" },
  {
    name: "a frame over the limit",
    bytes: bytesOf(frameBytesMax + 1),
    status: 413,
    error: `a frame of ${frameBytesMax + 1} bytes`,
  },
  {
    name: "a frame of length 0xFFFFFFFF",
    bytes: bytesOf(0xffffffff),
    status: 413,
    error: "a frame of 4294967295 bytes",
  },
  {
    name: "a request over HTTP",
    bytes: bytesOf("GET / HTTP/1.1\r\nHost: ring\r\n\r\n"),
    status: 413,
    error: "HTTP, which has another port",
  },
  {
    name: "JSON that is invalid UTF-8",
    bytes: frameOf(bytesOf('{"type":"GET","item":"', new Uint8Array([0xc3, 0x28]), '"}')),
    status: 400,
    error: "it is not valid UTF-8",
  },
  {
    name: "JSON that is cut",
    bytes: frameOf('{"type":"GET","item":'),
    status: 400,
    error: "it is not valid JSON",
  },
  {
    name: "JSON that nests too deep",
    bytes: frameOf(`{"type":"GET","item":"good","x":${nested(jsonDepthMax)}}`),
    status: 400,
    error: `nests deeper than ${jsonDepthMax}`,
  },
  {
    name: "JSON that nests a hundred thousand deep",
    bytes: frameOf(nested(100_000)),
    status: 400,
    error: `nests deeper than ${jsonDepthMax}`,
  },
  ...["[]", "1", '"GET"', "null"].map((json) => ({
    name: `JSON that is ${json}, and not an object`,
    bytes: frameOf(json),
    status: 400,
    error: "its JSON is not an object",
  })),
  ...[
    { request: {}, error: '"type" is missing or no string' },
    { request: { type: 1, item: "good" }, error: '"type" is missing or no string' },
    { request: { type: ["GET"], item: "good" }, error: '"type" is missing or no string' },
    { request: { type: "GOT", item: "good" }, error: 'Cannot handle "GOT"' },
    { request: { type: "__proto__" }, error: 'Cannot handle "__proto__"' },
    { request: { type: "get", item: "good" }, error: 'Cannot handle "get"' },
    { request: { type: "GET" }, error: "GET.item: it is missing" },
    { request: { type: "GET", item: 7 }, error: "GET.item: it must be a string, not 7" },
    { request: { type: "GET", item: ["good"] }, error: "GET.item: it must be a string" },
    { request: { type: "GET", item: "good", size: 1 }, error: "it has no body" },
    { request: { type: "PUT", item: "a" }, error: "PUT.size: it is missing" },
    { request: { type: "PUT", item: "a", size: -1 }, error: '"size" is no integer' },
    { request: { type: "PUT", item: "a", size: 1.5 }, error: '"size" is no integer' },
    { request: { type: "PUT", item: "a", size: "1" }, error: '"size" is no integer' },
    { request: { type: "PUT", item: "a", size: 2 ** 53 }, error: '"size" is no integer' },
    { request: { type: "PUT", item: "a", size: 0, contentType: "a\nb" }, error: "contentType" },
    { request: { type: "LIST", prefix: 1 }, error: "LIST.prefix" },
    { request: { type: "LIST", after: {} }, error: "LIST.after" },
    { request: { type: "FETCH", sha256: "../../etc/passwd" }, error: "FETCH.sha256" },
    { request: { type: "CHECK" }, error: "CHECK.from: it is missing" },
    { request: { type: "INSERT", from: "me" }, error: "INSERT.from" },
  ].map(({ request, error }) => ({
    name: JSON.stringify(request),
    bytes: encodeFrame(request),
    status: 400,
    error,
  })),
  ...[
    { item: "", error: "it is empty" },
    { item: "..", error: '".." may not be a segment' },
    { item: "../a", error: '".." may not be a segment' },
    { item: "a/../b", error: '".." may not be a segment' },
    { item: "a/.", error: '"." may not be a segment' },
    { item: "a//b", error: "a segment between slashes is empty" },
    { item: "a/", error: "a segment between slashes is empty" },
    { item: "/etc/passwd", error: "it begins with a slash" },
    { item: "a\\b", error: "it has a backslash" },
    { item: "a\0b", error: "it has a control character" },
    { item: "a\nb", error: "it has a control character" },
    { item: "\x1b[2J", error: "it has a control character" },
    { item: "a\x7f", error: "it has a control character" },
    { item: "\ud800", error: "half of a surrogate pair is missing" },
    { item: "n".repeat(nameBytesMax + 1), error: "it is longer than 1024 bytes" },
    { item: "é".repeat(nameBytesMax / 2) + "n", error: "it is longer than 1024 bytes" },
  ].flatMap(({ item, error }) =>
    [{ type: "GET", item }, { type: "DELETE", item }, { type: "PUT", item, size: 0 }].map((
      request,
    ) => ({
      name: `${request.type} ${JSON.stringify(item.slice(0, 20))}`,
      bytes: encodeFrame(request),
      status: 400,
      error,
    }))
  ),
];

Deno.test({
  name: "bad input is answered with an error and a closed connection, and costs others nothing",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    using bystander = await ring.connect();
    await bystander.put("good", goodBody);
    for (const { name, bytes, status, error } of refusals) {
      using wire = await ring.connect();
      await wire.sendBytes(bytes);
      const [answer] = await Promise.all([wire.answer(), assertServes(bystander)]);
      assert(answer.type === "ERROR", `${name}: answered by ${answer.type}`);
      assertEquals(answer.status, status, name);
      assertStringIncludes(answer.error, error, name);
      assertEquals(await wire.receive(), undefined, `${name}: the connection is still open`);
    }
    const status = await bystander.ask({ type: "STATUS" });
    assert(status.type === "STATUS" && status.files === 1 && status.members.length === 1);
  },
});

Deno.test({
  name: "what was asked before bad input is answered before the error",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    using wire = await ring.connect();
    await wire.put("good", goodBody);
    await wire.sendBytes(encodeFrame(good), encodeFrame({ type: "STATUS" }), bytesOf(0));
    const types = [];
    for (let i = 0; i < 3; i++) types.push((await wire.answer()).type);
    assertEquals(types, ["GET", "STATUS", "ERROR"]);
    assertEquals(await wire.receive(), undefined);
  },
});

Deno.test({
  name: "whoever goes on sending after bad input still reads why it was refused",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    using wire = await ring.connect();
    await wire.sendBytes(bytesOf(0), randomBytes(256 * 1024));
    const answer = await wire.answer();
    assertEquals([answer.type, answer.status], ["ERROR", 400]);
  },
});

Deno.test({
  name: "a frame cut at every byte is refused, and then the connection is closed",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    using bystander = await ring.connect();
    await bystander.put("good", goodBody);
    const frame = encodeFrame(good);
    for (let length = 0; length < frame.length; length++) {
      using wire = await ring.connect();
      await wire.sendBytes(frame.subarray(0, length));
      await wire.end();
      if (length > 0) {
        const answer = await wire.answer();
        assert(answer.type === "ERROR" && answer.status === 400, `cut after ${length} bytes`);
        assertStringIncludes(answer.error, "the connection ended after");
      }
      assertEquals(await wire.receive(), undefined, `closed after ${length} bytes`);
    }
    await assertServes(bystander);
  },
});

Deno.test({
  name: "a connection that is closed inside a frame, at every byte, costs others nothing",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    using bystander = await ring.connect();
    await bystander.put("good", goodBody);
    const put = bytesOf(encodeFrame({ type: "PUT", item: "half", size: 5 }), "12345");
    for (let length = 0; length < put.length; length++) {
      using wire = await ring.connect();
      await wire.sendBytes(put.subarray(0, length));
      wire.close();
    }
    await assertServes(bystander);
    assertEquals((await bystander.ask({ type: "GET", item: "half" })).status, 404);
  },
});

Deno.test({
  name: "a frame that arrives byte by byte, and two in one packet, are requests like others",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    using wire = await ring.connect();
    await wire.put("good", goodBody);
    for (const byte of encodeFrame(good)) await wire.sendBytes(new Uint8Array([byte]));
    assertEquals((await wire.answer()).body, goodBody);
    await wire.sendBytes(
      bytesOf(encodeFrame({ type: "PUT", item: "a", size: 1 }), "A", encodeFrame(good)),
    );
    assertEquals((await wire.answer()).status, 201);
    assertEquals((await wire.answer()).body, goodBody);
  },
});

Deno.test({
  name: "odd names that are allowed name files like others",
  ...needs("net", "read", "write"),
  fn: async () => {
    await using ring = await Ring.start({ onDisk: true });
    using wire = await ring.connect();
    const names = [
      "__proto__",
      "constructor/toString",
      "hasOwnProperty",
      "...",
      ".hidden",
      "a b?c=d&e#f%00",
      "C:",
      "naïve/日本/🙂",
      "n".repeat(nameBytesMax),
    ];
    for (const name of names) {
      assertEquals((await wire.ask({ type: "GET", item: name })).status, 404, name);
      assertEquals((await wire.put(name, bytesOf(name))).status, 201, name);
    }
    for (const name of names) {
      const answer = await wire.ask({ type: "GET", item: name });
      assertEquals([answer.status, answer.body], [200, bytesOf(name)], name);
    }
    const list = await wire.ask({ type: "LIST" });
    assert(list.type === "LIST");
    assertEquals(list.files.map((file) => file.name).sort(), [...names].sort());
    assertEquals((await wire.ask({ type: "DELETE", item: "__proto__" })).status, 200);
    assertEquals((await wire.ask({ type: "GET", item: "__proto__" })).status, 404);
  },
});

for (const size of [100, inlineBytesMax, inlineBytesMax + 1, 1 << 20]) {
  Deno.test({
    name: `a body of ${size} bytes that ends too soon leaves nothing behind`,
    ...needs("net", "read", "write"),
    fn: async () => {
      await using ring = await Ring.start({ onDisk: true });
      using bystander = await ring.connect();
      await bystander.put("good", goodBody);
      for (const sent of [0, 1, size >> 1, size - 1]) {
        using wire = await ring.connect();
        await wire.send({ type: "PUT", item: "short", size }, randomBytes(sent));
        await wire.end();
        const answer = await wire.answer();
        assert(answer.type === "ERROR" && answer.status === 400, `${sent} of ${size} bytes`);
        assertStringIncludes(answer.error, `the connection ended ${size - sent} bytes before`);
        assertEquals(await wire.receive(), undefined);
      }
      await assertServes(bystander);
      assertEquals((await bystander.ask({ type: "GET", item: "short" })).status, 404);
      await eventually(() => ring.bodies().temporary.length === 0, { what: "bodies/tmp to empty" });
      assertEquals(ring.bodies().kept, []);
    },
  });
}

/** The JSON of arrays in arrays. */
function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

/** Asserts that the right file comes back. */
async function assertServes(wire: Wire): Promise<void> {
  const answer = await wire.ask(good);
  assertEquals([answer.status, answer.body], [200, goodBody]);
}
