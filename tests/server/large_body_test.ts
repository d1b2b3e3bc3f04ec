import { assert, assertEquals } from "@std/assert";
import { encodeFrame } from "../../lib/protocol/frame.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { bytesOf, sha256Of } from "../storage/sample.ts";
import { ServerChild } from "./child.ts";
import { Ring, untilAlive } from "./ring.ts";

const large = bytesOf(5 << 20);
const half = large.length >> 1;

Deno.test({
  name: "a large file that is put at any of three servers is the same at all, stored once on each",
  ...needs("net", "read", "write"),
  fn: async () => {
    await using ring = await Ring.start({ size: 3, onDisk: true });
    for (const server of [0, 1, 2]) {
      using wire = await ring.connect(server);
      const item = `from-${server}`;
      const body = bytesOf((5 << 20) + server, server + 1);
      const put = await wire.put(item, body);
      assert(put.type === "PUT");
      assertEquals([put.status, put.copies, put.sha256], [201, 3, sha256Of(body)]);
      for (const other of [0, 1, 2]) {
        using reader = await ring.connect(other);
        const got = await reader.ask({ type: "GET", item });
        assert(got.type === "GET" && got.status === 200);
        assertEquals(sha256Of(got.body), sha256Of(body));
      }
    }
    for (const server of [0, 1, 2]) {
      assertEquals(ring.bodies(server).temporary, []);
      assertEquals(ring.bodies(server).kept.length, 3);
    }
  },
});

Deno.test({
  name: "large files that are put at three servers at once all arrive at all of them",
  ...needs("net", "read", "write"),
  fn: async () => {
    await using ring = await Ring.start({ size: 3, onDisk: true });
    const servers = [0, 1, 2];
    await Promise.all(servers.map(async (server) => {
      using wire = await ring.connect(server);
      assertEquals((await wire.put(`from-${server}`, bytesOf(1 << 20, server))).status, 201);
    }));
    for (const server of servers) {
      using wire = await ring.connect(server);
      for (const from of servers) {
        const got = await wire.ask({ type: "GET", item: `from-${from}` });
        assertEquals(sha256Of(got.body), sha256Of(bytesOf(1 << 20, from)));
      }
    }
  },
});

Deno.test({
  name: "a large file that is deleted leaves no body on any server",
  ...needs("net", "read", "write"),
  fn: async () => {
    await using ring = await Ring.start({ size: 3, onDisk: true });
    using wire = await ring.connect();
    await wire.put("a", large);
    assertEquals((await wire.ask({ type: "DELETE", item: "a" })).status, 200);
    for (const server of [0, 1, 2]) {
      assertEquals(ring.bodies(server), { kept: [], temporary: [] });
    }
  },
});

Deno.test({
  name: "an upload that breaks off leaves nothing on any server",
  ...needs("net", "read", "write"),
  fn: async () => {
    await using ring = await Ring.start({ size: 3, onDisk: true });
    const servers = [0, 1, 2];
    {
      using wire = await ring.connect();
      await wire.send({ type: "PUT", item: "half", size: large.length }, large.subarray(0, half));
      // It is passed on while it arrives.
      await eventually(
        () => servers.every((server) => ring.bodies(server).temporary.length === 1),
        {
          what: "the body to be on its way into every server",
        },
      );
    }
    await eventually(() => servers.every((server) => ring.bodies(server).temporary.length === 0), {
      what: "every server to forget it",
    });
    for (const server of servers) {
      assertEquals(ring.bodies(server).kept, []);
      using wire = await ring.connect(server);
      assertEquals((await wire.ask({ type: "GET", item: "half" })).status, 404);
    }
  },
});

Deno.test({
  name: "a large file gets past a next server that has just died",
  ...needs("net", "read", "write", "run"),
  fn: async () => {
    await using ring = await Ring.start({ size: 2 });
    await using next = await ServerChild.start({ previous: ring.server(0).address });
    await untilAlive(ring.server(0).address, 3);
    using wire = await ring.connect(0);
    await next.kill();
    const put = await wire.put("a", large);
    assert(put.type === "PUT");
    assertEquals([put.status, put.copies], [201, 2]);
    using reader = await ring.connect(1);
    assertEquals(sha256Of((await reader.ask({ type: "GET", item: "a" })).body), sha256Of(large));
  },
});

Deno.test({
  name: "a large file gets past a next server that dies in the middle of it",
  ...needs("net", "read", "write", "run"),
  fn: async () => {
    await using ring = await Ring.start({ size: 2 });
    await using next = await ServerChild.start({ previous: ring.server(0).address });
    await untilAlive(ring.server(0).address, 3);
    using wire = await ring.connect(0);
    await wire.sendBytes(
      encodeFrame({ type: "PUT", item: "a", size: large.length }),
      large.subarray(0, half),
    );
    await eventually(() => next.temporaryBodies().length === 1, {
      what: "the body to be passed on",
    });
    await next.kill();
    await wire.sendBytes(large.subarray(half));
    const put = await wire.answer();
    assert(put.type === "PUT");
    assertEquals([put.status, put.copies], [201, 2]);
    using reader = await ring.connect(1);
    assertEquals(sha256Of((await reader.ask({ type: "GET", item: "a" })).body), sha256Of(large));
  },
});
