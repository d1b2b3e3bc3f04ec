/** Messages of every type, at random: whatever one server may tell another, or a client. */
import fc from "fast-check";
import { nameError } from "../../lib/protocol/name.ts";
import { memberStatuses } from "../../lib/ring/member.ts";
import {
  bucketCount,
  bucketDigits,
  emptySha256,
  type FileRecord,
} from "../../lib/ring/file_record.ts";
import { deeds } from "../../lib/ring/message.ts";
import type { MemberMessage } from "../../lib/ring/message.ts";
import type { ClientAnswer } from "../../lib/ring/request.ts";

function hex(digits: number): fc.Arbitrary<string> {
  return fc.string({
    unit: fc.constantFrom(..."0123456789abcdef"),
    minLength: digits,
    maxLength: digits,
  });
}

const id = hex(32);
const digest = hex(64);
const digests = hex(bucketDigits).map((text) => text.repeat(bucketCount));
const count = fc.maxSafeNat();
const stamp = fc.tuple(hex(12), hex(4), id).map((parts) => parts.join("-"));
const label = fc.string({ unit: fc.constantFrom(..."abc-_./:~"), minLength: 1, maxLength: 20 });
const contentType = fc.string({ unit: "grapheme-ascii", maxLength: 40 });
const sentence = fc.string({ unit: "binary", maxLength: 60 });
const address = fc.oneof(
  fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65535 })).map(([host, port]) => `${host}:${port}`),
  fc.tuple(fc.ipV6(), fc.integer({ min: 1, max: 65535 })).map(([host, port]) =>
    `[${host}]:${port}`
  ),
);
const name = fc.oneof(
  fc.constantFrom("__proto__", "constructor", "index.html"),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }).filter((text) =>
    nameError(text) === undefined
  ),
);
const position = fc.integer({ min: 0, max: 256 }).chain((bytes) => hex(2 * bytes));

/** An empty body has a hash of its own. */
function withSoundHash(record: FileRecord): FileRecord {
  return record.size === 0 ? { ...record, sha256: emptySha256 } : record;
}

/** A record of a file, or a tombstone. */
export const fileRecord: fc.Arbitrary<FileRecord> = fc.oneof(
  fc.record({ name, stamp, sha256: digest, size: count, contentType }).map(withSoundHash),
  fc.record({
    name,
    stamp,
    sha256: fc.constant(""),
    size: fc.constant(0),
    contentType,
    deleted: fc.constant(true as const),
  }),
);

const member = fc.record({
  id,
  incarnation: count,
  status: fc.constantFrom(...memberStatuses),
  address,
  position,
});
const members = fc.array(member, { maxLength: 5 });
const circleName = { creator: id, boot: label, sequence: count };
const deed = fc.constantFrom(...deeds);
const circle = fc.record({
  ...circleName,
  attempt: count,
  visited: fc.array(fc.record({ id, deed }), { maxLength: 5 }),
});
const envelope = { from: id, to: id };
const forward = { type: fc.constant("FORWARD" as const), ...envelope, hop: count, circle };
const write = { type: fc.constant("WRITE" as const), record: fileRecord, holder: id, list: digest };
const bodyOfFile = fc.uint8Array({ maxLength: 100 }).chain((body) =>
  fc.record({
    ...forward,
    errand: fc.record({
      type: fc.constant("WRITE" as const),
      record: fc.record({
        name,
        stamp,
        sha256: digest,
        size: fc.constant(body.length),
        contentType,
      }).map(withSoundHash),
      holder: id,
      list: digest,
    }),
    body: fc.constant(body),
  })
);

/** Any message between members. */
export const memberMessage: fc.Arbitrary<MemberMessage> = fc.oneof(
  fc.record({
    type: fc.constant("INSERT" as const),
    from: id,
    incarnation: count,
    address,
    position,
  }),
  fc.record({ type: fc.constant("INSERTED" as const), ...envelope, stamp, members }),
  fc.record({
    type: fc.constant("CHECK" as const),
    ...envelope,
    sequence: count,
    list: digest,
    files: digest,
    wall: count,
  }),
  fc.record({
    type: fc.constant("CHECKED" as const),
    ...envelope,
    sequence: count,
    list: digest,
    files: digest,
    wall: count,
    members,
  }, { requiredKeys: ["type", "from", "to", "sequence", "list", "files", "wall"] }),
  fc.record({ type: fc.constantFrom("ASK" as const, "VOUCH" as const), ...envelope, suspect: id }),
  fc.record({
    type: fc.constant("UPDATE" as const),
    ...envelope,
    hop: count,
    circle,
    stamp,
    members,
  }),
  fc.record({
    ...forward,
    errand: fc.record({ ...write, upload: label }, {
      requiredKeys: ["type", "record", "holder", "list"],
    }),
    members,
  }, { requiredKeys: ["type", "from", "to", "hop", "circle", "errand"] }),
  bodyOfFile,
  fc.record({
    ...forward,
    errand: fc.record({
      type: fc.constant("FIND" as const),
      item: name,
      found: fc.record({ record: fileRecord, holder: id }),
    }, { requiredKeys: ["type", "item"] }),
  }),
  fc.record({
    ...forward,
    errand: fc.record({
      type: fc.constant("SURVEY" as const),
      upTo: stamp,
      surveys: fc.array(
        fc.record({ id, list: digest, files: digest, isSettled: fc.boolean() }),
        { maxLength: 5 },
      ),
    }),
  }),
  fc.record({
    ...forward,
    errand: fc.record({ type: fc.constant("COLLECT" as const), upTo: stamp, list: digest }),
  }),
  fc.record({ type: fc.constant("ACK" as const), ...envelope, hop: count }),
  fc.record({
    type: fc.constant("REPORT" as const),
    ...envelope,
    circle: fc.record(circleName),
    deed,
    members,
  }, { requiredKeys: ["type", "from", "to", "circle", "deed"] }),
  fc.record({
    type: fc.constant("COMPARE" as const),
    ...envelope,
    sequence: count,
    member,
    digests,
    after: fc.oneof(name, fc.constant("")),
  }),
  fc.record({
    type: fc.constant("PAGE" as const),
    ...envelope,
    sequence: count,
    records: fc.array(fileRecord, { maxLength: 5 }),
    next: name,
    partial: fc.constant(true as const),
  }, { requiredKeys: ["type", "from", "to", "sequence", "records"] }),
  fc.record({
    type: fc.constant("REFUSE" as const),
    ...envelope,
    status: fc.constantFrom(403 as const, 421 as const),
    intended: fc.oneof(id, fc.constant("" as const)),
    error: sentence,
  }),
);

/** Any answer to a client. */
export const clientAnswer: fc.Arbitrary<ClientAnswer> = fc.oneof(
  fc.record({
    type: fc.constant("GET" as const),
    item: name,
    status: fc.constant(200),
    size: count,
    sha256: digest,
    contentType,
    stamp,
  }, { requiredKeys: ["type", "item", "status", "size"] }),
  fc.record({
    type: fc.constantFrom("GET" as const, "PUT" as const, "DELETE" as const),
    item: name,
    status: fc.constantFrom(201, 404, 503, 504, 507),
    sha256: digest,
    stamp,
    copies: count,
    error: sentence,
  }, { requiredKeys: ["type", "item", "status"] }),
  fc.record({
    type: fc.constant("LIST" as const),
    status: fc.constant(200 as const),
    files: fc.array(fileRecord, { maxLength: 5 }),
    next: name,
  }, { requiredKeys: ["type", "status", "files"] }),
  fc.record({
    type: fc.constant("STATUS" as const),
    status: fc.constant(200 as const),
    version: label,
    id,
    address,
    members,
    files: count,
    bytes: count,
    digest,
  }),
  fc.record({
    type: fc.constant("GC" as const),
    status: fc.constantFrom(200 as const, 409 as const, 503 as const, 504 as const),
    dropped: count,
    error: sentence,
  }, { requiredKeys: ["type", "status"] }),
  fc.record({
    type: fc.constant("VERIFY" as const),
    status: fc.constantFrom(200 as const, 503 as const),
    checked: count,
    damaged: fc.array(sentence, { maxLength: 5 }),
    damagedCount: count,
    lost: fc.array(sentence, { maxLength: 5 }),
    lostCount: count,
    error: sentence,
  }, { requiredKeys: ["type", "status"] }),
  fc.record({ type: fc.constant("ERROR" as const), status: fc.constant(413), error: sentence }),
);
