import { assert, assertEquals, assertRejects } from "@std/assert";
import { encodeFrame } from "../../lib/protocol/frame.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { bytesOf as textOf } from "../protocol/bytes.ts";
import { bytesOf, sha256Of } from "../storage/sample.ts";
import { Ring } from "./ring.ts";
import { Wire } from "./wire.ts";

const large = bytesOf(1 << 20);

Deno.test({
  name: "stop() answers what is in flight, then closes every connection and the port",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ size: 3 });
    using wire = await ring.connect();
    using idle = await ring.connect();
    const count = 100;
    const puts = Array.from(
      { length: count },
      (_, i) => [encodeFrame({ type: "PUT", item: `${i}`, size: 1 }), "x"],
    );
    await wire.sendBytes(textOf(...puts.flat()));
    const first = await wire.answer();
    const stopped = ring.server().stop();
    const answers = [first];
    while (answers.length < count) answers.push(await wire.answer());
    for (const [i, answer] of answers.entries()) {
      assert(answer.type === "PUT");
      assertEquals([answer.item, answer.status, answer.copies], [`${i}`, 201, 3]);
    }
    await stopped;
    assertEquals(await wire.receive(), undefined);
    assertEquals(await idle.receive(), undefined);
    await assertRejects(() => ring.connect(), Deno.errors.ConnectionRefused);
    await ring.server().finished;
  },
});

Deno.test({
  name: "stop() waits for a large file that is still arriving",
  ...needs("net", "read", "write"),
  fn: async () => {
    await using ring = await Ring.start({ size: 2, onDisk: true });
    using wire = await ring.connect();
    await wire.send({ type: "PUT", item: "a", size: large.length }, large.subarray(0, 1000));
    await eventually(() => ring.bodies().temporary.length === 1, { what: "the body to arrive" });
    const stopped = ring.server().stop();
    await eventually(async () => {
      using late = await ring.connect();
      const answer = await late.ask({ type: "GET", item: "a" });
      return answer.type === "GET" && answer.status === 503;
    }, { what: "requests to be refused" });
    await wire.sendBytes(large.subarray(1000));
    const answer = await wire.answer();
    assert(answer.type === "PUT");
    assertEquals([answer.status, answer.copies], [201, 2]);
    await stopped;
    using other = await ring.connect(1);
    assertEquals(sha256Of((await other.ask({ type: "GET", item: "a" })).body), sha256Of(large));
  },
});

Deno.test({
  name: "stop() tells the ring, and a second stop() is the same one",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ size: 3 });
    const { address } = ring.server(1);
    await Promise.all([ring.server(1).stop(), ring.server(1).stop()]);
    for (const server of [0, 2]) {
      using wire = await ring.connect(server);
      await eventually(async () => {
        const status = await wire.ask({ type: "STATUS" });
        if (status.type !== "STATUS") return false;
        return status.members.find((member) => member.address === address)?.status === "left";
      }, { what: "the others to know that it has left" });
    }
  },
});

Deno.test({
  name: "a server that is stopped and started again has its files and its identity",
  ...needs("net", "read", "write"),
  fn: async () => {
    const directory = await Deno.makeTempDir({ prefix: "ring-test-" });
    const ids = [];
    for (const expected of [404, 200]) {
      const ring = await Ring.start({ server: { dataDirectory: () => directory } });
      const { address } = ring.server();
      {
        using wire = await Wire.connect(address);
        const status = await wire.ask({ type: "STATUS" });
        ids.push(status.type === "STATUS" && status.id);
        assertEquals((await wire.ask({ type: "GET", item: "a" })).status, expected);
        await wire.put("a", large);
        assertEquals(sha256Of((await wire.ask({ type: "GET", item: "a" })).body), sha256Of(large));
      }
      await ring.server().stop();
    }
    assertEquals(ids[0], ids[1]);
    await Deno.remove(directory, { recursive: true });
  },
});
