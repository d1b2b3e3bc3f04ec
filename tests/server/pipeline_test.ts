import { assert, assertEquals } from "@std/assert";
import { encodeFrame } from "../../lib/protocol/frame.ts";
import { pageRecordsMax } from "../../lib/ring/file_record.ts";
import { pipelineMax } from "../../lib/server/answer_queue.ts";
import { MemoryStore } from "../../lib/storage/memory_store.ts";
import { needs } from "../permission.ts";
import { bytesOf as textOf } from "../protocol/bytes.ts";
import { bytesOf } from "../storage/sample.ts";
import { replaceMethod } from "./double.ts";
import { Ring } from "./ring.ts";
import type { Wire } from "./wire.ts";

Deno.test({
  name: "pipelined requests are answered in order, more of them than are worked on at once too",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ size: 3 });
    using wire = await ring.connect();
    const names = Array.from({ length: 2 * pipelineMax }, (_, i) => `file-${i}`);
    const requests = names.flatMap((item) => [
      encodeFrame({ type: "PUT", item, size: item.length }),
      textOf(item),
      encodeFrame({ type: "GET", item: `missing-${item}` }),
      encodeFrame({ type: "STATUS" }),
    ]);
    const sent = wire.sendBytes(textOf(...requests));
    for (const item of names) {
      await assertNext(wire, { type: "PUT", item, status: 201 });
      await assertNext(wire, { type: "GET", item: `missing-${item}`, status: 404 });
      await assertNext(wire, { type: "STATUS", status: 200 });
    }
    await sent;
  },
});

Deno.test({
  name: "requests that answer fast wait for those before them",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ size: 3 });
    using wire = await ring.connect();
    const large = bytesOf(1 << 20);
    await wire.sendBytes(
      encodeFrame({ type: "PUT", item: "a", size: large.length }),
      large,
      encodeFrame({ type: "LIST" }),
      encodeFrame({ type: "DELETE", item: "a" }),
      encodeFrame({ type: "FETCH", sha256: "0".repeat(64) }),
      encodeFrame({ type: "STATUS" }),
    );
    const types = [];
    for (let i = 0; i < 5; i++) types.push((await wire.receive())?.value.type);
    assertEquals(types, ["PUT", "LIST", "DELETE", "FETCH", "STATUS"]);
  },
});

Deno.test({
  name: "the answers of many clients at three servers are never crossed",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ size: 3 });
    const clients = Array.from({ length: 9 }, (_, i) => i);
    await Promise.all(clients.map(async (client) => {
      using wire = await ring.connect(client % 3);
      using other = await ring.connect((client + 1) % 3);
      for (let i = 0; i < 20; i++) {
        const item = `client-${client}/file-${i}`;
        // Small bodies and large ones, all different.
        const body = bytesOf(i % 10 === 9 ? 70_000 + client : 100 + i, client * 100 + i);
        const put = await wire.put(item, body);
        assert(put.type === "PUT");
        assertEquals([put.item, put.status, put.copies], [item, 201, 3]);
        const [own, others] = await Promise.all([
          wire.ask({ type: "GET", item }),
          other.ask({ type: "GET", item }),
        ]);
        assert(own.type === "GET" && others.type === "GET");
        assertEquals([own.item, own.status, own.body], [item, 200, body]);
        assertEquals([others.item, others.status, others.body], [item, 200, body]);
      }
    }));
  },
});

Deno.test({
  name: "two clients that put one name at two servers leave one of their bodies on all three",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ size: 3 });
    using a = await ring.connect(0);
    using b = await ring.connect(1);
    const bodies = [bytesOf(500, 1), bytesOf(600, 2)] as const;
    for (let i = 0; i < 10; i++) {
      const answers = await Promise.all([a.put("one", bodies[0]), b.put("one", bodies[1])]);
      const stamps = answers.map((answer) => answer.type === "PUT" ? answer.stamp ?? "" : "");
      const newer = (stamps[0] ?? "") > (stamps[1] ?? "") ? bodies[0] : bodies[1];
      for (const server of [0, 1, 2]) {
        using wire = await ring.connect(server);
        assertEquals((await wire.ask({ type: "GET", item: "one" })).body, newer);
      }
    }
  },
});

Deno.test({
  name: "writes that arrive together share transactions",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    using wire = await ring.connect();
    const batches: number[] = [];
    using _ = replaceMethod(
      MemoryStore.prototype,
      "write",
      (write) =>
        function (this: MemoryStore, batch) {
          batches.push(batch.length);
          return write.call(this, batch);
        },
    );
    const count = 100;
    const puts = Array.from({ length: count }, (_, i) => [
      encodeFrame({ type: "PUT", item: `${i}`, size: 1 }),
      "x",
    ]);
    await wire.sendBytes(textOf(...puts.flat()));
    for (let i = 0; i < count; i++) {
      await assertNext(wire, { type: "PUT", item: `${i}`, status: 201 });
    }
    assertEquals(batches.reduce((sum, size) => sum + size, 0), count);
    assert(batches.length <= count / 10, `${count} writes took ${batches.length} transactions`);
  },
});

Deno.test({
  name: "LIST gives all files in pages, in the order of their names' bytes",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    using wire = await ring.connect();
    const count = 2 * pageRecordsMax + 10;
    const names = Array.from({ length: count }, (_, i) => `page/${i}`);
    const others = ["before", "zebra", "page", "pagf", "é", "🙂", "\uffee"];
    for (const item of [...names, ...others]) {
      await wire.send({ type: "PUT", item, size: 0 });
    }
    for (let i = 0; i < count + others.length; i++) {
      assertEquals((await wire.answer()).status, 201);
    }
    await wire.ask({ type: "DELETE", item: "zebra" });

    const all = ["before", "page", ...names.sort(), "pagf", "é", "\uffee", "🙂"];
    assertEquals(await listAll(wire, ""), pagesOf(all));
    assertEquals(await listAll(wire, "page/"), pagesOf(names));
    assertEquals(await listAll(wire, "page/1"), pagesOf(names.filter((n) => n[5] === "1")));
    assertEquals(await listAll(wire, "none"), [[]]);
  },
});

Deno.test({
  name: "a list of exactly one page has no next",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    using wire = await ring.connect();
    for (let i = 0; i < pageRecordsMax; i++) await wire.put(`${i}`, new Uint8Array(0));
    assertEquals((await listAll(wire, "")).map((page) => page.length), [pageRecordsMax]);
  },
});

/** The names of the files, page by page. */
async function listAll(wire: Wire, prefix: string): Promise<string[][]> {
  const pages: string[][] = [];
  for (let after: string | undefined = ""; after !== undefined;) {
    const answer = await wire.ask({ type: "LIST", prefix, after });
    if (answer.type !== "LIST") throw new Error(`answered by ${answer.type}`);
    pages.push(answer.files.map((file) => file.name));
    after = answer.next;
  }
  return pages;
}

function pagesOf(names: readonly string[]): string[][] {
  const pages = [];
  for (let at = 0; at < names.length; at += pageRecordsMax) {
    pages.push(names.slice(at, at + pageRecordsMax));
  }
  return pages;
}

async function assertNext(
  wire: Wire,
  expected: { type: string; item?: string; status: number },
): Promise<void> {
  const { type, status, ...answer } = await wire.answer();
  const item = "item" in answer ? { item: answer.item } : {};
  assertEquals<unknown>({ type, ...item, status }, expected);
}
