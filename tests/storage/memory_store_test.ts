import { assertEquals } from "@std/assert";
import { MemoryStore } from "../../lib/storage/memory_store.ts";
import { testStore } from "./store_suite.ts";

testStore("MemoryStore", {
  open: () => {
    const store = new MemoryStore();
    return { store, [Symbol.dispose]: () => store.close() };
  },
});

Deno.test("MemoryStore takes the id that it is given", () => {
  assertEquals(new MemoryStore("f".repeat(32)).id, "f".repeat(32));
});
