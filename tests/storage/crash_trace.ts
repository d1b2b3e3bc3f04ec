/** What `crash_points_child.ts` does to a store, step by step, and what must then be in it. */
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import type { Member } from "../../lib/ring/member.ts";
import { type Stamp, stampZero } from "../../lib/ring/stamp.ts";
import type { RecordWrite, SavedRing, StoredRing } from "../../lib/ring/step.ts";
import { bytesOf, inline, recordOf, stampAt, tombstone } from "./sample.ts";

/** One operation; acknowledged when it has returned. */
export type Operation =
  | { readonly type: "write"; readonly batch: readonly RecordWrite[] }
  /** A large body, and then its record. */
  | { readonly type: "upload"; readonly body: Uint8Array; readonly write: RecordWrite }
  | ({ readonly type: "save" } & SavedRing)
  | { readonly type: "collect"; readonly upTo: Stamp; readonly limit: number }
  /** Close the store, and open it again. */
  | { readonly type: "reopen" };

/** What a store holds. */
export interface Contents {
  readonly records: ReadonlyMap<string, FileRecord>;
  readonly ring: StoredRing;
}

/** What is in a store that is new. */
export const nothing: Contents = {
  records: new Map(),
  ring: { incarnation: 0, members: [], highestStamp: stampZero },
};

/** How many operations a trace has. */
export const operationsCount = 200;

const namesCount = 24;
const largeBodiesCount = 6;
const reopenEvery = 80;

/** Numbers that a seed decides. Source: Steele and Vigna's mixer of 32 bits, as `mulberry32`. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** The operations of a seed: small and large bodies, replacements, deletions, collections, lists. */
export function operationsOf(seed: number): Operation[] {
  const random = randomOf(seed);
  return Array.from({ length: operationsCount }, (_, index) => {
    if (index % reopenEvery === reopenEvery - 1) return { type: "reopen" };
    const kind = random(10);
    if (kind === 0) return saveAt(index, random);
    if (kind <= 2) return uploadAt(index, random);
    if (kind === 3) return collectAt(index, random);
    return { type: "write", batch: batchAt(index, random) };
  });
}

/** What is there after an operation. */
export function contentsAfter(contents: Contents, operation: Operation): Contents {
  switch (operation.type) {
    case "reopen":
      return contents;
    case "save":
      return saved(contents, operation);
    case "upload":
      return written(contents, [operation.write]);
    case "write":
      return written(contents, operation.batch);
    case "collect":
      return collected(contents, operation);
  }
}

function saved({ records, ring }: Contents, { incarnation, members, stampCeiling }: SavedRing) {
  const highestStamp = higher(ring.highestStamp, stampCeiling);
  return { records, ring: { incarnation, members, highestStamp } };
}

/** Every stamp is above those before: each record takes the place of the one before. */
function written({ records, ring }: Contents, batch: readonly RecordWrite[]): Contents {
  const entries = batch.map(({ record }) => [record.name, record] as const);
  const highestStamp = batch.map(({ record }) => record.stamp).reduce(higher, ring.highestStamp);
  return { records: new Map([...records, ...entries]), ring: { ...ring, highestStamp } };
}

/** No two tombstones have one stamp. */
function collected(
  { records, ring }: Contents,
  { upTo, limit }: { upTo: Stamp; limit: number },
): Contents {
  const dropped = [...records.values()]
    .filter(({ deleted, stamp }) => deleted && stamp <= upTo)
    .sort((a, b) => a.stamp < b.stamp ? -1 : 1)
    .slice(0, limit);
  const kept = [...records].filter(([, record]) => !dropped.includes(record));
  return { records: new Map(kept), ring };
}

function higher(a: Stamp, b: Stamp): Stamp {
  return a > b ? a : b;
}

function batchAt(index: number, random: (below: number) => number): RecordWrite[] {
  return Array.from({ length: 1 + random(4) }, (_, i) => {
    const name = `file-${random(namesCount)}`;
    const stamp = 4 * index + i + 1;
    if (random(4) === 0) return tombstone(name, stamp);
    const size = random(12) === 0 ? inlineBytesMax : random(3000);
    return inline(name, { stamp, body: bytesOf(size, random(1000)) });
  });
}

/** Few bodies, so that some are referred to by several records, and come again when they are gone. */
function uploadAt(index: number, random: (below: number) => number): Operation {
  const n = random(largeBodiesCount);
  const body = bytesOf(inlineBytesMax + 1 + 20_000 * n, n);
  const record = recordOf(`file-${random(namesCount)}`, { stamp: 4 * index + 1, body });
  return { type: "upload", body, write: { record } };
}

function saveAt(index: number, random: (below: number) => number): Operation {
  const members = Array.from({ length: 1 + random(5) }, (_, i): Member => ({
    id: `${i}`.repeat(32),
    incarnation: index,
    status: "alive",
    address: `127.0.0.1:${4043 + i}`,
    position: `8${i}`,
  }));
  // Above what is written next, so that the records alone do not come to it.
  return { type: "save", incarnation: index + 1, members, stampCeiling: stampAt(4 * index + 40) };
}

function collectAt(index: number, random: (below: number) => number): Operation {
  return {
    type: "collect",
    upTo: stampAt(Math.max(0, 4 * index - random(80))),
    limit: 1 + random(4),
  };
}
