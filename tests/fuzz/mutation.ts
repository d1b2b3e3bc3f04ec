/**
 * Mutations: what is done to a good frame so that it is, mostly, a bad one.
 *
 * Some change the text of the JSON and leave the frame around it whole, to reach the layers behind the
 * parser; others change bytes, the length among them.
 */
import { frameBytesMax } from "../../lib/protocol/frame.ts";
import type { Random } from "../simulator/random.ts";

/** Bytes of the length before each frame. */
const lengthBytes = 4;

/** More items than most lists may have. */
const manyItems = 600;

/** Numbers where another is expected. */
const numbers = [
  "-1",
  "-0",
  "0.5",
  "1e400",
  "-1e400",
  "1e15",
  "9007199254740991",
  "9007199254740992",
  "9007199254740993",
  "18446744073709551616",
  "1".repeat(400),
  "01",
  "NaN",
  "0x10",
];

/** Values where another is expected. */
const values = [
  "null",
  "true",
  "false",
  "[]",
  "{}",
  '""',
  '"\\ud800"',
  '"\\u0000"',
  '"../../etc/passwd"',
  '{"__proto__":{"polluted":1}}',
  '{"toString":1,"length":1e9}',
];

/** Keys that are in an object once more. */
const keys = [
  '"type":"GET",',
  '"type":"LEAVE ",',
  '"size":4,',
  '"size":9007199254740991,',
  '"__proto__":{"type":"GET"},',
  '"constructor":null,',
  '"from":1,',
];

/** Bytes that are no UTF-8: a lone tail, a cut head, an overlong form, a surrogate, too high. */
const badUtf8 = [[0x80], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]];

/** Bytes that mean something to a decoder of frames or of JSON. */
const spicy = new TextEncoder().encode('"\\{}[]:,-0189eE.tn \0');

const encoder = new TextEncoder();

/** Changes the text of an object, which need not be JSON any more. */
export type TextMutation = (text: string, random: Random) => string;

/** Changes the bytes of a frame, whose body may follow. */
export type ByteMutation = (bytes: Uint8Array, random: Random) => Uint8Array;

/** Every change of a text, by its name. */
export const textMutations: Readonly<Record<string, TextMutation>> = {
  number: (text, random) => replaceAt(text, random, { pattern: /-?\d+/g, by: numbers }),
  value: (text, random) =>
    replaceAt(text, random, { pattern: /(?<=:)("[^"]*"|\d+|true)/g, by: values }),
  duplicateKey: (text, random) => text.replace("{", `{${random.pick(keys)}`),
  nesting: nest,
  longText: (text, random) => text.replace(/[a-z]"/, `${"x".repeat(random.integer(5000))}"`),
  manyItems: (text, random) =>
    text.replace(/\[([^[\]]+)\]/, (_, item) => `[${repeat(item, random)}]`),
  noKey: (text, random) => replaceAt(text, random, { pattern: /"\w+":("[^"]*"|\d+),?/g, by: [""] }),
};

/** Every change of bytes, by its name. */
export const byteMutations: Readonly<Record<string, ByteMutation>> = {
  flip: (bytes, random) => changeBytes(bytes, random, (byte) => byte ^ (1 << random.integer(8))),
  spice: (bytes, random) => changeBytes(bytes, random, () => random.pick([...spicy]) ?? 0),
  truncate: (bytes, random) => bytes.subarray(0, random.integer(bytes.length)),
  remove: (bytes, random) => {
    const at = random.integer(bytes.length);
    return join(bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(8)));
  },
  repeat: (bytes, random) => {
    const at = random.integer(bytes.length);
    return join(bytes.subarray(0, at), bytes.subarray(Math.max(0, at - random.integer(64))));
  },
  badUtf8: (bytes, random) => {
    const at = Math.min(bytes.length, lengthBytes + random.integer(bytes.length));
    const bad = new Uint8Array(random.pick(badUtf8) ?? []);
    return withLength(join(bytes.subarray(lengthBytes, at), bad, bytes.subarray(at)));
  },
  lengthLie: (bytes, random) => {
    const lies = [0, 1, bytes.length, frameBytesMax, frameBytesMax + 1, 2 ** 31, 2 ** 32 - 1];
    return join(lengthOf(random.pick(lies) ?? 0), bytes.subarray(lengthBytes));
  },
};

/** An object as a frame, whatever is in its text. */
export function frameOf(text: string): Uint8Array {
  return withLength(encoder.encode(text));
}

/** Bytes one after the other. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

function withLength(bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(lengthBytes + bytes.length);
  frame.set(lengthOf(bytes.length));
  frame.set(bytes, lengthBytes);
  return frame;
}

function lengthOf(length: number): Uint8Array {
  return new Uint8Array([length >>> 24, length >>> 16, length >>> 8, length]);
}

/** Replaces one of the places where a pattern fits. */
function replaceAt(
  text: string,
  random: Random,
  { pattern, by }: { pattern: RegExp; by: readonly string[] },
): string {
  const places = [...text.matchAll(pattern)];
  const place = random.pick(places);
  if (place === undefined) return text;
  const end = place.index + place[0].length;
  return text.slice(0, place.index) + random.pick(by) + text.slice(end);
}

/** Wraps a value in brackets: around the depth that is allowed, or very much deeper. */
function nest(text: string, random: Random): string {
  const depth = random.chance(0.1) ? 10_000 : random.between(10, 20);
  const isArray = random.chance(0.5);
  const [open, close] = isArray ? ["[", "]"] : ['{"a":', "}"];
  return text.replace(/}$/, `,"x":${open.repeat(depth)}1${close.repeat(depth)}}`);
}

function repeat(item: string, random: Random): string {
  const times = random.chance(0.01) ? manyItems : random.between(2, 8);
  return Array.from({ length: times }, () => item).join(",");
}

function changeBytes(
  bytes: Uint8Array,
  random: Random,
  change: (byte: number) => number,
): Uint8Array {
  const changed = bytes.slice();
  for (let times = random.between(1, 4); times > 0; times--) {
    // The length is hit seldom, or nothing else would ever be read.
    const from = random.chance(0.1) ? 0 : lengthBytes;
    const at = from + random.integer(Math.max(1, changed.length - from));
    if (at < changed.length) changed[at] = change(changed[at] ?? 0);
  }
  return changed;
}
