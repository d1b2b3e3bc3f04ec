/**
 * Lies: what a member says that does not follow the protocol, for every type of message.
 *
 * Not among them is what a member may do: write files, delete them, and bring others into the ring. Nor what
 * it can do for good, as yet: tell both sides of a ring that the other has another address, or is forgotten,
 * so that neither looks for the other where it is; tell one server alone, by a SURVEY and a COLLECT, that
 * writes up to a stamp of the future are past; say in another's name what that server has stored; and say to
 * a server that has just started that it is a copy. The protocol knows members by what they say they are.
 */
import { stampZero } from "../../lib/ring/stamp.ts";
import { encodeMessage } from "../../lib/protocol/encode.ts";
import { encodeFrame } from "../../lib/protocol/frame.ts";
import { emptySha256, type FileRecord, pageRecordsMax } from "../../lib/ring/file_record.ts";
import { type Member, membersMax } from "../../lib/ring/member.ts";
import {
  type Circle,
  type Errand,
  type MemberMessage,
  type Page,
  visitsMax,
} from "../../lib/ring/message.ts";
import type { Random } from "../simulator/random.ts";

/** Who lies, to whom, and what is known of the ring. */
export interface Liar {
  readonly random: Random;
  readonly self: string;
  readonly receiver: Member;
  /** The servers that are honest, the receiver among them. */
  readonly honest: readonly Member[];
  /** The digest of the receiver's list. */
  readonly list: string;
}

/** Makes what is sent for one lie. */
export type Lie = (liar: Liar) => readonly Uint8Array[];

const lastStamp = `ffffffffffff-ffff-${"f".repeat(32)}`;
const digest = "1".repeat(64);
const buckets = "0123456789abcdef".repeat(256);
const tooManyVisits = 10_000;
const yearMs = 365 * 24 * 3_600_000;
const worseStatuses = ["suspect", "dead", "left"] as const;
const nobodyListens = "127.0.0.1:1";

/** All lies, by their names. */
export const lies: Readonly<Record<string, Lie>> = {
  "INSERT in another's name": (liar) =>
    say({
      type: "INSERT",
      from: another(liar).id,
      incarnation: Number.MAX_SAFE_INTEGER,
      address: nobodyListens,
      position: "ff",
    }),
  "INSERT of a server that is not there": ({ random }) =>
    // A few only: the list has a bound, and what is in it is for good.
    say({
      type: "INSERT",
      from: String(random.integer(8)).repeat(32),
      incarnation: 1,
      address: nobodyListens,
      position: "",
    }),
  "INSERTED with the last stamp": (liar) =>
    say({ type: "INSERTED", ...to(liar), stamp: lastStamp, members: dead(liar) }),
  "CHECK with a wrong clock": (liar) => {
    const wall = liar.random.pick([0, Number.MAX_SAFE_INTEGER]) ?? 0;
    return say({
      type: "CHECK",
      ...to(liar),
      ...sequence(liar),
      list: digest,
      files: digest,
      wall,
    });
  },
  "CHECKED that nobody asked for": (liar) => {
    const state = { list: digest, files: digest, wall: 0, members: dead(liar) };
    return say({ type: "CHECKED", ...to(liar), ...sequence(liar), ...state });
  },
  "ASK about the receiver, and others": (liar) =>
    say({ type: "ASK", ...to(liar), suspect: another(liar).id }),
  "VOUCH for anybody": (liar) => say({ type: "VOUCH", ...to(liar), suspect: another(liar).id }),
  "UPDATE that names the receiver dead": (liar) =>
    update(liar, [{ ...liar.receiver, status: "dead" }]),
  "UPDATE that names others dead": (liar) => update(liar, dead(liar)),
  "UPDATE with the last incarnation": (liar) => update(liar, raised(liar, Number.MAX_SAFE_INTEGER)),
  "UPDATE with a higher incarnation": (liar) =>
    update(liar, raised(liar, another(liar).incarnation + 1)),
  "UPDATE with rolled-back incarnations": (liar) => update(liar, raised(liar, 0)),
  "UPDATE with 1,536 visits": (liar) => update(liar, [], { visited: visits(liar, visitsMax) }),
  "UPDATE with 10,000 visits": (liar) => {
    const circle = { ...circleOf(liar), visited: visits(liar, tooManyVisits) };
    const stamp = stampZero;
    return [encodeFrame({ type: "UPDATE", ...to(liar), hop: 1, circle, stamp, members: [] })];
  },
  "UPDATE of a forged creator": (liar) => update(liar, [], { creator: another(liar).id }),
  "UPDATE of a creator that is not there": (liar) =>
    update(liar, [], { creator: liar.random.hex(32) }),
  "UPDATE that visits nobody, over and over": (liar) =>
    update(liar, [], { sequence: 1, attempt: liar.random.integer(1e9), visited: [] }),
  "WRITE with the last stamp": (liar) => write(liar, { stamp: lastStamp }),
  "WRITE with a stamp of years ahead": (liar) =>
    write(liar, { stamp: stampAt(Date.now() + liar.random.integer(50) * yearMs, liar) }),
  "WRITE of a forged creator": (liar) => write(liar, {}, { creator: another(liar).id }),
  "WRITE whose body nobody has": (liar) =>
    write(liar, { sha256: liar.random.hex(64), size: liar.random.between(1, 1e6) }),
  "WRITE that says a body is longer than it is": (liar) =>
    write(liar, { sha256: emptySha256, size: Number.MAX_SAFE_INTEGER }),
  "WRITE with a body of another hash": (liar) => {
    const body = new Uint8Array(10);
    const errand = writeErrand(liar, { sha256: digest, size: body.length });
    return say({
      type: "FORWARD",
      ...to(liar),
      ...sequence(liar),
      circle: circleOf(liar),
      errand,
      body,
    });
  },
  "FIND that has found another file": (liar) =>
    forward(liar, {
      type: "FIND",
      item: "good/1",
      found: { record: recordOf(liar, {}), holder: liar.self },
    }),
  "FIND that visits nobody, over and over": (liar) =>
    forward(liar, { type: "FIND", item: "hostile/none" }, {
      sequence: 2,
      attempt: liar.random.integer(1e9),
      visited: [],
    }),
  "FIND of a forged creator": (liar) =>
    forward(liar, { type: "FIND", item: "good/1" }, { creator: another(liar).id }),
  "SURVEY in which everybody has spoken": (liar) => {
    const one = { id: liar.self, list: digest, files: digest, isSettled: true };
    const surveys = new Array<typeof one>(membersMax).fill(one);
    return forward(liar, { type: "SURVEY", upTo: stampAt(Date.now(), liar), surveys });
  },
  "COLLECT of all that will ever be": (liar) =>
    forward(liar, { type: "COLLECT", upTo: lastStamp, list: liar.list }),
  "COLLECT that no SURVEY went before": (liar) =>
    forward(liar, {
      type: "COLLECT",
      upTo: stampAt(Date.now() + 900 * yearMs, liar),
      list: liar.list,
    }),
  "ACK of others' hops": (liar) =>
    say({ type: "ACK", ...to(liar), hop: liar.random.integer(10_000) }),
  "REPORT about no circle": (liar) =>
    say({
      type: "REPORT",
      ...to(liar),
      circle: { creator: liar.receiver.id, boot: "boot", sequence: liar.random.integer(1000) },
      deed: "stored",
      members: dead(liar),
    }),
  "COMPARE of everything": (liar) =>
    say({
      type: "COMPARE",
      ...to(liar),
      ...sequence(liar),
      member: { ...another(liar), id: liar.self, address: nobodyListens },
      digests: buckets,
      after: "",
    }),
  "PAGE that nobody asked for": (liar) =>
    say(lyingPage(liar.random, { ...to(liar), sequence: liar.random.integer(50) })),
  "MISSED, over and over": (liar) => say({ type: "MISSED", ...to(liar) }),
  "REFUSE as a stranger": (liar) => say(refuse(liar, 403, liar.self)),
  "REFUSE as another than others": (liar) => say(refuse(liar, 421, another(liar).id)),
  "REFUSE as the older of two": (liar) => say({ ...refuse(liar, 409, liar.receiver.id), since: 0 }),
  "BODY that is cut off": (liar) => body(liar, { size: 1_000_000, sent: 100 }),
  "BODY without a record": (liar) => body(liar, { size: 1000, sent: 1000 }),
  "BODY of the largest size": (liar) => body(liar, { size: Number.MAX_SAFE_INTEGER, sent: 1000 }),
  "FETCH of what nobody has": ({ random }) => [
    encodeFrame({ type: "FETCH", sha256: random.hex(64) }),
  ],
};

/** A page without an end, of records whose bodies nobody has. */
export function lyingPage(
  random: Random,
  envelope: { from: string; to: string; sequence: number },
): Page {
  const length = random.integer(pageRecordsMax);
  const records = Array.from({ length }, (_, n): FileRecord => ({
    name: `hostile/${random.hex(8)}/${n}`,
    stamp: `0${random.hex(11)}-0000-${envelope.from}`,
    sha256: random.hex(64),
    size: 1 + random.integer(1e6),
    contentType: "",
  }));
  return { type: "PAGE", ...envelope, records, next: `hostile/${random.hex(8)}` };
}

function say(message: MemberMessage): readonly Uint8Array[] {
  const { head, body } = encodeMessage(message);
  return body === undefined ? [head] : [head, body];
}

function to({ self, receiver }: Liar): { from: string; to: string } {
  return { from: self, to: receiver.id };
}

function sequence({ random }: Liar): { hop: number; sequence: number } {
  return { hop: random.integer(1e6), sequence: random.integer(1e6) };
}

function another({ random, honest, receiver }: Liar): Member {
  return random.pick(honest) ?? receiver;
}

function dead({ honest, random }: Liar): Member[] {
  const status = random.pick(worseStatuses) ?? "dead";
  return honest.map((member) => ({ ...member, status }));
}

function raised(liar: Liar, incarnation: number): Member[] {
  const status = liar.random.pick(worseStatuses) ?? "dead";
  return [{ ...another(liar), incarnation, status }];
}

function circleOf({ self, random }: Liar, changes: Partial<Circle> = {}): Circle {
  const name = { creator: self, boot: random.hex(8), sequence: random.integer(1e9) };
  return { ...name, attempt: 0, visited: [{ id: self, deed: "stored" }], ...changes };
}

function visits({ random }: Liar, length: number): Circle["visited"] {
  return Array.from({ length }, () => ({ id: random.hex(32), deed: "passed" as const }));
}

function update(
  liar: Liar,
  members: readonly Member[],
  changes: Partial<Circle> = {},
): readonly Uint8Array[] {
  const { hop } = sequence(liar);
  const circle = circleOf(liar, changes);
  return say({ type: "UPDATE", ...to(liar), hop, circle, stamp: stampZero, members });
}

function forward(
  liar: Liar,
  errand: Errand,
  changes: Partial<Circle> = {},
): readonly Uint8Array[] {
  const { hop } = sequence(liar);
  return say({ type: "FORWARD", ...to(liar), hop, circle: circleOf(liar, changes), errand });
}

function write(
  liar: Liar,
  record: Partial<FileRecord>,
  changes: Partial<Circle> = {},
): readonly Uint8Array[] {
  return forward(liar, writeErrand(liar, record), changes);
}

function writeErrand(liar: Liar, record: Partial<FileRecord>): Errand {
  return { type: "WRITE", record: recordOf(liar, record), holder: liar.self, list: liar.list };
}

function recordOf(liar: Liar, changes: Partial<FileRecord>): FileRecord {
  const name = `hostile/${liar.random.integer(20)}`;
  const stamp = stampAt(Date.now(), liar);
  return { name, stamp, sha256: emptySha256, size: 0, contentType: "", ...changes };
}

function stampAt(millis: number, { self }: Liar): string {
  return `${millis.toString(16).padStart(12, "0")}-0000-${self}`;
}

function refuse(liar: Liar, status: 403 | 409 | 421, intended: string): MemberMessage & {
  type: "REFUSE";
} {
  return { type: "REFUSE", ...to(liar), status, intended, error: "It is not so" };
}

/** A body, of which so much is sent. */
function body(liar: Liar, { size, sent }: { size: number; sent: number }): readonly Uint8Array[] {
  const upload = liar.random.hex(16);
  const visited = Array.from({ length: 3 }, () => liar.random.hex(32));
  const head = encodeFrame({ type: "BODY", ...to(liar), upload, visited, size });
  return [head, new Uint8Array(sent)];
}
