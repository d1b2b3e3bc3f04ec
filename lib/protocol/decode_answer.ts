/** What a server answers: to clients, and to a server that fetches a body. */
import { nameBytesMax } from "../ring/file_record.ts";
import type { FetchAnswer } from "../ring/message.ts";
import type { ClientAnswer, ErrorAnswer } from "../ring/request.ts";
import { readMembers, readRecords } from "./decode_member.ts";
import {
  listOf,
  objectOf,
  oneOf,
  readAddress,
  readBodySize,
  readContentType,
  readCount,
  readDigest,
  readError,
  readId,
  readLabel,
  readName,
  readStamp,
  readStatus,
  readTrue,
  textUpTo,
} from "./field.ts";
import type { Reader } from "./field.ts";

/**
 * The most names in either list of the answer to a VERIFY: both fit in a frame, even if every byte of
 * every name has to be escaped.
 */
export const verifyNamesMax = 64;

const fileFields = { item: readName, status: readStatus };
const fileOptions = {
  sha256: readDigest,
  contentType: readContentType,
  stamp: readStamp,
  copies: readCount,
  error: readError,
};

const memberOptions = { id: readId, address: readAddress, error: readError };

/** Names of what was damaged: the damage may have made them such that no file could have them. */
const readDamagedNames = listOf(textUpTo(nameBytesMax), verifyNamesMax);

/** The answer to a GET that has found the file: its body follows. */
const readFound = objectOf(
  { type: oneOf(["GET"]), ...fileFields, status: oneOf([200]), size: readBodySize },
  fileOptions,
);
const readNotFound = objectOf({ type: oneOf(["GET"]), ...fileFields }, fileOptions);
const readGetStatus = objectOf({ status: readStatus });

const readFetched = objectOf({
  type: oneOf(["FETCH"]),
  status: oneOf([200]),
  sha256: readDigest,
  size: readBodySize,
});
const readNotFetched = objectOf(
  { type: oneOf(["FETCH"]), status: oneOf([404]), sha256: readDigest },
  { error: readError },
);
const readFetchStatus = objectOf({ status: oneOf([200, 404]) });

/** Reads the answer to anything that was no request, or that was malformed. */
export const readErrorAnswer: Reader<ErrorAnswer> = objectOf({
  type: oneOf(["ERROR"]),
  status: readStatus,
  error: readError,
});

/** Reads the answer to a FETCH. */
export const readFetchAnswer: Reader<FetchAnswer> = (value, at) =>
  readFetchStatus(value, at).status === 200 ? readFetched(value, at) : readNotFetched(value, at);

/** The readers of answers to clients, by type. */
export const answerReaders: ReadonlyMap<string, Reader<ClientAnswer>> = new Map<
  string,
  Reader<ClientAnswer>
>([
  [
    "GET",
    (value, at) =>
      readGetStatus(value, at).status === 200 ? readFound(value, at) : readNotFound(value, at),
  ],
  ["PUT", objectOf({ type: oneOf(["PUT"]), ...fileFields }, fileOptions)],
  ["DELETE", objectOf({ type: oneOf(["DELETE"]), ...fileFields }, fileOptions)],
  [
    "LIST",
    objectOf(
      { type: oneOf(["LIST"]), status: oneOf([200]), files: readRecords },
      { next: readName },
    ),
  ],
  [
    "STATUS",
    objectOf({
      type: oneOf(["STATUS"]),
      status: oneOf([200]),
      version: readLabel,
      id: readId,
      address: readAddress,
      members: readMembers,
      files: readCount,
      bytes: readCount,
      digest: readDigest,
    }, { readOnly: readTrue, compared: readCount }),
  ],
  ["LEAVE", objectOf({ type: oneOf(["LEAVE"]), status: readStatus }, memberOptions)],
  ["FORGET", objectOf({ type: oneOf(["FORGET"]), status: readStatus }, memberOptions)],
  [
    "GC",
    objectOf(
      { type: oneOf(["GC"]), status: oneOf([200, 409, 503, 504]) },
      { dropped: readCount, error: readError },
    ),
  ],
  [
    "VERIFY",
    objectOf({ type: oneOf(["VERIFY"]), status: oneOf([200, 503]) }, {
      checked: readCount,
      damaged: readDamagedNames,
      damagedCount: readCount,
      lost: readDamagedNames,
      lostCount: readCount,
      error: readError,
    }),
  ],
  ["ERROR", readErrorAnswer],
]);
