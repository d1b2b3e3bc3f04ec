import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeAnswer, decodeIncoming, decodeReply, withBody } from "../../lib/protocol/decode.ts";
import { encodeAnswer, encodeMessage, encodeRequest } from "../../lib/protocol/encode.ts";
import { verifyNamesMax } from "../../lib/protocol/decode_answer.ts";
import type { JsonObject } from "../../lib/protocol/frame.ts";
import { FrameDecoder, isJsonObject } from "../../lib/protocol/frame.ts";
import { ProtocolError } from "../../lib/protocol/protocol_error.ts";
import { InvariantError } from "../../lib/ring/assert.ts";
import { emptySha256, pageRecordsMax } from "../../lib/ring/file_record.ts";
import { membersMax } from "../../lib/ring/member.ts";
import { visitsMax } from "../../lib/ring/message.ts";
import { frameOf } from "./bytes.ts";
import * as sample from "./sample.ts";

type Decode = (value: JsonObject, size: number | undefined) => unknown;

/** A frame as it is decoded, and by what. */
interface Case {
  readonly decode: Decode;
  readonly value: JsonObject;
}

function parse(frame: Uint8Array): JsonObject {
  const value: unknown = JSON.parse(new TextDecoder().decode(frame.subarray(4)));
  assert(isJsonObject(value));
  return value;
}

function sizeOf(value: JsonObject): number | undefined {
  return typeof value.size === "number" ? value.size : undefined;
}

/** Decodes a changed frame as a connection would: its size is judged first. */
function decodeChanged(decode: Decode, value: JsonObject): unknown {
  const decoder = new FrameDecoder();
  decoder.push(frameOf(JSON.stringify(value)));
  const event = decoder.next();
  assert(event?.type === "frame");
  return decode(event.value, event.size);
}

const cases: readonly Case[] = [
  ...sample.requests.map((one) => ({ decode: decodeIncoming, value: parse(encodeRequest(one)) })),
  ...sample.memberMessages.flatMap((one) => {
    const value = parse(encodeMessage(one).head);
    return [{ decode: decodeIncoming, value }, { decode: decodeReply, value }];
  }),
  ...sample.clientAnswers.map((one) => ({ decode: decodeAnswer, value: parse(encodeAnswer(one)) })),
  ...sample.fetchAnswers.map((one) => ({ decode: decodeReply, value: parse(encodeAnswer(one)) })),
];

/** Every place in a JSON value, as keys from its root. */
function* paths(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  if (path.length > 0) yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, child] of Object.entries(value)) yield* paths(child, [...path, key]);
}

/** A copy with another value, or none, at one place. */
function changed(root: JsonObject, path: readonly string[], to: unknown): JsonObject {
  const copy = structuredClone(root);
  let parent: unknown = copy;
  for (const key of path.slice(0, -1)) parent = Reflect.get(Object(parent), key);
  const key = path.at(-1) ?? "";
  if (to === undefined) Reflect.deleteProperty(Object(parent), key);
  else Reflect.set(Object(parent), key, to);
  return copy;
}

const wrong: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  -1,
  0.5,
  2 ** 53,
  "",
  "x",
  "\ud800",
  "../x",
  "A".repeat(32),
  "A".repeat(64),
  "x".repeat(5000),
  [],
  [null],
  [[]],
  {},
  { toString: null },
  new Array(1000).fill("x"),
];

Deno.test("decode refuses or takes each message with any field changed, and nothing else happens", () => {
  let refused = 0;
  for (const { decode, value } of cases) {
    for (const path of paths(value)) {
      for (const to of wrong) {
        try {
          decodeChanged(decode, changed(value, path, to));
        } catch (error) {
          assert(error instanceof ProtocolError, `${path.join(".")}: ${error}`);
          assert(error.message.length < 1000, error.message);
          refused++;
        }
      }
    }
  }
  assert(refused > 1000);
  assertEquals(Object.keys(Object.prototype), []);
});

Deno.test("decode refuses each message with a required field missing or null", () => {
  const optional = [
    "contentType",
    "prefix",
    "after",
    "members",
    "upload",
    "found",
    "next",
    "since",
    "compared",
    "readOnly",
    "partial",
  ];
  const ofAnswers = ["sha256", "stamp", "copies", "error", "dropped"];
  const ofVerify = ["checked", "damaged", "damagedCount", "lost", "lostCount"];
  const ofForget = ["id", "address"];
  for (const { decode, value } of cases) {
    for (const key of Object.keys(value)) {
      const nulled = changed(value, [key], null);
      assertThrows(() => decodeChanged(decode, nulled), ProtocolError);
      const isOptional = optional.includes(key) ||
        ("status" in value && ofAnswers.includes(key)) ||
        ("status" in value && value.type === "FORGET" && ofForget.includes(key)) ||
        ("status" in value && value.type === "VERIFY" && ofVerify.includes(key)) ||
        (key === "size" && value.type === "FORWARD");
      if (isOptional) continue;
      assertThrows(() => decodeChanged(decode, changed(value, [key], undefined)), ProtocolError);
    }
  }
});

Deno.test("decode ignores fields that it does not know, __proto__ among them", () => {
  for (const { decode, value } of cases) {
    const json = JSON.stringify(value).replace(/^\{/, '{"__proto__":{"size":1,"x":1},"new":[1],');
    const decoded = decode(JSON.parse(json), sizeOf(value));
    assertEquals(decoded, decode(value, sizeOf(value)));
    assertEquals(Object.getPrototypeOf(decoded), Object.prototype);
  }
  assert(!("x" in {}));
});

Deno.test("decode does not take fields from a prototype", () => {
  const value: unknown = JSON.parse('{"type":"GET","__proto__":{"item":"a"}}');
  assert(isJsonObject(value));
  assertThrows(() => decodeIncoming(value, undefined), ProtocolError, "Cannot read GET.item");
  assertThrows(() => decodeIncoming(Object.create({ type: "STATUS" }), undefined), ProtocolError);
});

Deno.test("decode refuses an unknown type by its name, short and printable", () => {
  const types = [
    ["FOO", '"FOO"'],
    ["get", '"get"'],
    ["__proto__", '"__proto__"'],
    ["constructor", '"constructor"'],
    ["\x1b[2J\x9b", '"\\u001b[2J\\u{9b}"'],
    ["x".repeat(100_000), `"${"x".repeat(60)}…"`],
  ] as const;
  for (const decode of [decodeIncoming, decodeReply, decodeAnswer]) {
    for (const [type, shown] of types) {
      assertThrows(() => decode({ type }, undefined), ProtocolError, `Cannot handle ${shown}:`);
    }
    for (const type of [undefined, null, 1, {}, ["GET"]]) {
      assertThrows(() => decode({ type }, undefined), ProtocolError, '"type"');
    }
  }
});

Deno.test("decodeReply() and decodeAnswer() refuse requests", () => {
  for (const request of sample.requests) {
    const value = parse(encodeRequest(request));
    assertThrows(() => decodeReply(value, sizeOf(value)), ProtocolError);
    assertThrows(() => decodeAnswer(value, sizeOf(value)), ProtocolError);
  }
});

Deno.test("decodeIncoming() lets a LIST begin at the beginning", () => {
  assertEquals<unknown>(decodeIncoming({ type: "LIST" }, undefined), {
    type: "LIST",
    prefix: "",
    after: "",
  });
});

Deno.test("decodeIncoming() refuses bad names with the reason", () => {
  for (const type of ["GET", "DELETE"]) {
    for (const item of ["", "..", "a//b", "/a", "a\\b", "a\nb", "x".repeat(1025), "\ud800"]) {
      const value = { type, item };
      assertThrows(() => decodeIncoming(value, undefined), ProtocolError, "Cannot use the name");
    }
    assertEquals<unknown>(decodeIncoming({ type, item: "__proto__" }, undefined), {
      type,
      item: "__proto__",
    });
  }
});

Deno.test("decodeIncoming() refuses a PUT without a size, and says what is missing", () => {
  assertThrows(
    () => decodeIncoming({ type: "PUT", item: "a" }, undefined),
    ProtocolError,
    "Cannot read PUT.size: it is missing, and must say how many bytes follow",
  );
});

Deno.test("decode refuses a body after a message that has none", () => {
  const withoutBody: readonly (readonly [Decode, JsonObject])[] = [
    [decodeIncoming, { type: "GET", item: "a", size: 1 }],
    [decodeIncoming, { type: "GET", item: "a", size: 0 }],
    [decodeIncoming, { type: "GET", item: "a", size: 1, status: 200 }],
    [decodeIncoming, { type: "DELETE", item: "a", size: 1 }],
    [decodeIncoming, { type: "LIST", size: 1 }],
    [decodeIncoming, { type: "STATUS", size: 1 }],
    [decodeIncoming, { type: "FETCH", sha256: "0".repeat(64), size: 1 }],
    [decodeAnswer, { type: "PUT", item: "a", status: 201, size: 1 }],
    [decodeAnswer, { type: "GET", item: "a", status: 404, size: 1 }],
    [decodeReply, { type: "FETCH", sha256: "0".repeat(64), status: 404, size: 1 }],
    [decodeReply, { type: "ERROR", status: 400, error: "No.", size: 1 }],
  ];
  for (const [decode, value] of withoutBody) {
    assertThrows(() => decode(value, sizeOf(value)), ProtocolError, "it has no body");
  }
  for (const message of sample.memberMessages) {
    if (message.type === "FORWARD") continue;
    const value = { ...parse(encodeMessage(message).head), size: 5 };
    assertThrows(() => decodeIncoming(value, 5), ProtocolError, "it has no body");
  }
});

Deno.test("decode takes only the body of the file that a FORWARD writes, and only a small one", () => {
  const forward = (errand: object) => ({
    type: "FORWARD",
    from: sample.member.id,
    to: sample.member.id,
    hop: 1,
    circle: sample.circle,
    errand,
  });
  const { record, tombstone } = sample;
  const holder = sample.member.id;
  const list = "1".repeat(64);
  const write = forward({ type: "WRITE", record, holder, list });
  const decoded = decodeIncoming(write, record.size);
  assert(decoded.type === "FORWARD");
  assertThrows(() => withBody(decoded, new Uint8Array(record.size + 1)), InvariantError);
  assertThrows(() => decodeIncoming(write, 4), ProtocolError, "the file has 5");
  const buried = forward({ type: "WRITE", record: tombstone, holder, list });
  assertThrows(() => decodeIncoming(buried, 0), ProtocolError, "it writes no file");
  const find = forward({ type: "FIND", item: "a" });
  assertThrows(() => decodeIncoming(find, 1), ProtocolError, "it writes no file");
  const large = forward({ type: "WRITE", record: { ...record, size: 65537 }, holder, list });
  const error = assertThrows(() => decodeIncoming(large, 65537), ProtocolError, "at most 65536");
  assert(error instanceof ProtocolError);
  assertEquals(error.status, 413);
});

Deno.test("decode refuses a record that is half a tombstone", () => {
  const page = (record: object) => ({
    type: "PAGE",
    from: sample.member.id,
    to: sample.member.id,
    sequence: 1,
    records: [record],
  });
  const halves = [
    { ...sample.tombstone, size: 1 },
    { ...sample.tombstone, sha256: "0".repeat(64) },
    { ...sample.record, sha256: "" },
    { ...sample.record, deleted: false },
  ];
  for (const record of halves) {
    assertThrows(() => decodeIncoming(page(record), undefined), ProtocolError, "PAGE.records[0]");
  }
});

Deno.test("decode refuses a record whose size cannot be that of what has its hash", () => {
  const { record, member } = sample;
  const page = { type: "PAGE", from: member.id, to: member.id, sequence: 1 };
  const lies = [
    { ...record, size: 0 },
    { ...record, sha256: emptySha256 },
    { ...record, sha256: emptySha256, size: Number.MAX_SAFE_INTEGER },
  ];
  for (const lie of lies) {
    const value = { ...page, records: [lie] };
    assertThrows(() => decodeIncoming(value, undefined), ProtocolError, "have another hash");
  }
});

Deno.test("decode refuses lists that are longer than they may be", () => {
  const envelope = { from: sample.member.id, to: sample.member.id };
  const members = new Array(membersMax + 1).fill(sample.member);
  const records = new Array(pageRecordsMax + 1).fill(sample.record);
  const visited = new Array(visitsMax + 1).fill({ id: sample.member.id, deed: "stored" });
  const ids = new Array(membersMax + 1).fill(sample.member.id);
  const circle = { ...sample.circle, visited };
  const survey = {
    id: sample.member.id,
    list: "1".repeat(64),
    files: "2".repeat(64),
    isSettled: true,
  };
  const surveys = new Array(membersMax + 1).fill(survey);
  const errand = { type: "SURVEY", upTo: sample.record.stamp, surveys };
  const long = [
    { type: "INSERTED", ...envelope, stamp: sample.record.stamp, members },
    { type: "PAGE", ...envelope, sequence: 1, records },
    { type: "UPDATE", ...envelope, hop: 1, circle, stamp: sample.record.stamp, members: [] },
    { type: "BODY", ...envelope, upload: "u", visited: ids, size: 1 },
    { type: "FORWARD", ...envelope, hop: 1, circle: sample.circle, errand },
    { type: "REPORT", ...envelope, circle: sample.circle, deed: "stored", members },
  ];
  for (const value of long) {
    const error = assertThrows(() => decodeIncoming(value, undefined), ProtocolError, "items");
    assert(error instanceof ProtocolError);
    assertEquals(error.status, 413);
  }
});

Deno.test("decodeAnswer() refuses more damaged names than a frame has room for", () => {
  for (const list of ["damaged", "lost"]) {
    const answer = { type: "VERIFY", status: 200 };
    const names = new Array<string>(verifyNamesMax).fill("a");
    assertEquals<unknown>(decodeAnswer({ ...answer, [list]: names }, undefined), {
      ...answer,
      [list]: names,
    });
    const tooMany = { ...answer, [list]: [...names, "b"] };
    assertThrows(() => decodeAnswer(tooMany, undefined), ProtocolError, "items");
  }
});

Deno.test("decodeAnswer() takes a name that no file can have as that of what was damaged", () => {
  const answer = { type: "VERIFY", status: 200, damaged: ["../a\u0000", ""] } as const;
  assertEquals<unknown>(decodeAnswer(answer, undefined), answer);
  for (const name of ["x".repeat(1025), "\ud800", 1]) {
    const damaged = [name];
    assertThrows(() => decodeAnswer({ ...answer, damaged }, undefined), ProtocolError);
  }
});

Deno.test("decode refuses digests that are not exactly those of all buckets", () => {
  const { digests } = sample;
  const compare = (digests: unknown) => ({
    type: "COMPARE",
    from: sample.member.id,
    to: sample.member.id,
    sequence: 1,
    member: sample.member,
    digests,
    after: "",
  });
  decodeIncoming(compare(digests), undefined);
  const wrong = ["", digests.slice(1), `${digests}0`, digests.replace("a", "A"), [digests], null];
  for (const one of wrong) {
    const value = compare(one);
    assertThrows(() => decodeIncoming(value, undefined), ProtocolError, "COMPARE.digests");
  }
});

Deno.test("decode refuses an errand that is none, or not whole", () => {
  const forward = (errand: object) => ({
    type: "FORWARD",
    from: sample.member.id,
    to: sample.member.id,
    hop: 1,
    circle: sample.circle,
    errand,
  });
  const upTo = sample.record.stamp;
  const survey = { id: sample.member.id, list: "1".repeat(64), files: "2".repeat(64) };
  const wrong = [
    { type: "FETCH" },
    { type: "COLLECT", upTo },
    { type: "COLLECT", upTo: "soon", list: "1".repeat(64) },
    { type: "SURVEY", upTo },
    { type: "SURVEY", upTo, surveys: [survey] },
    { type: "SURVEY", upTo, surveys: [{ ...survey, isSettled: 1 }] },
    { type: "WRITE", record: sample.record, holder: sample.member.id },
  ];
  for (const errand of wrong) {
    assertThrows(() => decodeIncoming(forward(errand), undefined), ProtocolError, "FORWARD.errand");
  }
});
