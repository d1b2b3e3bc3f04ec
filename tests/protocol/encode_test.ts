import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { decodeAnswer, decodeIncoming, decodeReply } from "../../lib/protocol/decode.ts";
import { encodeAnswer, encodeMessage, encodeRequest } from "../../lib/protocol/encode.ts";
import { verifyNamesMax } from "../../lib/protocol/decode_answer.ts";
import { errorLengthMax } from "../../lib/protocol/field.ts";
import { frameBytesMax, FrameDecoder } from "../../lib/protocol/frame.ts";
import { InvariantError } from "../../lib/ring/assert.ts";
import { inlineBytesMax, nameBytesMax, pageRecordsMax } from "../../lib/ring/file_record.ts";
import { membersMax } from "../../lib/ring/member.ts";
import { type Forward, visitsMax } from "../../lib/ring/message.ts";
import { clientAnswer, memberMessage } from "./arbitrary.ts";
import { bytesOf } from "./bytes.ts";
import { throughTheWire } from "./round_trip.ts";
import * as sample from "./sample.ts";

/** The object and the size of the frame at the beginning of these bytes. */
function head(bytes: Uint8Array) {
  const decoder = new FrameDecoder();
  decoder.push(bytes);
  const event = decoder.next();
  if (event?.type !== "frame") throw new Error("no frame");
  return event;
}

Deno.test("encodeMessage() and decode give back every message between members", () => {
  for (const message of sample.memberMessages) {
    assertEquals<unknown>(throughTheWire(message, decodeIncoming), message);
    assertEquals<unknown>(throughTheWire(message, decodeReply), message);
  }
});

Deno.test("encodeRequest() and decodeIncoming() give back every request", () => {
  for (const request of sample.requests) {
    const { value, size } = head(encodeRequest(request));
    assertEquals<unknown>(decodeIncoming(value, size), request);
  }
});

Deno.test("encodeAnswer() and decodeAnswer() give back every answer to a client", () => {
  for (const answer of sample.clientAnswers) {
    const { value, size } = head(encodeAnswer(answer));
    assertEquals(decodeAnswer(value, size), answer);
  }
});

Deno.test("encodeAnswer() and decodeReply() give back every answer to a FETCH, and errors", () => {
  for (const answer of sample.fetchAnswers) {
    const { value, size } = head(encodeAnswer(answer));
    assertEquals<unknown>(decodeReply(value, size), answer);
  }
  const error = { type: "ERROR", status: 400, error: "No." } as const;
  assertEquals<unknown>(decodeReply(head(encodeAnswer(error)).value, undefined), error);
});

Deno.test("Any message between members survives the wire", () => {
  fc.assert(fc.property(memberMessage, (message) => {
    // fast-check makes objects without a prototype at times; what is decoded always has one.
    assertEquals<unknown>(throughTheWire(message, decodeIncoming), structuredClone(message));
  }));
});

Deno.test("Any answer to a client survives the wire", () => {
  fc.assert(fc.property(clientAnswer, (answer) => {
    const { value, size } = head(encodeAnswer(answer));
    assertEquals<unknown>(decodeAnswer(value, size), structuredClone(answer));
  }));
});

Deno.test("encodeAnswer() leaves out a size that would announce a body", () => {
  const put = { type: "PUT", item: "a", status: 201, size: 5, copies: 1 } as const;
  assertEquals(head(encodeAnswer(put)).size, undefined);
  const missing = { type: "GET", item: "a", status: 404, size: 5 } as const;
  assertEquals(head(encodeAnswer(missing)).size, undefined);
});

Deno.test("encodeMessage() sends the body of a FORWARD after the frame, not in it", () => {
  const body = bytesOf("hello");
  const forward = sample.memberMessages.find((message) =>
    message.type === "FORWARD" && message.body?.length === 5
  );
  if (forward?.type !== "FORWARD") throw new Error("no sample");
  const encoded = encodeMessage({ ...forward, body });
  assertEquals(encoded.body, body);
  assertEquals(head(encoded.head).size, 5);
  assertEquals(Object.hasOwn(head(encoded.head).value, "body"), false);
});

Deno.test("encodeMessage() asserts that the body of a FORWARD is small", () => {
  const forward: Forward = {
    type: "FORWARD",
    from: sample.member.id,
    to: sample.member.id,
    hop: 1,
    circle: sample.circle,
    errand: { type: "FIND", item: "a" },
    body: new Uint8Array(inlineBytesMax + 1),
  };
  assertThrows(() => encodeMessage(forward), InvariantError);
});

Deno.test("The largest answer to a VERIFY fits in a frame", () => {
  const names = new Array<string>(verifyNamesMax).fill("\u0001".repeat(nameBytesMax));
  const bytes = encodeAnswer({
    type: "VERIFY",
    status: 503,
    checked: Number.MAX_SAFE_INTEGER,
    damaged: names,
    damagedCount: Number.MAX_SAFE_INTEGER,
    lost: names,
    lostCount: Number.MAX_SAFE_INTEGER,
    error: "\u0001".repeat(errorLengthMax),
  });
  assertEquals(bytes.length < frameBytesMax, true);
  decodeAnswer(head(bytes).value, undefined);
});

Deno.test("The largest list, page, survey and write fit in a frame", () => {
  const envelope = { from: sample.member.id, to: sample.member.id };
  const member = {
    ...sample.member,
    incarnation: Number.MAX_SAFE_INTEGER,
    address: `${"x".repeat(256)}:65535`,
    position: "f".repeat(512),
  };
  const visited = new Array(visitsMax).fill({
    id: member.id,
    deed: "skipped",
    by: member.id,
  });
  const update = encodeMessage({
    type: "UPDATE",
    ...envelope,
    hop: 1,
    circle: { ...sample.circle, visited },
    stamp: sample.record.stamp,
    members: new Array(membersMax).fill(member),
  });
  const record = { ...sample.record, name: '"'.repeat(1024), contentType: "\\".repeat(255) };
  const page = encodeMessage({
    type: "PAGE",
    ...envelope,
    sequence: 1,
    records: new Array(pageRecordsMax).fill(record),
    next: record.name,
    partial: true,
  });
  const survey = {
    id: member.id,
    list: "1".repeat(64),
    files: "2".repeat(64),
    isSettled: false,
  };
  const surveys = encodeMessage({
    type: "FORWARD",
    ...envelope,
    hop: 1,
    circle: { ...sample.circle, visited },
    errand: {
      type: "SURVEY",
      upTo: record.stamp,
      surveys: new Array(membersMax).fill(survey),
    },
  });
  const write = encodeMessage({
    type: "FORWARD",
    ...envelope,
    hop: 1,
    circle: { ...sample.circle, visited },
    errand: { type: "WRITE", record, holder: member.id, list: "1".repeat(64) },
    members: new Array(membersMax).fill(member),
  });
  for (const { head: bytes } of [update, page, surveys, write]) {
    const { value, size } = head(bytes);
    assertEquals(bytes.length < frameBytesMax, true);
    decodeIncoming(value, size);
  }
});
