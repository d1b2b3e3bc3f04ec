/**
 * What the records that one pass of a scrub has come across come to, kept up to date as they change.
 *
 * A pass takes many steps, and between them records are written. One whose name the pass has left
 * behind is exchanged in its totals, one that is still ahead will be met. So at the end the totals are
 * those of all records, without ever having stopped the writes.
 */
import type { FileRecord } from "../ring/file_record.ts";
import { compareName } from "./name_order.ts";
import { changeTotals, noRecords, type RecordChange, type RecordTotals } from "./record_totals.ts";

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
  const changes = records.map((record) => ({ name: record.name, previous: undefined, record }));
  return { upTo, totals: changeTotals(pass.totals, changes) };
}

/** The pass after records have changed. */
export function noteChanges(pass: ScrubPass, changes: readonly RecordChange[]): ScrubPass {
  const counted = changes.filter(({ name }) => compareName(name, pass.upTo) <= 0);
  return counted.length === 0 ? pass : { ...pass, totals: changeTotals(pass.totals, counted) };
}
