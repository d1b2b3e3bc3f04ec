import { assert, assertEquals } from "@std/assert";
import { ByteCache } from "../../lib/web/byte_cache.ts";

Deno.test("ByteCache drops what was not asked for the longest", () => {
  const cache = new ByteCache<number>(3 * 2048);
  cache.set("a", 1, 1000);
  cache.set("b", 2, 1000);
  cache.get("a");
  cache.set("c", 3, 1000);
  cache.set("d", 4, 1000);
  assertEquals(["a", "b", "c", "d"].map((key) => cache.get(key)), [1, undefined, 3, 4]);
});

Deno.test("ByteCache is never above its bound, whatever it is given", () => {
  const cache = new ByteCache<number>(100_000);
  for (let i = 0; i < 1000; i++) {
    cache.set(`key ${i % 37}`, i, (i * 7919) % 50_000);
    assert(cache.bytes <= 100_000, `${cache.bytes} bytes`);
  }
});

Deno.test("ByteCache takes nothing that is larger than itself, and forgets what that replaces", () => {
  const cache = new ByteCache<number>(10_000);
  cache.set("a", 1, 1);
  cache.set("b", 2, 1);
  cache.set("a", 3, 20_000);
  assertEquals([cache.get("a"), cache.get("b")], [undefined, 2]);
});

Deno.test("ByteCache counts a value once when it is replaced, and not when it is deleted", () => {
  const cache = new ByteCache<number>(10_000);
  cache.set("a", 1, 100);
  const { bytes } = cache;
  cache.set("a", 2, 100);
  assertEquals([cache.bytes, cache.get("a")], [bytes, 2]);
  cache.delete("a");
  cache.delete("b");
  assertEquals([cache.bytes, cache.get("a")], [0, undefined]);
});
