/**
 * Frames: bytes in, events out, no I/O.
 *
 *     4 bytes   N, big endian: 1 to 1 MiB
 *     N bytes   one JSON object, UTF-8
 *     S bytes   raw, if the object has "size": S at its top level
 *
 * A decoder is in one of three states, `length`, `object` and `body`, and only ever goes round:
 *
 *     length --4 bytes, judged--> object --N bytes, no size--> length        frame
 *                                 object --N bytes, a size---> body          frame
 *                                 body   --up to S bytes-----> body          data
 *                                 body   --S bytes seen------> length        end
 *
 * What lies whole in one chunk is read in place; only an object cut by the end of a chunk is copied,
 * to memory that grows with what has arrived, never with what was announced. Bodies are not gathered.
 * So the work and the memory are linear in the bytes received, however they are cut. What is wrong is
 * thrown, and stays: after it, nobody knows where the next frame begins.
 *
 * The shape of the interface is that of h11 (https://h11.readthedocs.io).
 */
import { assert } from "../ring/assert.ts";
import { ProtocolError } from "./protocol_error.ts";

/** The most bytes of JSON in one frame. */
export const frameBytesMax = 1024 * 1024;

/** How deep objects and arrays may nest, the frame's own object counted. */
export const jsonDepthMax = 16;

/** Bytes of the length before each frame. */
const lengthBytes = 4;

/** The first memory for an object that arrives in pieces, in bytes; it doubles as needed. */
const partialBytesMin = 1024;

/** An object as JSON has it. Read only known fields, and only own ones (`Object.hasOwn`). */
export type JsonObject = { readonly [key: string]: unknown };

/** What a {@linkcode FrameDecoder} found. */
export type FrameEvent =
  /** A frame; `size` raw bytes follow as `data` and then `end`, unless it is `undefined`. */
  | { readonly type: "frame"; readonly value: JsonObject; readonly size: number | undefined }
  /** Some of the raw bytes, in the memory of the chunk in which they came; never empty. */
  | { readonly type: "data"; readonly bytes: Uint8Array }
  /** All raw bytes of the frame before have come, be it none. */
  | { readonly type: "end" };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const nothing = new Uint8Array(0);

/**
 * Finds the frames in a stream of bytes.
 *
 * ```ts
 * decoder.push(chunk);
 * for (let event = decoder.next(); event !== undefined; event = decoder.next()) handle(event);
 * ```
 *
 * A chunk belongs to the decoder until `next()` has returned `undefined`.
 */
export class FrameDecoder {
  #state: "length" | "object" | "body" = "length";
  #error: ProtocolError | undefined;

  /** Chunks pushed; those before `#first`, and `#offset` bytes of that, are used up. */
  #chunks: Uint8Array[] = [];
  #first = 0;
  #offset = 0;

  /** The length as far as it has been read, and from how many bytes. */
  #length = 0;
  #lengthRead = 0;

  /** The part of an object that came in earlier chunks: the first `#partialRead` bytes. */
  #partial = nothing;
  #partialRead = 0;

  /** Raw bytes still to come. */
  #bodyLeft = 0;

  /** Takes the next bytes received; after an error, drops them. */
  push(chunk: Uint8Array): void {
    if (chunk.length > 0 && this.#error === undefined) this.#chunks.push(chunk);
  }

  /**
   * The next event, or `undefined` if that needs more bytes.
   *
   * @throws {ProtocolError} 413 for a frame over `bytesMax`, 400 for anything else that is no frame;
   * and the same again at every later call.
   */
  next(bytesMax = frameBytesMax): FrameEvent | undefined {
    if (this.#error !== undefined) throw this.#error;
    try {
      return this.#step(bytesMax);
    } catch (error) {
      if (error instanceof ProtocolError) this.#error = error;
      throw error;
    }
  }

  /** Whether everything pushed is used up, and no frame or body is under way. */
  get idle(): boolean {
    return this.#state === "length" && this.#lengthRead === 0 && this.#chunks.length === 0 &&
      this.#error === undefined;
  }

  /**
   * Notes that no more bytes will come. Call it when `next()` has returned `undefined`.
   *
   * @throws {ProtocolError} 400 if that cuts a frame or a body.
   */
  end(): void {
    if (this.#error !== undefined) throw this.#error;
    if (this.idle) return;
    const cut = this.#cut();
    this.#error = new ProtocolError(400, `Cannot read a ${cut}`);
    throw this.#error;
  }

  #cut(): string {
    switch (this.#state) {
      case "length":
        return `frame: the connection ended after ${this.#lengthRead} of the ${lengthBytes} bytes ` +
          `of its length`;
      case "object":
        return `frame: the connection ended after ${this.#partialRead} of its ${this.#length} bytes`;
      case "body":
        return `body: the connection ended ${this.#bodyLeft} bytes before its end`;
    }
  }

  #step(bytesMax: number): FrameEvent | undefined {
    if (this.#state === "body") return this.#nextOfBody();
    if (this.#state === "length" && !this.#readLength(bytesMax)) return undefined;
    const bytes = this.#readObject();
    if (bytes === undefined) return undefined;
    const value = parseObject(bytes);
    const size = bodySize(value);
    this.#state = size === undefined ? "length" : "body";
    this.#bodyLeft = size ?? 0;
    return { type: "frame", value, size };
  }

  #nextOfBody(): FrameEvent | undefined {
    if (this.#bodyLeft === 0) {
      this.#state = "length";
      return { type: "end" };
    }
    const bytes = this.#take(this.#bodyLeft);
    if (bytes === undefined) return undefined;
    this.#bodyLeft -= bytes.length;
    return { type: "data", bytes };
  }

  /** Whether the length is complete; it is good then. */
  #readLength(bytesMax: number): boolean {
    while (this.#lengthRead < lengthBytes) {
      const bytes = this.#take(lengthBytes - this.#lengthRead);
      if (bytes === undefined) return false;
      for (const byte of bytes) this.#length = this.#length * 256 + byte;
      this.#lengthRead += bytes.length;
    }
    judgeLength(this.#length, bytesMax);
    this.#state = "object";
    return true;
  }

  /** The bytes of the object, when the last has come: in place, or gathered in `#partial`. */
  #readObject(): Uint8Array | undefined {
    let bytes = this.#take(this.#length - this.#partialRead);
    while (bytes !== undefined && bytes.length < this.#length) {
      this.#keep(bytes);
      if (this.#partialRead === this.#length) bytes = this.#partial.subarray(0, this.#length);
      else bytes = this.#take(this.#length - this.#partialRead);
    }
    if (bytes === undefined) return undefined;
    this.#length = 0;
    this.#lengthRead = 0;
    this.#partial = nothing;
    this.#partialRead = 0;
    return bytes;
  }

  #keep(bytes: Uint8Array): void {
    const needed = this.#partialRead + bytes.length;
    if (needed > this.#partial.length) {
      const room = Math.max(needed, 2 * this.#partial.length, partialBytesMin);
      const larger = new Uint8Array(Math.min(room, this.#length));
      larger.set(this.#partial.subarray(0, this.#partialRead));
      this.#partial = larger;
    }
    this.#partial.set(bytes, this.#partialRead);
    this.#partialRead = needed;
  }

  /** Takes 1 to `bytesMax` bytes from the first chunk; `undefined` if there is none. */
  #take(bytesMax: number): Uint8Array | undefined {
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined) return undefined;
    const bytes = chunk.subarray(this.#offset, this.#offset + bytesMax);
    this.#offset += bytes.length;
    if (this.#offset === chunk.length) this.#dropChunk();
    return bytes;
  }

  #dropChunk(): void {
    this.#offset = 0;
    this.#first++;
    if (this.#first < this.#chunks.length) return;
    this.#chunks = [];
    this.#first = 0;
  }
}

/**
 * Writes an object as one frame; the raw bytes that its `size` promises are for the caller to send.
 * What is over {@linkcode frameBytesMax} is our bug, and fails an assertion.
 */
export function encodeFrame(object: object): Uint8Array {
  const json = encoder.encode(JSON.stringify(object));
  assert(json.length <= frameBytesMax, `Cannot send a frame of ${json.length} bytes`);
  const frame = new Uint8Array(lengthBytes + json.length);
  new DataView(frame.buffer).setUint32(0, json.length);
  frame.set(json, lengthBytes);
  return frame;
}

/** Whether `value`, which came out of `JSON.parse`, is an object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function judgeLength(length: number, bytesMax: number): void {
  if (length >= 1 && length <= bytesMax) return;
  const reason = otherProtocol(length) ??
    `of ${length} bytes: it may have 1 to ${bytesMax}`;
  throw new ProtocolError(length === 0 ? 400 : 413, `Cannot read a frame ${reason}`);
}

/** What was said instead of a frame, whose first bytes give this length: the wrong port may have been named. */
function otherProtocol(length: number): string | undefined {
  const start = String.fromCharCode(...[24, 16, 8, 0].map((shift) => length >>> shift & 0xff));
  if (/^(HTTP|GET |HEAD|PUT |POST|DELE|OPTI|PRI )$/.test(start)) {
    return "from what is HTTP, which has another port than the ring";
  }
  // A record of TLS that begins a handshake.
  if (length >>> 16 === 0x1603) return "from what is TLS, which is not spoken here";
  return undefined;
}

function parseObject(bytes: Uint8Array): JsonObject {
  if (nestsTooDeep(bytes)) {
    throw new ProtocolError(400, `Cannot read a frame: its JSON nests deeper than ${jsonDepthMax}`);
  }
  const value = parseJson(decodeText(bytes));
  if (!isJsonObject(value)) {
    throw new ProtocolError(400, "Cannot read a frame: its JSON is not an object");
  }
  return value;
}

function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new ProtocolError(400, "Cannot read a frame: it is not valid UTF-8", { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError(400, "Cannot read a frame: it is not valid JSON", { cause });
  }
}

/**
 * Whether brackets outside strings nest deeper than {@linkcode jsonDepthMax}: asked before the parser
 * builds anything. Of what is not JSON the answer may be wrong, but then the parser refuses it.
 */
function nestsTooDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte === 0x22 /* " */) inString = !inString;
    else if (inString) {
      if (byte === 0x5c /* \ */) index++;
    } else if (byte === 0x7b /* { */ || byte === 0x5b /* [ */) {
      if (++depth > jsonDepthMax) return true;
    } else if (byte === 0x7d /* } */ || byte === 0x5d /* ] */) depth--;
  }
  return false;
}

/** What the object says of the raw bytes that follow; `undefined` if none do. */
function bodySize(value: JsonObject): number | undefined {
  if (!Object.hasOwn(value, "size")) return undefined;
  const size = value.size;
  if (typeof size === "number" && Number.isSafeInteger(size) && size >= 0) return size;
  throw new ProtocolError(
    400,
    `Cannot read a frame: its "size" is no integer from 0 to ${Number.MAX_SAFE_INTEGER}`,
  );
}
