/** Members, records and lists to test the core with, and arbitraries of them. */
import fc from "fast-check";
import { createHash } from "node:crypto";
import type { Address } from "../../lib/ring/address.ts";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import { type Member, type MemberId, memberStatuses } from "../../lib/ring/member.ts";
import type { Circle, Insert, Visit } from "../../lib/ring/message.ts";
import type { Stamp } from "../../lib/ring/stamp.ts";
import type { Ask } from "../../lib/ring/step.ts";

/** The names of the servers in the tests, in the order of the circle. */
export const names = ["A", "B", "C", "D", "E", "F"] as const;

/** One of {@linkcode names}; the server under test is A. */
export type Name = typeof names[number];

/** The id of a server. */
export function idOf(name: Name): MemberId {
  return name.toLowerCase().repeat(32);
}

/** The server that has an id. */
export function nameOf(id: MemberId): Name | undefined {
  return names.find((name) => idOf(name) === id);
}

/** An id for each number, of which there are more than {@linkcode names}. */
export function idOfNumber(n: number): MemberId {
  return n.toString(16).padStart(32, "0");
}

/** Where a server listens. */
export function addressOf(name: Name): Address {
  return `10.0.0.${names.indexOf(name) + 1}:4043`;
}

/** Where a server stands on the circle: A is the first of the ring. */
export function positionOf(name: Name): string {
  return (names.indexOf(name) * 0x20).toString(16).padStart(2, "0");
}

/** A server's record: alive in its first life, but for `changes`. */
export function memberOf(name: Name, changes: Partial<Member> = {}): Member {
  const place = { address: addressOf(name), position: positionOf(name) };
  return { id: idOf(name), incarnation: 1, status: "alive", ...place, ...changes };
}

/** What a server asks to be inserted with. */
export function insertOf(name: Name, changes: Partial<Insert> = {}): Insert {
  const own = { from: idOf(name), address: addressOf(name) };
  return { type: "INSERT", incarnation: 1, position: "", ...own, ...changes };
}

/** SHA-256 in hexadecimal digits, as the core is given it. */
export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The stamp of a server's write at `millis` after 1970. */
export function stampAt(millis: number, by: Name = "B"): Stamp {
  return `${millis.toString(16).padStart(12, "0")}-0000-${idOf(by)}`;
}

/** A small body. */
export function bodyOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The record of a file with `text` in it. */
export function recordOf(name: string, text: string, changes: Partial<FileRecord> = {}) {
  const body = bodyOf(text);
  const record: FileRecord = {
    name,
    stamp: stampAt(1000),
    sha256: sha256(body),
    size: body.length,
    contentType: "text/plain",
    ...changes,
  };
  return record;
}

/** The record of a deleted file. */
export function tombstoneOf(name: string, stamp: Stamp): FileRecord {
  return { name, stamp, sha256: "", size: 0, contentType: "", deleted: true };
}

/** What a client asks to store a small file. */
export function putOf(item: string, text: string): Extract<Ask, { type: "PUT" }> {
  const body = bodyOf(text);
  const about = { sha256: sha256(body), size: body.length, contentType: "text/plain" };
  return { type: "PUT", item, ...about, body };
}

/** The visits of servers that all did the same. */
export function visitsOf(deed: Visit["deed"], ...visited: Name[]): readonly Visit[] {
  return visited.map((name) => ({ id: idOf(name), deed }));
}

/** The envelope of a circle of `creator`, which has visited it alone but for `changes`. */
export function circleOf(creator: Name, changes: Partial<Circle> = {}): Circle {
  const name = { creator: idOf(creator), boot: `boot-${creator}`, sequence: 1 };
  return { ...name, attempt: 0, visited: visitsOf("passed", creator), ...changes };
}

/** The visits of a circle as text: `A:passed B:skipped by A C:stored`. */
export function path(circle: Circle): string {
  return circle.visited.map(visitText).join(" ");
}

function visitText({ id, deed, by }: Visit): string {
  const visit = `${nameOf(id)}:${deed}`;
  return by === undefined ? visit : `${visit} by ${nameOf(by)}`;
}

/** Records from so small a world that many are of one member, and many are the same. */
export function arbitraryMember(): fc.Arbitrary<Member> {
  return fc.record({
    id: fc.constantFrom(...names.map(idOf)),
    incarnation: fc.integer({ min: 1, max: 3 }),
    status: fc.constantFrom(...memberStatuses),
    address: fc.constantFrom(addressOf("A"), addressOf("B")),
    position: fc.constantFrom("00", "40", "4000ff", "80"),
    web: fc.constantFrom("http://10.0.0.1:1/", "http://10.0.0.1:2/"),
  }, { requiredKeys: ["id", "incarnation", "status", "address", "position"] });
}
