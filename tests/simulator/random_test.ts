import { assertEquals, assertNotEquals } from "@std/assert";
import { nextWord, Random, seedState } from "./random.ts";

Deno.test("nextWord() agrees with the reference implementation of xoshiro128**", () => {
  const state = new Uint32Array([0x964d4a0c, 0xd40ab895, 0xad7fdecb, 0x3006f0f0]);
  const words = [nextWord(state), nextWord(state), nextWord(state), nextWord(state)];
  assertEquals(words, [0xf1391922, 0x6fe53806, 0xa5be2840, 0xf510ee70]);
});

Deno.test("seedState() is never all zero, and differs for seeds that look alike", () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 1000; seed++) seen.add(seedState(String(seed)).join(" "));
  assertEquals(seen.size, 1000);
  assertEquals(seen.has("0 0 0 0"), false);
});

Deno.test("Random draws the same for the same seed, for ever", () => {
  const random = new Random("7");
  const drawn = [random.integer(1000), random.integer(1000), random.integer(1000)];
  assertEquals(drawn, [182, 669, 505]);
  assertEquals(random.hex(12), "71ff699b8c03");
});

Deno.test("Random.fork() does not depend on what was drawn before", () => {
  const untouched = new Random("7").fork("network");
  const drained = new Random("7");
  drained.hex(1000);
  assertEquals(drained.fork("network").hex(32), untouched.hex(32));
  assertNotEquals(drained.fork("clients").hex(32), drained.fork("network").hex(32));
});

Deno.test("Random.integer() and between() stay within their bounds and reach them", () => {
  const random = new Random("bounds");
  const integers = new Set<number>();
  const between = new Set<number>();
  for (let i = 0; i < 500; i++) {
    integers.add(random.integer(3));
    between.add(random.between(-1, 1));
  }
  assertEquals([...integers].sort(), [0, 1, 2]);
  assertEquals([...between].sort((a, b) => a - b), [-1, 0, 1]);
});

Deno.test("Random.chance() is never true at 0 and always at 1", () => {
  const random = new Random("chance");
  for (let i = 0; i < 200; i++) {
    assertEquals(random.chance(0), false);
    assertEquals(random.chance(1), true);
  }
});

Deno.test("Random.shuffle() keeps every item, and pick() of none is undefined", () => {
  const random = new Random("shuffle");
  const items = [1, 2, 3, 4, 5, 6, 7, 8];
  assertEquals(random.shuffle(items).sort(), items);
  assertEquals(random.pick([]), undefined);
});

Deno.test("Random.weighted() draws in proportion to the weights", () => {
  const random = new Random("weights");
  const counts = new Map<string, number>();
  for (let i = 0; i < 1000; i++) {
    const { name } = random.weighted([{ name: "a", weight: 9 }, { name: "b", weight: 1 }]);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const b = counts.get("b") ?? 0;
  assertEquals(b > 50 && b < 200, true, `b was drawn ${b} times of 1000`);
});
