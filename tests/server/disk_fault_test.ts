import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ServerError } from "../../lib/server/options.ts";
import type { RunningServer } from "../../lib/server/options.ts";
import { StoreFailedError } from "../../lib/storage/disk_error.ts";
import { MemoryStore } from "../../lib/storage/memory_store.ts";
import { StoreFullError } from "../../lib/storage/store.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { bytesOf, sha256Of } from "../storage/sample.ts";
import { replaceMethod } from "./double.ts";
import { Ring } from "./ring.ts";
import type { Wire } from "./wire.ts";

/** How long a server may take to stop when its disk has failed, in milliseconds. */
const stopsWithinMs = 8000;

const small = bytesOf(1000);
const large = bytesOf(1 << 20);

Deno.test({
  name: "a server whose disk fails under a small file stops, with an error of kind disk",
  ...needs("net"),
  fn: async () => {
    const ring = await Ring.start();
    using wire = await ring.connect();
    using _ = replaceMethod(MemoryStore.prototype, "write", () => () => {
      throw new StoreFailedError("Cannot write a batch of 1: input/output error");
    });
    await wire.send({ type: "PUT", item: "a", size: small.length }, small);
    const [error] = await Promise.all([failureOf(ring.server()), wire.untilClosed()]);
    assertEquals(error.kind, "disk");
    assertStringIncludes(error.message, "input/output error");
  },
});

Deno.test({
  name: "a server whose disk fails under a large file stops, with an error of kind disk",
  ...needs("net"),
  fn: async () => {
    const ring = await Ring.start();
    using wire = await ring.connect();
    using _ = replaceMethod(MemoryStore.prototype, "createBody", () => () => {
      throw new StoreFailedError("Cannot write a body: input/output error");
    });
    await wire.send({ type: "PUT", item: "a", size: large.length }, large.subarray(0, 1000));
    const [error] = await Promise.all([failureOf(ring.server()), wire.untilClosed()]);
    assertEquals(error.kind, "disk");
  },
});

Deno.test({
  name: "stop() ends although the disk fails meanwhile",
  ...needs("net"),
  fn: async () => {
    const ring = await Ring.start();
    using wire = await ring.connect();
    let stopped: Promise<void> | undefined;
    using _ = replaceMethod(MemoryStore.prototype, "write", () => () => {
      stopped = ring.server().stop();
      throw new StoreFailedError("Cannot write a batch of 1: input/output error");
    });
    await wire.send({ type: "PUT", item: "a", size: small.length }, small);
    await eventually(() => stopped !== undefined, { what: "the write" });
    await within(stopped ?? Promise.reject(), "stop() to end");
    await wire.untilClosed();
  },
});

Deno.test({
  name: "a full store refuses small files with 507, and goes on serving what it has",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    using wire = await ring.connect();
    await wire.put("before", small);
    {
      using _ = replaceMethod(
        MemoryStore.prototype,
        "write",
        () => (batch) => batch.map(() => ({ outcome: "full" })),
      );
      const answer = await wire.put("a", small);
      assert(answer.type === "PUT" && answer.status === 507);
      assertStringIncludes(answer.error ?? "", "no room left");
      assertEquals((await wire.ask({ type: "DELETE", item: "before" })).status, 507);
      assertEquals((await wire.ask({ type: "GET", item: "before" })).body, small);
      assertEquals((await wire.ask({ type: "GET", item: "a" })).status, 404);
    }
    assertEquals((await wire.put("a", small)).status, 201);
  },
});

Deno.test({
  name: "a store that is full before, or in, or at the end of a large file refuses it with 507",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    const full = () => new StoreFullError("Cannot write a body: there is no room on the disk");
    const doubles = [
      () =>
        replaceMethod(MemoryStore.prototype, "createBody", () => () => {
          throw full();
        }),
      () =>
        replaceMethod(MemoryStore.prototype, "createBody", () => () => ({
          write: () => Promise.reject(full()),
          commit: () => Promise.reject(new Error("committed although a write had failed")),
          abort: () => Promise.resolve(),
        })),
      () =>
        replaceMethod(MemoryStore.prototype, "createBody", () => () => ({
          write: () => Promise.resolve(),
          commit: () => Promise.reject(full()),
          abort: () => Promise.resolve(),
        })),
    ];
    for (const replace of doubles) {
      using wire = await ring.connect();
      {
        using _ = replace();
        const answer = await wire.put("a", large);
        assert(answer.type === "PUT" && answer.status === 507);
        assertStringIncludes(answer.error ?? "", "no room left");
      }
      // The rest of the body was read: the connection serves the next request.
      assertEquals((await wire.ask({ type: "GET", item: "a" })).status, 404);
      assertEquals((await wire.put("b", large)).status < 300, true);
    }
  },
});

Deno.test({
  name: "where one of three servers is full, files are stored by the others, and it serves them",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ size: 3 });
    using first = await ring.connect(0);
    using second = await ring.connect(1);
    const fullId = await idOf(second);
    {
      using _ = replaceMethod(
        MemoryStore.prototype,
        "write",
        (write) =>
          function (this: MemoryStore, batch) {
            return this.id === fullId
              ? batch.map(() => ({ outcome: "full" }))
              : write.call(this, batch);
          },
      );
      const answer = await first.put("a", small);
      assert(answer.type === "PUT");
      assertEquals([answer.status, answer.copies], [201, 2]);
    }
    await eventually(async () => (await second.ask({ type: "GET", item: "a" })).status === 200, {
      what: "the server that was full to serve the file",
    });
  },
});

Deno.test({
  name: "where one of two servers is full, a large file is stored by the other, and both live",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ size: 2 });
    using first = await ring.connect(0);
    using second = await ring.connect(1);
    const fullId = await idOf(second);
    using _ = replaceMethod(
      MemoryStore.prototype,
      "createBody",
      (createBody) =>
        function (this: MemoryStore) {
          if (this.id !== fullId) return createBody.call(this);
          throw new StoreFullError("Cannot write a body: there is no room on the disk");
        },
    );
    const answer = await first.put("a", large);
    assert(answer.type === "PUT");
    assertEquals([answer.status, answer.copies], [201, 1]);
    assertEquals(sha256Of((await first.ask({ type: "GET", item: "a" })).body), sha256Of(large));
    assertEquals((await second.ask({ type: "STATUS" })).status, 200);
  },
});

/** Why a server has stopped by itself; fails if it does not stop. */
async function failureOf(server: RunningServer): Promise<ServerError> {
  const error = await within(
    server.finished.then(() => undefined, (error: unknown) => error),
    "the server to stop",
  );
  if (error instanceof ServerError) return error;
  throw new Error(`The server stopped with ${String(error)}`);
}

/** What a promise resolves to; rejects if it does not in time. */
async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `Waited for ${what} in vain, for ${stopsWithinMs} ms`;
    timer = setTimeout(() => reject(new Error(message)), stopsWithinMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The id of the server at the other end. */
async function idOf(wire: Wire): Promise<string> {
  const status = await wire.ask({ type: "STATUS" });
  assert(status.type === "STATUS");
  return status.id;
}
