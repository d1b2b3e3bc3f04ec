/** A hostile frame: made from a seed and a number alone, so that one that fails can be made again. */
import { Random } from "../simulator/random.ts";
import { type Cast, type Message, MessageMaker } from "./messages.ts";
import { byteMutations, frameOf, join, textMutations } from "./mutation.ts";

/** How many random bytes stand in for a frame at the most. */
const noiseBytesMax = 200;

/** A frame, or what looks like one, and what was done to it. */
export interface HostileFrame {
  readonly bytes: Uint8Array;
  /** The names of the changes; none if the frame is good. */
  readonly changes: readonly string[];
}

/** A frame, and what further choices about it are drawn from. */
export interface NumberedFrame extends HostileFrame {
  readonly random: Random;
}

const textNames = Object.keys(textMutations);
const byteNames = Object.keys(byteMutations);

/** The frame with this number. */
export function makeFrame(seed: string, number: number, cast?: Cast): NumberedFrame {
  const random = new Random(`${seed}/${number}`);
  const maker = new MessageMaker(random, cast);
  const { make } = random.weighted([
    { weight: 10, make: () => ({ bytes: encode(maker.any()), changes: [] }) },
    { weight: 40, make: () => changedText(maker, random) },
    { weight: 40, make: () => changedBytes(maker, random) },
    { weight: 8, make: () => spliced(maker, random) },
    { weight: 2, make: () => noise(random) },
  ]);
  return { ...make(), random };
}

function changedText(maker: MessageMaker, random: Random): HostileFrame {
  const { text, body } = write(maker.any());
  const changes = draw(textNames, random);
  const changed = changes.reduce(
    (before, name) => textMutations[name]?.(before, random) ?? "",
    text,
  );
  return { bytes: withBody(frameOf(changed), body), changes };
}

function changedBytes(maker: MessageMaker, random: Random): HostileFrame {
  const changes = draw(byteNames, random);
  let bytes = encode(maker.any());
  for (const name of changes) {
    if (bytes.length > 0) bytes = byteMutations[name]?.(bytes, random) ?? bytes;
  }
  return { bytes, changes };
}

/** The beginning of one frame and the end of another. */
function spliced(maker: MessageMaker, random: Random): HostileFrame {
  const [first, second] = [encode(maker.any()), encode(maker.any())];
  const bytes = join(
    first.subarray(0, random.integer(first.length + 1)),
    second.subarray(random.integer(second.length + 1)),
  );
  return { bytes, changes: ["splice"] };
}

function noise(random: Random): HostileFrame {
  const bytes = Uint8Array.from(
    { length: random.integer(noiseBytesMax) },
    () => random.integer(256),
  );
  return { bytes, changes: ["noise"] };
}

function encode(message: Message): Uint8Array {
  const { text, body } = write(message);
  return withBody(frameOf(text), body);
}

function withBody(frame: Uint8Array, body: Uint8Array | undefined): Uint8Array {
  return body === undefined ? frame : join(frame, body);
}

/** A message as the text of its frame, and the bytes that follow. */
function write(message: Message): { text: string; body: Uint8Array | undefined } {
  if (message.type === "FORWARD" && message.body !== undefined) {
    const { body, ...rest } = message;
    return { text: JSON.stringify({ ...rest, size: body.length }), body };
  }
  const size = "size" in message && hasBody(message) ? message.size ?? 0 : 0;
  return { text: JSON.stringify(message), body: size > 0 ? new Uint8Array(size) : undefined };
}

function hasBody({ type }: Message): boolean {
  return type === "PUT" || type === "GET" || type === "BODY";
}

/** One name, sometimes two. */
function draw(names: readonly string[], random: Random): readonly string[] {
  const count = random.chance(0.2) ? 2 : 1;
  return Array.from({ length: count }, () => random.pick(names) ?? "");
}
