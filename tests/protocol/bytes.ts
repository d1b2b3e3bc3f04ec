/** Bytes on the wire, by hand and cut to pieces. */
import { FrameDecoder } from "../../lib/protocol/frame.ts";
import type { FrameEvent } from "../../lib/protocol/frame.ts";

/** The bytes of a text, each text, array or number (a length of four bytes), one after the other. */
export function bytesOf(...parts: readonly (string | Uint8Array | number)[]): Uint8Array {
  const arrays = parts.map(partBytes);
  const bytes = new Uint8Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let offset = 0;
  for (const array of arrays) {
    bytes.set(array, offset);
    offset += array.length;
  }
  return bytes;
}

function partBytes(part: string | Uint8Array | number): Uint8Array {
  if (typeof part === "string") return new TextEncoder().encode(part);
  if (part instanceof Uint8Array) return part;
  return new Uint8Array([part >>> 24, part >>> 16, part >>> 8, part]);
}

/** A text as a frame, whatever it holds. */
export function frameOf(json: string | Uint8Array): Uint8Array {
  const bytes = bytesOf(json);
  return bytesOf(bytes.length, bytes);
}

/** The events that are in `bytes`, pushed in pieces of the given sizes, taken in turn. */
export function eventsOf(bytes: Uint8Array, sizes: readonly number[] = [Infinity]): FrameEvent[] {
  const decoder = new FrameDecoder();
  const events: FrameEvent[] = [];
  let offset = 0;
  for (let turn = 0; offset < bytes.length; turn++) {
    const end = Math.min(bytes.length, offset + (sizes[turn % sizes.length] ?? Infinity));
    // Each piece is overwritten when the decoder has used it up, as a read buffer is.
    const piece = bytes.slice(offset, end);
    decoder.push(piece);
    for (let event = decoder.next(); event !== undefined; event = decoder.next()) {
      events.push(event.type === "data" ? { type: "data", bytes: event.bytes.slice() } : event);
    }
    piece.fill(0xff);
    offset = end;
  }
  decoder.end();
  return events;
}

/** The same events, with `data` that follows `data` joined to it. */
export function joinData(events: readonly FrameEvent[]): FrameEvent[] {
  const joined: FrameEvent[] = [];
  for (const event of events) {
    const last = joined.at(-1);
    if (event.type === "data" && last?.type === "data") {
      joined[joined.length - 1] = { type: "data", bytes: bytesOf(last.bytes, event.bytes) };
    } else {
      joined.push(event);
    }
  }
  return joined;
}
