import { assert, assertEquals, assertRejects } from "@std/assert";
import { BodyDamagedError, type BodyReader } from "../../lib/storage/store.ts";
import { BodyCache, keptBodyBytesMax, lentBytesMax } from "../../lib/web/body_cache.ts";

/** A body on a disk, which counts how often it is read and closed. */
class Source {
  opened = 0;
  closed = 0;
  constructor(readonly sha256: string, readonly size: number, readonly failure?: Error) {}

  readonly open = (): BodyReader => {
    this.opened++;
    const { size, failure } = this;
    return {
      size,
      async *chunks() {
        yield new Uint8Array(Math.floor(size / 2)).fill(1);
        if (failure !== undefined) throw failure;
        yield new Uint8Array(Math.ceil(size / 2)).fill(2);
      },
      close: () => this.closed++,
    };
  };
}

Deno.test("BodyCache reads a body once, also for those that ask meanwhile", async () => {
  const cache = new BodyCache();
  const source = new Source("a", 101);
  const lent = await Promise.all([1, 2, 3].map(() => cache.lend(source, source.open)));
  const again = await cache.lend(source, source.open);
  const expected = new Uint8Array(101).fill(1, 0, 50).fill(2, 50);
  for (const bytes of [...lent, again]) assertEquals(bytes, expected);
  assertEquals([source.opened, source.closed, cache.lent], [1, 1, 4 * 101]);
});

Deno.test("BodyCache lends nothing that is too large, or not there, or damaged", async () => {
  const cache = new BodyCache();
  const large = new Source("large", keptBodyBytesMax + 1);
  assertEquals(await cache.lend(large, large.open), undefined);
  assertEquals(large.opened, 0);
  assertEquals(await cache.lend({ sha256: "gone", size: 1 }, () => undefined), undefined);
  const damaged = new Source("damaged", 10, new BodyDamagedError("Cannot read a body"));
  assertEquals(await cache.lend(damaged, damaged.open), undefined);
  assertEquals(await cache.lend(damaged, damaged.open), undefined);
  assertEquals([damaged.opened, damaged.closed, cache.lent], [2, 2, 0]);
});

Deno.test("BodyCache tells of a disk that fails, and lends nothing then", async () => {
  const cache = new BodyCache();
  const broken = new Source("broken", 10, new Error("input/output error"));
  await assertRejects(() => cache.lend(broken, broken.open), Error, "input/output error");
  assertEquals([broken.closed, cache.lent], [1, 0]);
});

Deno.test("BodyCache lends so much at a time, and more when that is given back", async () => {
  const cache = new BodyCache();
  const source = new Source("a", keptBodyBytesMax);
  for (let lent = 0; lent < lentBytesMax; lent += source.size) {
    assert(await cache.lend(source, source.open) !== undefined);
  }
  assertEquals(await cache.lend(source, source.open), undefined);
  cache.giveBack(source.size);
  assert(await cache.lend(source, source.open) !== undefined);
});
