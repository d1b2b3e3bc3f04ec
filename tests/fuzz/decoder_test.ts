import { assert, assertEquals, assertThrows } from "@std/assert";
import { frameBytesMax } from "../../lib/protocol/frame.ts";
import { Random } from "../simulator/random.ts";
import { AllocationMeter, judge, outcomes } from "./decoder_oracle.ts";
import { runDecoder } from "./decoder_run.ts";
import { makeFrame } from "./hostile_frame.ts";

const run = { seed: "test", first: 0, end: 10_000 };

Deno.test("hostile frames are taken or refused, each outcome is met, and nothing else happens", () => {
  using meter = new AllocationMeter();
  const { counts, failure } = runDecoder(run, meter);
  assertEquals(failure, undefined);
  for (const outcome of outcomes) {
    assert((counts.get(outcome) ?? 0) > 100, `${outcome}: ${counts.get(outcome)}`);
  }
});

Deno.test("a frame is the same for its seed and number, and another for any other", () => {
  const frames = ["1/7", "1/8", "2/7"].map((name) => {
    const [seed = "", number] = name.split("/");
    return [0, 0].map(() => makeFrame(seed, Number(number)).bytes.toHex());
  });
  for (const [one, again] of frames) assertEquals(one, again);
  assertEquals(new Set(frames.flat()).size, 3);
});

Deno.test("a frame that nothing was done to is taken by the decoder that it is for", () => {
  const frames = Array.from({ length: 5000 }, (_, number) => makeFrame("test", number))
    .filter(({ changes }) => changes.length === 0);
  assert(frames.length > 100);
  for (const { bytes, random } of frames) {
    const tries = Array.from({ length: 50 }, () => judge(bytes, random));
    assert(tries.includes("taken"), new TextDecoder().decode(bytes));
  }
});

Deno.test("the meter tells what memory was asked for, and lets go of the constructor", () => {
  const original = globalThis.Uint8Array;
  {
    using meter = new AllocationMeter();
    assertEquals(new Uint8Array(frameBytesMax).length, frameBytesMax);
    assertEquals(meter.take(), frameBytesMax);
    assertEquals(meter.take(), 0);
  }
  assert(globalThis.Uint8Array === original);
});

Deno.test("judge() fails when more memory was asked for than has come", () => {
  class Greedy extends AllocationMeter {
    override take(): number {
      return frameBytesMax;
    }
  }
  using greedy = new Greedy();
  assertThrows(() => judge(new Uint8Array([0]), new Random("1"), greedy), Error, "bytes of memory");
});
