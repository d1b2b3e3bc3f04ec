/** What `crash_points_child.ts` does to a store, step by step, and what must then be in it. */
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import type { Member } from "../../lib/ring/member.ts";
import type { RecordWrite } from "../../lib/ring/step.ts";
import { bytesOf, inline, recordOf, tombstone } from "./sample.ts";

/** One operation; acknowledged when it has returned. */
export type Operation =
  | { readonly type: "write"; readonly batch: readonly RecordWrite[] }
  /** A large body, and then its record. */
  | { readonly type: "upload"; readonly body: Uint8Array; readonly write: RecordWrite }
  | { readonly type: "save"; readonly incarnation: number; readonly members: readonly Member[] }
  /** Close the store, and open it again. */
  | { readonly type: "reopen" };

/** What a store holds. */
export interface Contents {
  readonly records: ReadonlyMap<string, FileRecord>;
  readonly incarnation: number;
  readonly members: readonly Member[];
}

/** What is in a store that is new. */
export const nothing: Contents = { records: new Map(), incarnation: 0, members: [] };

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

/** The operations of a seed: small and large bodies, replacements, deletions, lists. */
export function operationsOf(seed: number): Operation[] {
  const random = randomOf(seed);
  return Array.from({ length: operationsCount }, (_, index) => {
    if (index % reopenEvery === reopenEvery - 1) return { type: "reopen" };
    const kind = random(10);
    if (kind === 0) return saveAt(index, random);
    if (kind <= 2) return uploadAt(index, random);
    return { type: "write", batch: batchAt(index, random) };
  });
}

/** What is there after an operation. */
export function contentsAfter(contents: Contents, operation: Operation): Contents {
  switch (operation.type) {
    case "reopen":
      return contents;
    case "save":
      return { ...contents, incarnation: operation.incarnation, members: operation.members };
    case "upload":
      return { ...contents, records: withRecords(contents, [operation.write]) };
    case "write":
      return { ...contents, records: withRecords(contents, operation.batch) };
  }
}

/** Every stamp is above those before: each record takes the place of the one before. */
function withRecords({ records }: Contents, batch: readonly RecordWrite[]) {
  return new Map([...records, ...batch.map(({ record }) => [record.name, record] as const)]);
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
  return { type: "save", incarnation: index + 1, members };
}
