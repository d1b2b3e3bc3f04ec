import { assert, assertEquals } from "@std/assert";
import { encodeFrame } from "../../lib/protocol/frame.ts";
import { DiskStore } from "../../lib/storage/disk_store.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { bytesOf, sha256Of } from "../storage/sample.ts";
import { replaceMethod } from "./double.ts";
import { refused } from "./metric.ts";
import { Ring } from "./ring.ts";

/** More than the buffers of two sockets hold. */
const largeBytes = 8 << 20;
const large = bytesOf(largeBytes);
const small = bytesOf(1000);

Deno.test({
  name: "clients that stop in the middle of a frame or a body hold up nobody",
  ...needs("net", "read", "write"),
  fn: async () => {
    await using ring = await Ring.start({ onDisk: true });
    using bystander = await ring.connect();
    await bystander.put("good", small);
    {
      using inLength = await ring.connect();
      await inLength.sendBytes(new Uint8Array(2));
      using inFrame = await ring.connect();
      await inFrame.sendBytes(encodeFrame({ type: "GET", item: "good" }).subarray(0, 10));
      using inSmallBody = await ring.connect();
      await inSmallBody.send({ type: "PUT", item: "half", size: 1000 }, small.subarray(1));
      using inLargeBody = await ring.connect();
      await inLargeBody.send({ type: "PUT", item: "half", size: largeBytes }, small);
      await eventually(() => ring.bodies().temporary.length === 1, { what: "the body to arrive" });

      assertEquals((await bystander.ask({ type: "GET", item: "good" })).body, small);
      assertEquals((await bystander.put("half", small)).status, 201);
    }
    await eventually(() => ring.bodies().temporary.length === 0, { what: "bodies/tmp to empty" });
    assertEquals((await bystander.ask({ type: "GET", item: "half" })).body, small);
  },
});

Deno.test({
  name: "a client that never reads a large file holds up nobody, and its body is closed with it",
  ...needs("net", "read", "write"),
  fn: async () => {
    const open = countOpenBodies();
    using _ = open;
    await using ring = await Ring.start({ onDisk: true });
    using bystander = await ring.connect();
    await bystander.put("large", large);
    await bystander.put("good", small);
    {
      using silent = await ring.connect();
      await silent.send({ type: "GET", item: "large" });
      await eventually(() => open.count === 1, { what: "the body to be opened" });
      assertEquals((await bystander.ask({ type: "GET", item: "good" })).body, small);
      assertEquals(
        sha256Of((await bystander.ask({ type: "GET", item: "large" })).body),
        sha256Of(large),
      );
    }
    await eventually(() => open.count === 0, { what: "the body to be closed" });
  },
});

Deno.test({
  name: "pipelined GETs that are never read leave no body open when the client has gone",
  ...needs("net", "read", "write"),
  fn: async () => {
    const open = countOpenBodies();
    using _ = open;
    await using ring = await Ring.start({ onDisk: true });
    using bystander = await ring.connect();
    await bystander.put("large", large);
    await bystander.put("good", small);
    {
      using silent = await ring.connect();
      const gets = Array.from({ length: 20 }, () => encodeFrame({ type: "GET", item: "large" }));
      await silent.sendBytes(...gets);
      await eventually(() => open.count > 0, { what: "a body to be opened" });
      assertEquals((await bystander.ask({ type: "GET", item: "good" })).body, small);
    }
    await eventually(() => open.count === 0, { what: "every body to be closed" });
  },
});

Deno.test({
  name: "a hundred pipelined GETs of a large file open only a few bodies at a time",
  ...needs("net", "read", "write"),
  fn: async () => {
    const open = countOpenBodies();
    using _ = open;
    await using ring = await Ring.start({ onDisk: true });
    using wire = await ring.connect();
    const body = large.subarray(0, 100_000);
    await wire.put("large", body);
    const gets = Array.from({ length: 100 }, () => encodeFrame({ type: "GET", item: "large" }));
    await wire.sendBytes(...gets);
    for (let i = 0; i < gets.length; i++) {
      assertEquals(sha256Of((await wire.answer()).body), sha256Of(body));
    }
    assert(open.most <= 16, `${open.most} bodies were open for one client`);
  },
});

Deno.test({
  name: "a connection that sends messages and reads no reply is closed, and costs others nothing",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ server: { web: { port: 0 } } });
    using bystander = await ring.connect();
    await bystander.put("good", small);
    using silent = await ring.connect();
    const stranger = "5".repeat(32);
    const check = encodeFrame({ type: "VOUCH", from: stranger, to: stranger, suspect: stranger });
    const many = new Uint8Array(check.length * 1000);
    for (let i = 0; i < 1000; i++) many.set(check, i * check.length);
    // It is refused once for each message, and closed when too many refusals wait for it.
    const isClosed = async () => {
      for (let i = 0; i < 200; i++) await silent.sendBytes(many);
    };
    const failure = await isClosed().then(() => undefined, (error: unknown) => error);
    assert(failure instanceof Error, "200,000 messages were taken, and no reply was read");
    await eventually(async () => await refused(ring, "send_queue") === 1, { what: "the count" });
    assertEquals((await bystander.ask({ type: "GET", item: "good" })).body, small);
  },
});

/** Counts the bodies on disk that are open for reading, on all servers of this test. */
function countOpenBodies(): Disposable & { readonly count: number; readonly most: number } {
  const open = new Set<object>();
  let most = 0;
  const double = replaceMethod(
    DiskStore.prototype,
    "openBody",
    (openBody) =>
      function (this: DiskStore, sha256) {
        const body = openBody.call(this, sha256);
        if (body === undefined || body.bytes !== undefined) return body;
        open.add(body);
        most = Math.max(most, open.size);
        const { size } = body;
        return {
          size,
          chunks: () => body.chunks(),
          close: () => {
            open.delete(body);
            body.close();
          },
        };
      },
  );
  return {
    get count() {
      return open.size;
    },
    get most() {
      return most;
    },
    [Symbol.dispose]: () => double[Symbol.dispose](),
  };
}
