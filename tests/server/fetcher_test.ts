import { assert, assertEquals } from "@std/assert";
import { encodeAnswer, encodeMessage } from "../../lib/protocol/encode.ts";
import { type FileRecord, inlineBytesMax } from "../../lib/ring/file_record.ts";
import { Dialler } from "../../lib/server/dialler.ts";
import { type Fetched, Fetcher } from "../../lib/server/fetcher.ts";
import { peerIdleMs } from "../../lib/server/peers.ts";
import { SilenceWatch } from "../../lib/server/silence.ts";
import { Uploads } from "../../lib/server/uploads.ts";
import { Watchdog } from "../../lib/server/watchdog.ts";
import { MemoryStore } from "../../lib/storage/memory_store.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { memberMessages } from "../protocol/sample.ts";
import { bytesOf, sha256Of, stampAt } from "../storage/sample.ts";
import { replaceMethod } from "./double.ts";
import { FakeSource, fetchAnswer, type SourceConnection } from "./fake_source.ts";

const net = needs("net");

/** A file: its record, and its body. */
interface File {
  readonly record: FileRecord;
  readonly body: Uint8Array;
}

/** Files of so many bytes, all different. */
function filesOf(count: number, bytes = 1000): File[] {
  return Array.from({ length: count }, (_, index) => {
    const body = bytesOf(bytes, index);
    const record = {
      name: `file-${index}`,
      stamp: stampAt(index + 1),
      sha256: sha256Of(body),
      size: body.length,
      contentType: "",
    };
    return { record, body };
  });
}

function bodiesOf(files: readonly File[]): ReadonlyMap<string, Uint8Array> {
  return new Map(files.map(({ record, body }) => [record.sha256, body]));
}

/** How long a test waits for what is fetched, in milliseconds. */
const deadlineMs = 20_000;

/** A fetcher, and the store that large bodies go to. */
function startFetcher() {
  const store = new MemoryStore();
  const watchdog = new Watchdog();
  const dialler = new Dialler();
  const uploads = new Uploads({ self: store.id, boot: "boot", store, dialler, others: () => [] });
  const fetcher = new Fetcher({ store, dialler, uploads, watchdog });
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("Nothing is fetched")), deadlineMs);
  const fetchAll = (files: readonly File[], sources: readonly FakeSource[]) => {
    const addresses = sources.map(({ address }) => address);
    const fetches = files.map(({ record }) => fetcher.fetch({ record, sources: addresses }));
    return Promise.race([Promise.all(fetches), late.promise]);
  };
  return {
    fetcher,
    store,
    fetchAll,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      fetcher.close();
      watchdog.close();
    },
  };
}

function assertFetched(fetched: readonly Fetched[], files: readonly File[]): void {
  assertEquals(fetched, files.map(({ body }) => ({ ok: true, body })));
}

Deno.test({
  name: "Fetcher asks for many small bodies on one connection before the first has come",
  ...net,
  fn: async () => {
    const files = filesOf(200);
    await using source = new FakeSource(bodiesOf(files), async (connection) => {
      const asked: string[] = [];
      while (asked.length < files.length) asked.push(await connection.nextFetch() ?? "");
      for (const sha256 of asked) await connection.answer(sha256);
      await connection.answerAll();
    });
    using started = startFetcher();
    assertFetched(await started.fetchAll(files, [source]), files);
    const again = files.slice(0, 3);
    assertFetched(await started.fetchAll(again, [source]), again);
    assertEquals(source.connections, 1);
  },
});

Deno.test({
  name: "Fetcher gets the small bodies that one source has not from the next, and no others",
  ...net,
  fn: async () => {
    const files = filesOf(9);
    const some = files.filter((_, index) => index % 3 === 0);
    const others = files.filter((_, index) => index % 3 !== 0);
    await using first = new FakeSource(bodiesOf(some));
    await using second = new FakeSource(bodiesOf(others));
    using started = startFetcher();
    assertFetched(await started.fetchAll(files, [first, second]), files);
    assertEquals([first.connections, second.connections], [1, 1]);
    assertEquals(await started.fetchAll(others, [first]), others.map(() => ({ ok: false })));
  },
});

const other = bytesOf(1000, 12345);

/** What is found out must not be found out by silence. */
function withoutSilence(): Disposable {
  return replaceMethod(SilenceWatch.prototype, "expect", () => () => {});
}

/** Each is asked for the body with this hash, after it has answered one FETCH well. */
const faults: readonly {
  readonly name: string;
  readonly fault: (connection: SourceConnection, sha256: string) => Promise<void>;
}[] = [
  { name: "closes the connection", fault: (connection) => connection.close() },
  {
    name: "sends a body with another hash",
    fault: (connection, sha256) => connection.send(fetchAnswer(sha256, other), other),
  },
  {
    name: "sends a body of another size",
    fault: (connection, sha256) => {
      const longer = bytesOf(1001);
      return connection.send(fetchAnswer(sha256, longer), longer);
    },
  },
  {
    name: "answers for another hash",
    fault: (connection) => connection.send(fetchAnswer(sha256Of(other), other), other),
  },
  {
    name: "says of another hash that it has no such body",
    fault: (connection) =>
      connection.send(encodeAnswer({ type: "FETCH", status: 404, sha256: sha256Of(other) })),
  },
  {
    name: "answers with an error",
    fault: (connection) =>
      connection.send(encodeAnswer({ type: "ERROR", status: 400, error: "No." })),
  },
  {
    name: "sends a message instead of an answer",
    fault: (connection) => {
      const [message] = memberMessages;
      assert(message !== undefined);
      return connection.send(encodeMessage(message).head);
    },
  },
  { name: "sends what is no frame", fault: (connection) => connection.send(new Uint8Array(4)) },
  {
    name: "stops in the middle of a body",
    fault: async (connection, sha256) => {
      await connection.send(fetchAnswer(sha256, other), other.subarray(1));
      await connection.close();
    },
  },
];

for (const { name, fault } of faults) {
  Deno.test({
    name: `Fetcher turns to the next source with all that is under way when one ${name}`,
    ...net,
    fn: async () => {
      using _ = withoutSilence();
      const files = filesOf(20);
      await using bad = new FakeSource(bodiesOf(files), async (connection) => {
        await connection.answer(await connection.nextFetch() ?? "");
        await fault(connection, await connection.nextFetch() ?? "");
        await connection.untilClosed();
      });
      await using good = new FakeSource(bodiesOf(files));
      using started = startFetcher();
      assertFetched(await started.fetchAll(files, [bad, good]), files);
      assertEquals(good.connections, 1);
      assert(bad.connections <= 2, `${bad.connections} connections to a source that is bad`);
    },
  });
}

Deno.test({
  name: "Fetcher turns to the next source when one cannot be connected to",
  ...net,
  fn: async () => {
    const files = filesOf(20);
    const gone = new FakeSource(new Map());
    await gone[Symbol.asyncDispose]();
    await using good = new FakeSource(bodiesOf(files));
    using started = startFetcher();
    assertFetched(await started.fetchAll(files, [gone, good]), files);
  },
});

Deno.test({
  name: "Fetcher turns to the next source when one falls silent, also after it has answered",
  ...net,
  fn: async () => {
    const files = filesOf(5);
    await using good = new FakeSource(bodiesOf(files));
    using started = startFetcher();
    await Promise.all([0, 2].map(async (answers) => {
      await using mute = new FakeSource(bodiesOf(files), async (connection) => {
        for (let i = 0; i < answers; i++) {
          await connection.answer(await connection.nextFetch() ?? "");
        }
        await connection.untilClosed();
      });
      assertFetched(await started.fetchAll(files, [mute, good]), files);
      assertEquals(mute.connections, 1);
    }));
  },
});

Deno.test({
  name: "Fetcher asks again on a new connection when a source has closed the one that was idle",
  ...net,
  fn: async () => {
    for (const bytes of [1000, inlineBytesMax + 1]) {
      const files = filesOf(3, bytes);
      const bodies = bodiesOf(files);
      await using source = new FakeSource(bodies, async (connection, number) => {
        if (number > 1) return await connection.answerAll();
        await connection.answer(await connection.nextFetch() ?? "");
        // As if it had closed it just before this was asked.
        await connection.nextFetch();
        await connection.close();
      });
      using started = startFetcher();
      const [first, ...rest] = files;
      assert(first !== undefined);
      for (const fetched of await started.fetchAll([first], [source])) assert(fetched.ok);
      for (const fetched of await started.fetchAll(rest, [source])) assert(fetched.ok);
      assert(source.connections > 1);
    }
  },
});

Deno.test({
  name: "Fetcher gets large bodies on connections of their own, which hold up no small one",
  ...net,
  fn: async () => {
    const [last, ...large] = filesOf(4, inlineBytesMax + 1);
    assert(last !== undefined);
    const small = filesOf(10);
    const released = Promise.withResolvers<void>();
    await using source = new FakeSource(
      bodiesOf([last, ...large, ...small]),
      async (connection) => {
        for (let sha256 = await connection.nextFetch(); sha256 !== undefined;) {
          if (large.some(({ record }) => record.sha256 === sha256)) await released.promise;
          await connection.answer(sha256);
          sha256 = await connection.nextFetch();
        }
      },
    );
    using started = startFetcher();
    const fetching = started.fetchAll(large, [source]);
    await eventually(() => source.connections === large.length, { what: "the connections" });
    assertFetched(await started.fetchAll(small, [source]), small);
    released.resolve();
    assertEquals(await fetching, large.map(() => ({ ok: true })));
    for (const { record } of large) assert(started.store.hasBody(record.sha256));
    assertEquals(source.connections, large.length + 1);
    assertEquals(await started.fetchAll([last], [source]), [{ ok: true }]);
    assertEquals(source.connections, large.length + 1, "a connection is there for the next body");
  },
});

Deno.test({
  name: "Fetcher.sweep() closes a connection for small bodies once it has been idle for long",
  ...net,
  fn: async () => {
    const files = filesOf(2);
    let ended = false;
    await using source = new FakeSource(bodiesOf(files), async (connection) => {
      await connection.answerAll();
      ended = true;
    });
    using started = startFetcher();
    await started.fetchAll(files, [source]);
    started.fetcher.sweep();
    await started.fetchAll(files, [source]);
    assertEquals(source.connections, 1);
    {
      using _ = replaceMethod(
        performance,
        "now",
        (now) => () => now.call(performance) + peerIdleMs + 1000,
      );
      started.fetcher.sweep();
    }
    await eventually(() => ended, { what: "the connection to end" });
    assertFetched(await started.fetchAll(files, [source]), files);
    assertEquals(source.connections, 2);
  },
});

Deno.test({
  name: "Fetcher.close() ends what is under way, and then nothing is fetched",
  ...net,
  fn: async () => {
    using _ = withoutSilence();
    const files = filesOf(5);
    await using source = new FakeSource(bodiesOf(files), (connection) => connection.untilClosed());
    using started = startFetcher();
    const connecting = started.fetchAll(files, [source]);
    await eventually(() => source.connections === 1, { what: "the connection" });
    started.fetcher.close();
    const nothing = files.map(() => ({ ok: false }));
    assertEquals(await connecting, nothing);
    assertEquals(await started.fetchAll(files, [source]), nothing);
    assertEquals(source.connections, 1);
  },
});
