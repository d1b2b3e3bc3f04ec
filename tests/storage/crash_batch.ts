/** What `crash_child.ts` writes and `crash_test.ts` looks for. */
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import type { RecordWrite } from "../../lib/ring/step.ts";
import { bytesOf, inline, recordOf } from "./sample.ts";

const largeEvery = 8;

/** The large body of the `n`th batch, if it has one. */
export function largeBodyAt(n: number): Uint8Array | undefined {
  return n % largeEvery === 0 ? bytesOf(inlineBytesMax + 1 + n, n) : undefined;
}

/** The `n`th batch: one to four new names, and one that every batch replaces. */
export function batchAt(n: number): RecordWrite[] {
  const large = largeBodyAt(n);
  return [
    inline("newest", { stamp: n + 1, body: bytesOf(100, n) }),
    ...Array.from({ length: 1 + n % 4 }, (_, i) => inline(`${n}/${i}`, { body: bytesOf(50, i) })),
    ...(large === undefined ? [] : [{ record: recordOf(`${n}/large`, { body: large }) }]),
  ];
}
