/**
 * From the object of a frame to a typed message: the one place where what came from outside is
 * checked. Behind it, types are trusted.
 *
 * `size` is the number of raw bytes that follow the frame, `undefined` if none are announced. They
 * are the body of the message, which is only read, or refused, once the message is known to be good.
 */
import { inlineBytesMax } from "../ring/file_record.ts";
import type { FileRecord } from "../ring/file_record.ts";
import { assert } from "../ring/assert.ts";
import type {
  BodyMessage,
  FetchAnswer,
  FetchMessage,
  Forward,
  MemberMessage,
} from "../ring/message.ts";
import type { ClientAnswer, ClientRequest, ErrorAnswer } from "../ring/request.ts";
import { answerReaders, readErrorAnswer, readFetchAnswer } from "./decode_answer.ts";
import { memberReaders } from "./decode_member.ts";
import { requestReaders } from "./decode_request.ts";
import type { Reader } from "./field.ts";
import type { JsonObject } from "./frame.ts";
import { ProtocolError } from "./protocol_error.ts";
import { quoteText } from "./quote.ts";

/** What a server receives on a connection that was opened to it. */
export type Incoming = ClientRequest | MemberMessage | BodyMessage | FetchMessage;

/** What a server receives on a connection that it opened to another. */
export type Reply = MemberMessage | FetchAnswer | ErrorAnswer;

const incomingReaders: ReadonlyMap<string, Reader<Incoming>> = new Map<string, Reader<Incoming>>([
  ...requestReaders,
  ...memberReaders,
]);

const replyReaders: ReadonlyMap<string, Reader<Reply>> = new Map<string, Reader<Reply>>([
  ...memberReaders,
  ["FETCH", readFetchAnswer],
  ["ERROR", readErrorAnswer],
]);

/**
 * What a client or a server sends to a server.
 *
 * @throws {ProtocolError} 413 for what is over a limit, 400 for anything else that is no message.
 */
export function decodeIncoming(value: JsonObject, size: number | undefined): Incoming {
  return decode(value, { size, readers: incomingReaders });
}

/**
 * What comes back to a server on a connection that it opened.
 *
 * @throws {ProtocolError} as {@linkcode decodeIncoming} does.
 */
export function decodeReply(value: JsonObject, size: number | undefined): Reply {
  return decode(value, { size, readers: replyReaders });
}

/**
 * What a server answers a client.
 *
 * @throws {ProtocolError} as {@linkcode decodeIncoming} does.
 */
export function decodeAnswer(value: JsonObject, size: number | undefined): ClientAnswer {
  return decode(value, { size, readers: answerReaders });
}

/**
 * A FORWARD with the body that came after it, which has as many bytes as the frame announced; the
 * message keeps `body`.
 */
export function withBody(message: Forward, body: Uint8Array): Forward {
  const record = writtenRecord(message);
  assert(record?.size === body.length, `a FORWARD has a body of ${body.length} other bytes`);
  return { ...message, body };
}

interface DecodeOptions<T> {
  readonly size: number | undefined;
  readonly readers: ReadonlyMap<string, Reader<T>>;
}

function decode<T extends Incoming | Reply | ClientAnswer>(
  value: JsonObject,
  { size, readers }: DecodeOptions<T>,
): T {
  const type = messageType(value);
  const read = readers.get(type);
  if (read === undefined) {
    throw new ProtocolError(
      400,
      `Cannot handle ${quoteText(type)}: no message of that type is known`,
    );
  }
  const message = read(value, type);
  if (size !== undefined) judgeBody(message, size);
  return message;
}

function messageType(value: JsonObject): string {
  const type = Object.hasOwn(value, "type") ? value.type : undefined;
  if (typeof type === "string") return type;
  throw new ProtocolError(400, 'Cannot handle a frame: its "type" is missing or no string');
}

/** Throws unless a body of `size` bytes may follow this message. */
function judgeBody(message: Incoming | Reply | ClientAnswer, size: number): void {
  switch (message.type) {
    case "PUT":
      // The answer to a PUT has the same type, and no body.
      if (!("status" in message)) return;
      break;
    case "BODY":
      return;
    case "GET":
    case "FETCH":
      if ("status" in message && message.status === 200) return;
      break;
    case "FORWARD":
      judgeForwardBody(message, size);
      return;
  }
  throw new ProtocolError(
    400,
    `Cannot take the ${size} bytes after a ${message.type}: it has no body, and so no "size"`,
  );
}

function judgeForwardBody(message: Forward, size: number): void {
  const record = writtenRecord(message);
  if (record === undefined || size !== record.size) {
    const expected = record === undefined ? "it writes no file" : `the file has ${record.size}`;
    throw new ProtocolError(400, `Cannot take the ${size} bytes after a FORWARD: ${expected}`);
  }
  if (size > inlineBytesMax) {
    throw new ProtocolError(
      413,
      `Cannot take the ${size} bytes after a FORWARD: at most ${inlineBytesMax} go with it`,
    );
  }
}

/** The record that a FORWARD writes, if that is a file. */
function writtenRecord({ errand }: Forward): FileRecord | undefined {
  return errand.type === "WRITE" && !errand.record.deleted ? errand.record : undefined;
}
