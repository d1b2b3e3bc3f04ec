import { createHash } from "node:crypto";
import { assert, assertEquals } from "@std/assert";
import type { Ask } from "../../lib/ring/step.ts";
import { Dialler } from "../../lib/server/dialler.ts";
import { batchWritesMax, Driver } from "../../lib/server/driver.ts";
import { Fetcher } from "../../lib/server/fetcher.ts";
import { Peers } from "../../lib/server/peers.ts";
import { Uploads } from "../../lib/server/uploads.ts";
import { Watchdog } from "../../lib/server/watchdog.ts";
import { StoreFailedError } from "../../lib/storage/disk_error.ts";
import { MemoryStore } from "../../lib/storage/memory_store.ts";
import { Activity } from "../../lib/web/activity.ts";
import { Refusals } from "../../lib/web/refusals.ts";
import { sha256Of } from "../storage/sample.ts";

const body = new Uint8Array([1]);

function put(item: string): Ask {
  const { length: size } = body;
  return { type: "PUT", item, size, sha256: sha256Of(body), contentType: "text/plain", body };
}

/** A driver of a server that is alone, with a store that tells how many writes a transaction had. */
class Fixture implements AsyncDisposable {
  readonly batches: number[] = [];
  readonly failures: unknown[] = [];
  readonly store = new MemoryStore();
  readonly driver: Driver;
  readonly #watchdog = new Watchdog();

  constructor() {
    const { store } = this;
    const write = store.write.bind(store);
    store.write = (batch) => {
      this.batches.push(batch.length);
      return write(batch);
    };
    const dialler = new Dialler();
    const ignore = () => {};
    const peers = new Peers({
      dialler,
      onMessage: ignore,
      onUnreachable: ignore,
      onDistrust: ignore,
      refusals: new Refusals(),
    });
    const uploads = new Uploads({ self: store.id, boot: "boot", store, dialler, others: () => [] });
    this.driver = new Driver({
      node: {
        id: store.id,
        address: "127.0.0.1:4043",
        stored: store.load(),
        files: store.summary().digest,
        boot: "boot",
        sha256: (text) => createHash("sha256").update(text).digest("hex"),
      },
      store,
      peers,
      fetcher: new Fetcher({ store, dialler, uploads, watchdog: this.#watchdog }),
      activity: new Activity(),
      onCircle: () => {},
      onStop: () => {},
      onFatal: (error) => this.failures.push(error),
    });
    this.driver.handle({ type: "start" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.driver.close();
    this.#watchdog.close();
  }
}

Deno.test("Driver stores the writes of one turn in one transaction, and then answers", async () => {
  await using fixture = new Fixture();
  const { driver, batches } = fixture;
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => driver.request(put(`${i}`))),
  );
  assertEquals(batches, [100]);
  for (const [i, { answer }] of answers.entries()) {
    assertEquals([answer.item, answer.status], [`${i}`, 201]);
  }
  assertEquals(driver.requestsUnderWay, 0);
});

Deno.test("Driver stores many writes in transactions of bounded size, in order", async () => {
  await using fixture = new Fixture();
  const { driver, batches, store } = fixture;
  const count = 2 * batchWritesMax + 1;
  await Promise.all(
    Array.from({ length: count }, (_, i) => driver.request(put(`${i % batchWritesMax}`))),
  );
  assertEquals(batches, [batchWritesMax, batchWritesMax, 1]);
  const stamps = Array.from({ length: batchWritesMax }, (_, i) => store.look(`${i}`)?.stamp ?? "");
  assert((stamps[0] ?? "") > (stamps[1] ?? ""), "the last write is not the newest");
});

Deno.test("Driver answers a write when the disk has synced it, and not before", async () => {
  await using fixture = new Fixture();
  const { driver, store } = fixture;
  const [begun, synced] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  store.sync = () => {
    begun.resolve();
    return synced.promise;
  };
  let status = 0;
  const answered = driver.request(put("a")).then(({ answer }) => {
    status = answer.status;
  });
  await begun.promise;
  assert(store.look("a") !== undefined, "it is synced before it is written");
  assertEquals([status, driver.requestsUnderWay], [0, 1]);
  synced.resolve();
  await answered;
  assertEquals(status, 201);
});

Deno.test("Driver writes what comes while the disk syncs in one transaction after it", async () => {
  await using fixture = new Fixture();
  const { driver, batches, store } = fixture;
  const [begun, synced] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  store.sync = () => {
    begun.resolve();
    return synced.promise;
  };
  const first = driver.request(put("first"));
  await begun.promise;
  const others = Array.from({ length: 10 }, (_, i) => driver.request(put(`${i}`)));
  assertEquals(batches, [1]);
  synced.resolve();
  await Promise.all([first, ...others]);
  assertEquals(batches, [1, 10]);
});

Deno.test("Driver gives up when the disk cannot sync what was written", async () => {
  await using fixture = new Fixture();
  const { driver, failures, store } = fixture;
  store.sync = () => Promise.reject(new StoreFailedError("Cannot sync: input/output error"));
  const { answer } = await driver.request(put("a"));
  assertEquals([answer.status, failures.length], [504, 1]);
});

Deno.test("Driver opens the body of the file that it answers with, whatever comes next", async () => {
  await using fixture = new Fixture();
  const { driver } = fixture;
  await driver.request(put("a"));
  const got = driver.request({ type: "GET", item: "a" });
  const deleted = driver.request({ type: "DELETE", item: "a" });
  const { answer, body: reader } = await got;
  assertEquals((await deleted).answer.status, 200);
  assertEquals([answer.status, reader?.bytes], [200, body]);
  reader?.close();
});

Deno.test("Driver gives up, once, when the store fails, and leaves no request waiting", async () => {
  await using fixture = new Fixture();
  const { driver, failures, store } = fixture;
  store.write = () => {
    throw new StoreFailedError("Cannot write a batch: input/output error");
  };
  const answers = await Promise.all([driver.request(put("a")), driver.request(put("b"))]);
  assertEquals(failures.length, 1);
  for (const { answer } of answers) assert(answer.status >= 500, `answered ${answer.status}`);
  const { answer } = await driver.request({ type: "GET", item: "a" });
  assert(answer.status >= 500, `answered ${answer.status} when it had been closed`);
});

Deno.test("Driver asks the ring again for a body that is missing, and answers with it", async () => {
  await using fixture = new Fixture();
  const { driver, store } = fixture;
  await driver.request(put("a"));
  const openBody = store.openBody.bind(store);
  let opened = 0;
  store.openBody = (sha256) => opened++ === 0 ? undefined : openBody(sha256);
  const { answer, body: reader } = await driver.request({ type: "GET", item: "a" });
  assertEquals([answer.status, reader?.bytes, opened], [200, body, 2]);
  reader?.close();
});

Deno.test("Driver asks only once for a body that is missing, and then refuses with 503", async () => {
  await using fixture = new Fixture();
  const { driver, store } = fixture;
  await driver.request(put("a"));
  let opened = 0;
  store.openBody = () => (opened++, undefined);
  const { answer } = await driver.request({ type: "GET", item: "a" });
  assertEquals([answer.status, opened], [503, 2]);
  assertEquals(answer.error, 'The body of "a" is missing on this server; try again');
  assertEquals(driver.requestsUnderWay, 0);
});

Deno.test("Driver drops tombstones, and tells how many", async () => {
  await using fixture = new Fixture();
  const { driver, store } = fixture;
  for (const item of ["a", "b", "c"]) await driver.request(put(item));
  for (const item of ["a", "b"]) await driver.request({ type: "DELETE", item });
  assertEquals(await driver.collect(), { type: "GC", status: 200, dropped: 2 });
  assertEquals(store.scan({ limit: 9, tombstones: true }).map(({ name }) => name), ["c"]);
  assertEquals(driver.requestsUnderWay, 0);
});

Deno.test("Driver tells which of the damaged files are lost", async () => {
  await using fixture = new Fixture();
  const { driver, store } = fixture;
  await driver.request(put("a"));
  assertEquals(await driver.mend([]), []);
  assertEquals(await driver.mend(["a"]), []);
  store.hasBody = () => false;
  assertEquals(await driver.mend(["a"]), ["a"]);
});

Deno.test("close() leaves nobody waiting", async () => {
  await using fixture = new Fixture();
  const { driver, store } = fixture;
  await driver.request(put("a"));
  // What is never looked up is never answered.
  store.look = () => {
    driver.close();
    return undefined;
  };
  assertEquals(await driver.mend(["a"]), undefined);
  assertEquals(await driver.mend(["a"]), undefined);
  assertEquals((await driver.collect()).status, 504);
});
