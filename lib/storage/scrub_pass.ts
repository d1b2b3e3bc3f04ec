/**
 * What the records that one pass of a scrub has come across come to, kept up to date as they change.
 *
 * A pass takes many steps, and between them records are written. One whose name the pass has left
 * behind is exchanged in its totals, one that is still ahead will be met. So at the end the totals are
 * those of all records, without ever having stopped the writes.
 */
import type { FileRecord } from "../ring/file_record.ts";
import { compareName } from "./name_order.ts";
import { noRecords, type RecordTotals, replaceRecord } from "./record_totals.ts";

/** How far a pass has come. Immutable, as totals are: a batch that is rolled back changes none. */
export interface ScrubPass {
  /** All names up to this one have been counted. */
  readonly upTo: string;
  readonly totals: RecordTotals;
}

/** The beginning of a pass. */
export const newPass: ScrubPass = { upTo: "", totals: noRecords };

/** The pass after it has come across more records, and has come to the name `upTo`. */
export function advancePass(
  pass: ScrubPass,
  { records, upTo }: { records: readonly FileRecord[]; upTo: string },
): ScrubPass {
  const totals = records.reduce(
    (totals, record) => replaceRecord(totals, { previous: undefined, record }),
    pass.totals,
  );
  return { upTo, totals };
}

/** The pass after a record was written. */
export function noteWrite(
  pass: ScrubPass | undefined,
  change: { previous: FileRecord | undefined; record: FileRecord },
): ScrubPass | undefined {
  if (pass === undefined || compareName(change.record.name, pass.upTo) > 0) return pass;
  return { ...pass, totals: replaceRecord(pass.totals, change) };
}
