/** What a client may ask, and what a server asks that is not for the ring: checked and typed. */
import { addressLengthMax } from "../ring/address.ts";
import { membersMax } from "../ring/member.ts";
import { nameBytesMax } from "../ring/file_record.ts";
import type { BodyMessage, FetchMessage } from "../ring/message.ts";
import type { ClientRequest } from "../ring/request.ts";
import {
  listOf,
  objectOf,
  oneOf,
  readBodySize,
  readContentType,
  readDigest,
  readId,
  readLabel,
  readName,
  textUpTo,
} from "./field.ts";
import type { Reader } from "./field.ts";

const readListOptions = objectOf({}, {
  prefix: textUpTo(nameBytesMax),
  after: textUpTo(nameBytesMax),
});

const readList: Reader<ClientRequest> = (value, at) => {
  const { prefix = "", after = "" } = readListOptions(value, at);
  return { type: "LIST", prefix, after };
};

/** The readers of requests, by type. */
export const requestReaders: ReadonlyMap<
  string,
  Reader<ClientRequest | BodyMessage | FetchMessage>
> = new Map<string, Reader<ClientRequest | BodyMessage | FetchMessage>>([
  ["GET", objectOf({ type: oneOf(["GET"]), item: readName })],
  [
    "PUT",
    objectOf(
      { type: oneOf(["PUT"]), item: readName, size: readBodySize },
      { contentType: readContentType },
    ),
  ],
  ["DELETE", objectOf({ type: oneOf(["DELETE"]), item: readName })],
  ["LIST", readList],
  ["STATUS", objectOf({ type: oneOf(["STATUS"]) })],
  ["LEAVE", objectOf({ type: oneOf(["LEAVE"]) })],
  ["GC", objectOf({ type: oneOf(["GC"]) })],
  ["VERIFY", objectOf({ type: oneOf(["VERIFY"]) })],
  ["FORGET", objectOf({ type: oneOf(["FORGET"]), member: textUpTo(addressLengthMax) })],
  [
    "BODY",
    objectOf({
      type: oneOf(["BODY"]),
      from: readId,
      to: readId,
      upload: readLabel,
      visited: listOf(readId, membersMax),
      size: readBodySize,
    }),
  ],
  ["FETCH", objectOf({ type: oneOf(["FETCH"]), sha256: readDigest })],
]);
