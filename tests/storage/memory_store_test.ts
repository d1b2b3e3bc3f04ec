import { assertEquals } from "@std/assert";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import { MemoryStore } from "../../lib/storage/memory_store.ts";
import { flipBit } from "./sample.ts";
import { testStore } from "./store_suite.ts";

testStore("MemoryStore", {
  open: ({ isLittle, quota }) => {
    const bodies = new Map<string, Uint8Array>();
    let time = 0;
    const store = new MemoryStore(undefined, {
      bodies,
      now: () => time,
      ...(quota === undefined ? {} : { quota }),
      ...(isLittle ? { bytesMax: 3.5 * inlineBytesMax } : {}),
    });
    return {
      store,
      advance: (milliseconds) => {
        time += milliseconds;
      },
      damageBody: (sha256) => flipBit(bodies.get(sha256)),
      loseBody: (sha256) => bodies.delete(sha256),
      [Symbol.dispose]: () => store.close(),
    };
  },
});

Deno.test("MemoryStore takes the id that it is given", () => {
  assertEquals(new MemoryStore("f".repeat(32)).id, "f".repeat(32));
});
