import { assert, assertEquals } from "@std/assert";
import { decodeAnswer, decodeIncoming, decodeReply } from "../../lib/protocol/decode.ts";
import { encodeAnswer, encodeMessage, encodeRequest } from "../../lib/protocol/encode.ts";
import { ProtocolError } from "../../lib/protocol/protocol_error.ts";
import { eventsOf } from "./bytes.ts";
import * as sample from "./sample.ts";

const frames = [
  ...sample.requests.map(encodeRequest),
  ...sample.memberMessages.map((message) => encodeMessage(message).head),
  ...sample.clientAnswers.map(encodeAnswer),
  ...sample.fetchAnswers.map(encodeAnswer),
];

const rounds = 6000;

/** Bytes that mean something to a decoder of frames or of JSON. */
const spicy = new TextEncoder().encode('"\\{}[]:,-0189eE.tn \0');

/** Whole numbers from 0 to `below` - 1, the same for a seed always (mulberry32). */
function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** A copy with one to four of its bytes changed, removed, doubled, or moved. */
function mutate(frame: Uint8Array, random: (below: number) => number): Uint8Array {
  const bytes = [...frame];
  for (let change = 1 + random(4); change > 0; change--) {
    // The length is hit seldom, or nothing else would ever be read.
    const at = random(10) === 0 ? random(4) : 4 + random(bytes.length - 4);
    const run = bytes.slice(at, at + 1 + random(12));
    switch (random(5)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes[at] = spicy[random(spicy.length)] ?? 0;
        break;
      case 2:
        bytes.splice(at, run.length, ...run.map(() => 0x20));
        break;
      case 3:
        bytes.splice(at, run.length, ...run.reverse());
        break;
      case 4:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
        break;
    }
  }
  return new Uint8Array(bytes);
}

/** Whether these bytes are good frames for `decode`. */
function isGood(bytes: Uint8Array, decode: (typeof decoders)[number]): boolean {
  try {
    for (const event of eventsOf(bytes)) {
      if (event.type === "frame") decode(event.value, event.size);
    }
    return true;
  } catch (error) {
    assert(error instanceof ProtocolError, `${error}`);
    assert(error.status === 400 || error.status === 413);
    return false;
  }
}

const decoders = [decodeIncoming, decodeReply, decodeAnswer] as const;

Deno.test("Frames changed at random are taken or refused, and nothing else happens", () => {
  const random = makeRandom(20260501);
  let good = 0;
  for (let round = 0; round < rounds; round++) {
    const frame = frames[round % frames.length];
    assert(frame !== undefined);
    const changed = mutate(frame, random);
    for (const decode of decoders) if (isGood(changed, decode)) good++;
  }
  // Not all are refused at the first look: the changes reach every layer.
  assert(good > rounds / 100, `${good} of ${rounds} were good`);
  assertEquals(Object.keys(Object.prototype), []);
});
