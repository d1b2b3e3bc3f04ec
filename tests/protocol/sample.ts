/** One good message of every type, and of every form that a type has. */
import {
  bucketCount,
  bucketDigits,
  emptySha256,
  type FileRecord,
} from "../../lib/ring/file_record.ts";
import type { Member } from "../../lib/ring/member.ts";
import type { Circle, FetchAnswer, MemberMessage } from "../../lib/ring/message.ts";
import type { ClientAnswer } from "../../lib/ring/request.ts";
import type { BodyMessage, FetchMessage, Survey } from "../../lib/ring/message.ts";
import type { ClientRequest } from "../../lib/ring/request.ts";

const id = (digit: string) => digit.repeat(32);
const digest = (digit: string) => digit.repeat(64);
const stamp = `0123456789ab-000f-${id("a")}`;
/** Of all buckets; in one of them there is something. */
export const digests = "0123456789abcdef".padEnd(bucketCount * bucketDigits, "0");
const envelope = { from: id("a"), to: id("b") };

export const member: Member = {
  id: id("a"),
  incarnation: 3,
  status: "alive",
  address: "127.0.1.1:4043",
  position: "80ff",
  web: "http://127.0.1.1:8043/",
};

export const record: FileRecord = {
  name: "css/site.css",
  stamp,
  sha256: digest("c"),
  size: 5,
  contentType: "text/css; charset=utf-8",
};

export const tombstone: FileRecord = {
  name: "old.html",
  stamp,
  sha256: "",
  size: 0,
  contentType: "",
  deleted: true,
};

const survey: Survey = { id: id("a"), list: digest("1"), files: digest("2"), isSettled: true };

export const circle: Circle = {
  creator: id("a"),
  boot: "b00t",
  sequence: 7,
  attempt: 1,
  visited: [{ id: id("a"), deed: "stored" }, { id: id("b"), deed: "passed" }],
};

export const requests: readonly (ClientRequest | BodyMessage | FetchMessage)[] = [
  { type: "GET", item: "index.html" },
  { type: "PUT", item: "index.html", size: 19, contentType: "text/html" },
  { type: "PUT", item: "empty", size: 0 },
  { type: "DELETE", item: "__proto__" },
  { type: "LIST", prefix: "css/", after: "css/a" },
  { type: "STATUS" },
  { type: "LEAVE" },
  { type: "GC" },
  { type: "VERIFY" },
  { type: "FORGET", member: "127.0.1.1:4044" },
  { type: "BODY", ...envelope, upload: "u1", visited: [id("a"), id("c")], size: 1 << 30 },
  { type: "FETCH", sha256: digest("d") },
];

export const memberMessages: readonly MemberMessage[] = [
  { type: "INSERT", from: id("a"), incarnation: 1, address: "[::1]:4043", position: "" },
  { type: "INSERTED", ...envelope, stamp: record.stamp, members: [member] },
  { type: "CHECK", ...envelope, sequence: 1, list: digest("1"), files: digest("2"), wall: 0 },
  { type: "CHECKED", ...envelope, sequence: 1, list: digest("1"), files: digest("2"), wall: 0 },
  {
    type: "CHECKED",
    ...envelope,
    sequence: 2,
    list: digest("1"),
    files: digest("2"),
    wall: 1,
    members: [member, { ...member, id: id("b"), status: "dead" }],
  },
  { type: "ASK", ...envelope, suspect: id("c") },
  { type: "VOUCH", ...envelope, suspect: id("c") },
  { type: "UPDATE", ...envelope, hop: 4, circle, stamp: record.stamp, members: [member] },
  {
    type: "FORWARD",
    ...envelope,
    hop: 5,
    circle,
    errand: { type: "WRITE", record, holder: id("a"), list: digest("1"), upload: "u1" },
  },
  {
    type: "FORWARD",
    ...envelope,
    hop: 5,
    circle,
    errand: { type: "WRITE", record: tombstone, holder: id("a"), list: digest("1") },
    members: [member],
  },
  {
    type: "FORWARD",
    ...envelope,
    hop: 5,
    circle,
    errand: { type: "WRITE", record, holder: id("a"), list: digest("1") },
    body: new Uint8Array([1, 2, 3, 4, 5]),
  },
  {
    type: "FORWARD",
    ...envelope,
    hop: 6,
    circle,
    errand: {
      type: "WRITE",
      record: { ...record, size: 0, sha256: emptySha256 },
      holder: id("a"),
      list: digest("1"),
    },
    body: new Uint8Array(0),
  },
  {
    type: "FORWARD",
    ...envelope,
    hop: 6,
    circle,
    errand: { type: "WRITE", record: tombstone, holder: id("a"), list: digest("1") },
  },
  { type: "FORWARD", ...envelope, hop: 6, circle, errand: { type: "FIND", item: "a" } },
  {
    type: "FORWARD",
    ...envelope,
    hop: 6,
    circle,
    errand: { type: "FIND", item: "css/site.css", found: { record, holder: id("b") } },
  },
  {
    type: "FORWARD",
    ...envelope,
    hop: 7,
    circle,
    errand: {
      type: "SURVEY",
      upTo: stamp,
      surveys: [survey, { ...survey, id: id("b"), isSettled: false }],
    },
  },
  {
    type: "FORWARD",
    ...envelope,
    hop: 7,
    circle,
    errand: { type: "COLLECT", upTo: stamp, list: digest("1") },
  },
  { type: "ACK", ...envelope, hop: 4 },
  {
    type: "REPORT",
    ...envelope,
    circle: { creator: id("a"), boot: "b00t", sequence: 7 },
    deed: "failed",
  },
  {
    type: "REPORT",
    ...envelope,
    circle: { creator: id("a"), boot: "b00t", sequence: 7 },
    deed: "stored",
    members: [member],
  },
  { type: "COMPARE", ...envelope, sequence: 1, member, digests, after: "" },
  { type: "COMPARE", ...envelope, sequence: 1, member, digests, after: "css/site.css" },
  { type: "PAGE", ...envelope, sequence: 1, records: [], partial: true },
  { type: "MISSED", ...envelope },
  { type: "PAGE", ...envelope, sequence: 1, records: [record, tombstone], next: "old.html" },
  { type: "REFUSE", ...envelope, status: 421, intended: id("c"), error: "It is for another." },
  { type: "REFUSE", ...envelope, status: 403, intended: "", error: "You are a stranger." },
  { type: "REFUSE", ...envelope, status: 409, intended: id("b"), since: 1, error: "I was first." },
];

export const clientAnswers: readonly ClientAnswer[] = [
  { type: "LEAVE", status: 200 },
  { type: "FORGET", status: 200, id: id("a"), address: "127.0.1.1:4044" },
  { type: "FORGET", status: 404, error: "No member is meant." },
  {
    type: "GET",
    item: "css/site.css",
    status: 200,
    size: 5,
    sha256: digest("c"),
    contentType: "text/css",
    stamp,
  },
  { type: "GET", item: "a", status: 404, error: 'Cannot get "a": no server has it' },
  { type: "PUT", item: "a", status: 201, sha256: digest("c"), stamp, copies: 3 },
  { type: "DELETE", item: "a", status: 200, copies: 3 },
  { type: "LIST", status: 200, files: [record], next: "css/site.css" },
  {
    type: "STATUS",
    status: 200,
    version: "0.1.0",
    id: id("a"),
    address: "127.0.1.1:4043",
    members: [member],
    readOnly: true,
    compared: 256,
    files: 1,
    bytes: 5,
    digest: digest("e"),
  },
  { type: "GC", status: 200, dropped: 12 },
  { type: "GC", status: 409, error: "A server is missing." },
  {
    type: "VERIFY",
    status: 200,
    checked: 7,
    damaged: ["a", "b\u0007"],
    damagedCount: 2,
    lost: ["a"],
    lostCount: 1,
  },
  { type: "VERIFY", status: 503, error: "This server stops." },
  { type: "ERROR", status: 400, error: "Cannot read a frame: it is not valid JSON" },
];

export const fetchAnswers: readonly FetchAnswer[] = [
  { type: "FETCH", status: 200, sha256: digest("d"), size: 100_000 },
  { type: "FETCH", status: 404, sha256: digest("d"), error: "It is not here." },
];
