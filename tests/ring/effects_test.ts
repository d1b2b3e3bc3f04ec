import { assertEquals, assertThrows } from "@std/assert";
import { assert, assertNever, InvariantError } from "../../lib/ring/assert.ts";
import { Effects } from "../../lib/ring/effects.ts";

Deno.test("assert() throws an InvariantError if the condition does not hold", () => {
  assert(true, "it holds");
  assertThrows(() => assert(false, "1 is not 2"), InvariantError, "1 is not 2");
});

Deno.test("assertNever() names what should not have come", () => {
  const call = () => Reflect.apply(assertNever, undefined, [{ type: "unknown" }]);
  assertThrows(call, InvariantError, '{"type":"unknown"}');
});

Deno.test("resume() hands an answer to the effect of its token, once", () => {
  const effects = new Effects();
  const heard: string[] = [];
  effects.look("a", () => heard.push("a"));
  effects.look("b", () => heard.push("b"));
  effects.resume(2, { type: "looked", token: 2 });
  effects.resume(1, { type: "looked", token: 1 });
  assertEquals(heard, ["b", "a"]);
  const again = () => effects.resume(1, { type: "looked", token: 1 });
  assertThrows(again, InvariantError, "no effect 1 is waiting");
});

Deno.test("resume() asserts that an answer is of its effect's kind", () => {
  const effects = new Effects();
  effects.look("a", () => {});
  effects.digest(() => {});
  effects.compare({ digests: "", after: "", limit: 1 }, () => {});
  effects.collect({ upTo: "", limit: 1 }, () => {});
  effects.write({ record: tombstone() }, () => {});
  effects.fetch({ record: tombstone(), sources: [] }, () => {});
  for (const token of [1, 2, 3, 4, 5, 6]) {
    const wrong = () => effects.resume(token, { type: "wake" });
    assertThrows(wrong, InvariantError, "was answered by wake");
  }
});

Deno.test("end() puts what comes first before all others, and begins afresh after it", () => {
  const effects = new Effects();
  effects.begin({ monotonic: 1, wall: 2 });
  effects.note("info", "second");
  const first = { type: "note", level: "info", text: "first" } as const;
  assertEquals(effects.end([first]), [first, { type: "note", level: "info", text: "second" }]);
  effects.begin({ monotonic: 3, wall: 4 });
  assertEquals(effects.end([]), []);
  assertEquals(effects.now, { monotonic: 3, wall: 4 });
});

function tombstone() {
  const record = { name: "a", stamp: "", sha256: "", size: 0, contentType: "" };
  return { ...record, deleted: true as const };
}
