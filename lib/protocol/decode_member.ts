/** What servers tell each other: the records of members and of files, and each message. */
import { emptySha256, pageRecordsMax } from "../ring/file_record.ts";
import type { FileRecord } from "../ring/file_record.ts";
import { membersMax, memberStatuses } from "../ring/member.ts";
import { deeds, visitsMax } from "../ring/message.ts";
import type { Errand, MemberMessage } from "../ring/message.ts";
import {
  emptyOr,
  listOf,
  objectOf,
  oneOf,
  readAddress,
  readBoolean,
  readBucketDigests,
  readContentType,
  readCount,
  readDigest,
  readError,
  readId,
  readLabel,
  readName,
  readPosition,
  readStamp,
  readTrue,
  readWeb,
} from "./field.ts";
import type { Reader } from "./field.ts";
import { ProtocolError } from "./protocol_error.ts";

const readMember = objectOf({
  id: readId,
  incarnation: readCount,
  status: oneOf(memberStatuses),
  address: readAddress,
  position: readPosition,
}, { web: readWeb });

/** Reads a list of members. */
export const readMembers = listOf(readMember, membersMax);

const readRecordFields = objectOf({
  name: readName,
  stamp: readStamp,
  sha256: emptyOr(readDigest),
  size: readCount,
  contentType: readContentType,
}, { deleted: readTrue });

const readRecord: Reader<FileRecord> = (value, at) => {
  const record = readRecordFields(value, at);
  if (record.deleted && (record.sha256 !== "" || record.size !== 0)) {
    throw new ProtocolError(400, `Cannot read ${at}: it is a tombstone, and yet has a body`);
  }
  if (!record.deleted && record.sha256 === "") {
    throw new ProtocolError(400, `Cannot read ${at}.sha256: it is empty, and it is no tombstone`);
  }
  // A body that is said to be longer than it is could never be read.
  if (!record.deleted && (record.size === 0) !== (record.sha256 === emptySha256)) {
    throw new ProtocolError(400, `Cannot read ${at}.size: ${record.size} bytes have another hash`);
  }
  return record;
};

/** Reads a page of file records. */
export const readRecords = listOf(readRecord, pageRecordsMax);

const circleName = { creator: readId, boot: readLabel, sequence: readCount };

const readCircle = objectOf({
  ...circleName,
  attempt: readCount,
  visited: listOf(objectOf({ id: readId, deed: oneOf(deeds) }, { by: readId }), visitsMax),
});

const readSurvey = objectOf({
  id: readId,
  list: readDigest,
  files: readDigest,
  isSettled: readBoolean,
});

const errandReaders: Readonly<Record<Errand["type"], Reader<Errand>>> = {
  WRITE: objectOf(
    { type: oneOf(["WRITE"]), record: readRecord, holder: readId, list: readDigest },
    { upload: readLabel },
  ),
  FIND: objectOf(
    { type: oneOf(["FIND"]), item: readName },
    { found: objectOf({ record: readRecord, holder: readId }) },
  ),
  SURVEY: objectOf({
    type: oneOf(["SURVEY"]),
    upTo: readStamp,
    surveys: listOf(readSurvey, membersMax),
  }),
  COLLECT: objectOf({ type: oneOf(["COLLECT"]), upTo: readStamp, list: readDigest }),
};

const readErrandType = objectOf({ type: oneOf(["WRITE", "FIND", "SURVEY", "COLLECT"]) });

const readErrand: Reader<Errand> = (value, at) =>
  errandReaders[readErrandType(value, at).type](value, at);

const envelope = { from: readId, to: readId };

/** The readers of members' messages, by type. The `body` of a FORWARD is not in its JSON. */
export const memberReaders: ReadonlyMap<string, Reader<MemberMessage>> = new Map<
  string,
  Reader<MemberMessage>
>([
  [
    "INSERT",
    objectOf({
      type: oneOf(["INSERT"]),
      from: readId,
      incarnation: readCount,
      address: readAddress,
      position: readPosition,
    }),
  ],
  [
    "INSERTED",
    objectOf({
      type: oneOf(["INSERTED"]),
      ...envelope,
      stamp: readStamp,
      members: readMembers,
    }),
  ],
  [
    "CHECK",
    objectOf({
      type: oneOf(["CHECK"]),
      ...envelope,
      sequence: readCount,
      list: readDigest,
      files: readDigest,
      wall: readCount,
    }),
  ],
  [
    "CHECKED",
    objectOf({
      type: oneOf(["CHECKED"]),
      ...envelope,
      sequence: readCount,
      list: readDigest,
      files: readDigest,
      wall: readCount,
    }, { members: readMembers }),
  ],
  ["ASK", objectOf({ type: oneOf(["ASK"]), ...envelope, suspect: readId })],
  ["VOUCH", objectOf({ type: oneOf(["VOUCH"]), ...envelope, suspect: readId })],
  [
    "UPDATE",
    objectOf({
      type: oneOf(["UPDATE"]),
      ...envelope,
      hop: readCount,
      circle: readCircle,
      stamp: readStamp,
      members: readMembers,
    }),
  ],
  [
    "FORWARD",
    objectOf({
      type: oneOf(["FORWARD"]),
      ...envelope,
      hop: readCount,
      circle: readCircle,
      errand: readErrand,
    }, { members: readMembers }),
  ],
  ["ACK", objectOf({ type: oneOf(["ACK"]), ...envelope, hop: readCount })],
  [
    "REPORT",
    objectOf({
      type: oneOf(["REPORT"]),
      ...envelope,
      circle: objectOf(circleName),
      deed: oneOf(deeds),
    }, { members: readMembers }),
  ],
  [
    "COMPARE",
    objectOf({
      type: oneOf(["COMPARE"]),
      ...envelope,
      sequence: readCount,
      member: readMember,
      digests: readBucketDigests,
      after: emptyOr(readName),
    }),
  ],
  [
    "PAGE",
    objectOf(
      { type: oneOf(["PAGE"]), ...envelope, sequence: readCount, records: readRecords },
      { next: readName, partial: readTrue },
    ),
  ],
  ["MISSED", objectOf({ type: oneOf(["MISSED"]), ...envelope })],
  [
    "REFUSE",
    objectOf({
      type: oneOf(["REFUSE"]),
      ...envelope,
      status: oneOf([403, 409, 421]),
      intended: emptyOr(readId),
      error: readError,
    }, { since: readCount }),
  ],
]);
