/** From a message to the frame that carries it; `decode.ts` is the way back. */
import { assert } from "../ring/assert.ts";
import { inlineBytesMax } from "../ring/file_record.ts";
import type { BodyMessage, FetchAnswer, FetchMessage, MemberMessage } from "../ring/message.ts";
import type { ClientAnswer, ClientRequest } from "../ring/request.ts";
import { encodeFrame } from "./frame.ts";

/** A message as bytes: send `head`, then at once `body`, if there is one. */
export interface EncodedMessage {
  readonly head: Uint8Array;
  readonly body?: Uint8Array;
}

/** What a server tells another. The body of a FORWARD follows the frame, as `size` raw bytes. */
export function encodeMessage(message: MemberMessage): EncodedMessage {
  if (message.type !== "FORWARD" || message.body === undefined) {
    return { head: encodeFrame(message) };
  }
  const { body, ...rest } = message;
  assert(body.length <= inlineBytesMax, `a FORWARD has a body of ${body.length} bytes`);
  return { head: encodeFrame({ ...rest, size: body.length }), body };
}

/** What is asked of a server; the body of a PUT or a BODY is for the caller to send after it. */
export function encodeRequest(request: ClientRequest | BodyMessage | FetchMessage): Uint8Array {
  return encodeFrame(request);
}

/**
 * What a server answers; the body of a GET or a FETCH that is 200 is for the caller to send after it.
 * Any other answer goes without its `size`, which would announce a body.
 */
export function encodeAnswer(answer: ClientAnswer | FetchAnswer): Uint8Array {
  if (!("size" in answer) || hasBody(answer)) return encodeFrame(answer);
  const { size: _, ...rest } = answer;
  return encodeFrame(rest);
}

function hasBody(answer: ClientAnswer | FetchAnswer): boolean {
  return answer.status === 200 && (answer.type === "GET" || answer.type === "FETCH");
}
