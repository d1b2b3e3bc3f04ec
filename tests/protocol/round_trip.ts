/** What is left of a message when it has been bytes. */
import { assert } from "@std/assert";
import { decodeIncoming, decodeReply, withBody } from "../../lib/protocol/decode.ts";
import { encodeMessage } from "../../lib/protocol/encode.ts";
import type { FrameEvent } from "../../lib/protocol/frame.ts";
import type { MemberMessage } from "../../lib/ring/message.ts";
import { bytesOf, eventsOf } from "./bytes.ts";

/** The frame that these bytes are, with its body. */
export function onlyFrame(
  bytes: Uint8Array,
): Extract<FrameEvent, { type: "frame" }> & { body: Uint8Array } {
  const [frame, ...rest] = eventsOf(bytes);
  assert(frame?.type === "frame");
  const body = bytesOf(...rest.flatMap((event) => event.type === "data" ? [event.bytes] : []));
  return { ...frame, body };
}

/** A member's message as the server that receives it has it, on either kind of connection. */
export function throughTheWire(
  message: MemberMessage,
  decode: typeof decodeIncoming | typeof decodeReply,
): unknown {
  const { head, body } = encodeMessage(message);
  const frame = onlyFrame(body === undefined ? head : bytesOf(head, body));
  const received = decode(frame.value, frame.size);
  return received.type === "FORWARD" && frame.size !== undefined
    ? withBody(received, frame.body)
    : received;
}
