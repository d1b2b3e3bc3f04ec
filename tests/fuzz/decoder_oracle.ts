/**
 * What must hold of whatever bytes a decoder is given.
 *
 * It takes them or throws a ProtocolError; it never asks for more memory than a small multiple of what has
 * arrived; what it takes is bounded, and is encoded and decoded to the same again.
 */
import { decodeAnswer, decodeIncoming, decodeReply } from "../../lib/protocol/decode.ts";
import { encodeAnswer, encodeMessage } from "../../lib/protocol/encode.ts";
import {
  encodeFrame,
  FrameDecoder,
  type FrameEvent,
  jsonDepthMax,
  type JsonObject,
} from "../../lib/protocol/frame.ts";
import { ProtocolError } from "../../lib/protocol/protocol_error.ts";
import type { Random } from "../simulator/random.ts";
import type { Message } from "./messages.ts";

/** How a decoder dealt with a frame, in the order in which the counts are printed. */
export const outcomes = ["taken", "no message", "no frame", "cut", "too large"] as const;

/** One of {@linkcode outcomes}. */
export type Outcome = typeof outcomes[number];

/** What a decoder may ask for however little has arrived, in bytes. */
const allocationBytesMin = 1024;

type Decode = (value: JsonObject, size: number | undefined) => Message;

/** The largest piece of memory that `new Uint8Array(…)` was asked for, since it was last read. */
export class AllocationMeter implements Disposable {
  readonly #original = globalThis.Uint8Array;
  #largest = 0;

  /** Meters from now on, until it is disposed of. */
  constructor() {
    const note = (length: unknown) => {
      if (typeof length === "number" && length > this.#largest) this.#largest = length;
    };
    globalThis.Uint8Array = new Proxy(this.#original, {
      construct(target, args, newTarget) {
        note(args[0]);
        return Reflect.construct(target, args, newTarget);
      },
    });
  }

  take(): number {
    const largest = this.#largest;
    this.#largest = 0;
    return largest;
  }

  [Symbol.dispose](): void {
    globalThis.Uint8Array = this.#original;
  }
}

/**
 * Gives bytes to the decoders, in pieces drawn from `random`.
 *
 * @throws {Error} if something does not hold; that is the only thing it throws.
 */
export function judge(bytes: Uint8Array, random: Random, meter?: AllocationMeter): Outcome {
  const decoder = new FrameDecoder();
  const decode = pickDecoder(random);
  meter?.take();
  let outcome: Outcome = "cut";
  try {
    for (const piece of pieces(bytes, random)) {
      decoder.push(piece);
      for (let event = decoder.next(); event !== undefined; event = decoder.next()) {
        if (event.type === "frame") outcome = judgeFrame(event, decode);
      }
    }
    decoder.end();
  } catch (error) {
    outcome = refusal(error, outcome);
  }
  const asked = meter?.take() ?? 0;
  if (asked > Math.max(allocationBytesMin, 2 * bytes.length)) {
    throw new Error(`${asked} bytes of memory for a frame of which ${bytes.length} had come`);
  }
  return outcome;
}

/** What was refused: a frame that was taken may have others behind it that are not. */
function refusal(error: unknown, before: Outcome): Outcome {
  if (!(error instanceof ProtocolError)) throw asFailure(error);
  if (error.message.includes("the connection ended")) return before;
  return error.status === 413 ? "too large" : "no frame";
}

/** One for each frame; what a server receives comes from anybody, and is drawn more often. */
function pickDecoder(random: Random): Decode {
  return random.weighted<{ weight: number; decode: Decode }>([
    { weight: 3, decode: decodeIncoming },
    { weight: 1, decode: decodeReply },
    { weight: 1, decode: decodeAnswer },
  ]).decode;
}

function judgeFrame(
  { value, size }: Extract<FrameEvent, { type: "frame" }>,
  decode: Decode,
): Outcome {
  if (depthOf(value) > jsonDepthMax) throw new Error(`It was parsed ${depthOf(value)} deep`);
  let message: Message;
  try {
    message = decode(value, size);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw asFailure(error);
    return "no message";
  }
  judgeMessage(message, decode);
  return "taken";
}

function judgeMessage(message: Message, decode: Decode): void {
  assertBounded(message, message.type);
  const text = JSON.stringify(message);
  const again = JSON.stringify(decodeAgain(message, decode));
  if (again !== text) throw new Error(`It was decoded as ${text}, and then as ${again}`);
}

/** The message that was encoded and decoded once more. */
function decodeAgain(message: Message, decode: Decode): Message {
  const decoder = new FrameDecoder();
  decoder.push(encode(message));
  const event = decoder.next();
  if (event?.type !== "frame") throw new Error("It was encoded as no frame");
  return decode(event.value, event.size);
}

function encode(message: Message): Uint8Array {
  if ("status" in message && message.type !== "REFUSE") {
    // Whoever answers does not give a size without a body, and a decoder does not mind.
    return encodeAnswer(message);
  }
  switch (message.type) {
    case "GET":
    case "PUT":
    case "DELETE":
    case "LIST":
    case "STATUS":
    case "LEAVE":
    case "FORGET":
    case "GC":
    case "VERIFY":
    case "BODY":
    case "FETCH":
      return encodeFrame(message);
    default:
      return encodeMessage(message).head;
  }
}

/** Numbers are integers below 2^53, and not negative: whatever they count. */
function assertBounded(value: unknown, at: string): void {
  if (typeof value === "number" && !(Number.isSafeInteger(value) && value >= 0)) {
    throw new Error(`${at} is ${value}`);
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, item] of Object.entries(value)) assertBounded(item, key);
}

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let deepest = 0;
  for (const item of Object.values(value)) deepest = Math.max(deepest, depthOf(item));
  return deepest + 1;
}

/** The bytes at once, most times; or in pieces. */
function* pieces(bytes: Uint8Array, random: Random): Generator<Uint8Array> {
  if (random.chance(0.8)) return yield bytes;
  for (let offset = 0; offset < bytes.length;) {
    const end = offset + 1 + random.integer(64);
    yield bytes.subarray(offset, end);
    offset = end;
  }
}

function asFailure(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
