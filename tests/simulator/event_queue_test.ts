import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { EventQueue } from "./event_queue.ts";

Deno.test("EventQueue hands out events in the order of time, then of scheduling", () => {
  fc.assert(fc.property(fc.array(fc.nat({ max: 20 }), { maxLength: 200 }), (times) => {
    const queue = new EventQueue();
    const seen: [number, number][] = [];
    times.forEach((at, index) => queue.push(at, () => seen.push([at, index])));
    for (let event = queue.pop(); event !== undefined; event = queue.pop()) event.run();
    const expected = times.map((at, index): [number, number] => [at, index]);
    assertEquals(seen, expected.sort(([a, i], [b, j]) => a - b || i - j));
  }));
});

Deno.test("EventQueue keeps its order when events are added between", () => {
  const queue = new EventQueue();
  const seen: string[] = [];
  queue.push(5, () => seen.push("first of 5"));
  queue.push(1, () => seen.push("1"));
  queue.pop()?.run();
  queue.push(5, () => seen.push("second of 5"));
  queue.push(3, () => seen.push("3"));
  assertEquals(queue.nextAt, 3);
  while (queue.size > 0) queue.pop()?.run();
  assertEquals(seen, ["1", "3", "first of 5", "second of 5"]);
  assertEquals(queue.pop(), undefined);
});
