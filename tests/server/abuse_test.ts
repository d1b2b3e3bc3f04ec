import { assertEquals } from "@std/assert";
import { encodeFrame } from "../../lib/protocol/frame.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { bytesOf as textOf } from "../protocol/bytes.ts";
import { bytesOf, sha256Of } from "../storage/sample.ts";
import { ServerChild } from "./child.ts";
import type { Wire } from "./wire.ts";

const permissions = needs("net", "read", "write", "run");

/** How many files a server may have open that is flooded; about 40 of them it needs itself. */
const openFilesMax = 80;

/** What the memory of a server may grow by, in bytes, after it has warmed up: a leak is far above. */
const growthBytesMax = 8 << 20;

const small = bytesOf(1000);
const large = bytesOf(300_000);

Deno.test({
  name: "repeated abuse leaves no socket, no file and no memory behind",
  ...permissions,
  fn: async () => {
    await using child = await ServerChild.start();
    using bystander = await child.connect();
    await bystander.put("good", small);
    await bystander.put("large", large);
    const files = await child.openFiles();
    await abuse(child, 100);
    await child.untilOpenFiles(files);
    const before = await child.memory();
    await abuse(child, 300);
    await child.untilOpenFiles(files);
    // More than once, as memory outside the heap is given back only some time after a collection.
    await eventually(async () => await child.memory() - before < growthBytesMax, {
      what: "the server to hold no more memory than before",
    });
    await assertServes(bystander);
    assertEquals(child.temporaryBodies(), []);
  },
});

Deno.test({
  name: "a server with too many open files serves again when they are closed",
  ...permissions,
  fn: async () => {
    await using child = await ServerChild.start({ openFilesMax });
    using bystander = await child.connect();
    await bystander.put("good", small);
    const files = await child.openFiles();
    {
      using flood = new DisposableStack();
      for (let i = 0; i < 2 * openFilesMax; i++) flood.use(await child.connect());
      await untilFull(child);
      await assertServes(bystander);
    }
    await child.untilOpenFiles(files);
    using newcomer = await child.connect();
    await assertServes(newcomer);
  },
});

Deno.test({
  name: "a server with too many open files refuses large files, and lives",
  ...permissions,
  fn: async () => {
    await using child = await ServerChild.start({ openFilesMax });
    using bystander = await child.connect();
    await bystander.put("large", large);
    const files = await child.openFiles();
    {
      using flood = new DisposableStack();
      using getter = await child.connect();
      using fetcher = await child.connect();
      using putter = await child.connect();
      for (let i = 0; i < 2 * openFilesMax; i++) flood.use(await child.connect());
      await untilFull(child);
      // Each may be refused or have its connection closed, or be served by a file just closed.
      await Promise.allSettled([
        putter.put("refused", large),
        getter.ask({ type: "GET", item: "large" }),
        fetcher.ask({ type: "FETCH", sha256: sha256Of(large) }),
      ]);
      assertEquals((await bystander.ask({ type: "STATUS" })).status, 200);
    }
    // Connections that were waiting to be accepted come and go for a little while yet.
    await eventually(async () => (await bystander.put("other", large)).status === 201, {
      what: "a large file to be stored again",
    });
    await child.untilOpenFiles(files);
    const got = await bystander.ask({ type: "GET", item: "large" });
    assertEquals([got.status, sha256Of(got.body)], [200, sha256Of(large)]);
    assertEquals(child.temporaryBodies(), []);
  },
});

async function untilFull(child: ServerChild): Promise<void> {
  await eventually(async () => await child.openFiles() >= openFilesMax, {
    what: "the server to have as many files open as it may",
  });
}

/** Does everything wrong, so many times. */
async function abuse(child: ServerChild, times: number): Promise<void> {
  const getLarge = encodeFrame({ type: "GET", item: "large" });
  const offences: readonly ((wire: Wire) => Promise<void>)[] = [
    (wire) => wire.sendBytes(textOf(0xffffffff)),
    (wire) => wire.sendBytes(textOf(1 << 20, "half of a frame")),
    (wire) => wire.send({ type: "PUT", item: "half", size: 1 << 30 }, large),
    (wire) => wire.send({ type: "PUT", item: "half", size: 60_000 }, small),
    (wire) => wire.sendBytes(getLarge, getLarge, getLarge, getLarge),
    (wire) => wire.send({ type: "GET", item: "../../etc/passwd" }),
    (wire) => wire.send({ type: "LIST" }),
  ];
  for (let i = 0; i < times; i++) {
    for (const offence of offences) {
      using wire = await child.connect();
      // The server may have closed the connection already: that is its good right.
      await offence(wire).catch(() => {});
    }
  }
}

async function assertServes(wire: Wire): Promise<void> {
  assertEquals((await wire.ask({ type: "GET", item: "good" })).body, small);
}
