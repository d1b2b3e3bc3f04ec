/** What was found out, as a table in Markdown. */
import type { Finding, Row, Target } from "./comparison.ts";
import { median, round } from "./statistics.ts";

const head = ["work", "ring", "peer", "ratio", "target", ""];

/** One line for each finding: medians, their ratio, and whether that is what it should be. */
export function formatTable(findings: readonly Finding[]): string {
  const lines = [head, head.map(() => "---"), ...findings.map(formatRow)];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Whether a figure is what it should be. */
export function isMet({ limit, value }: Target, figure: number): boolean {
  return limit === "most" ? figure <= value : figure >= value;
}

/** What counts of a finding: the ratio of the medians, or the median itself if there is no peer. */
export function figureOf({ row, ours, theirs }: Finding): number {
  return row.peer === undefined ? median(ours) : median(ours) / median(theirs);
}

function formatRow(finding: Finding): readonly string[] {
  const { row, ours, theirs, missing } = finding;
  const { work, peer, unit } = row;
  const wanted = formatTarget(row);
  if (missing !== undefined) return [work, "", peer ?? "", "", wanted, missing];
  const own = `${round(median(ours))} ${unit}`;
  if (peer === undefined) return [work, own, "", "", wanted, verdictOn(finding)];
  const other = `${peer}: ${round(median(theirs))} ${unit}`;
  return [work, own, other, `${formatRatio(figureOf(finding))}×`, wanted, verdictOn(finding)];
}

function formatTarget({ peer, unit, target }: Row): string {
  if (target === undefined) return "";
  const sign = target.limit === "most" ? "≤" : "≥";
  return peer === undefined ? `${sign} ${round(target.value)} ${unit}` : `${sign} ${target.value}×`;
}

function verdictOn(finding: Finding): string {
  const { target } = finding.row;
  if (target === undefined) return "";
  return isMet(target, figureOf(finding)) ? "met" : "**missed**";
}

/** Two digits that mean something, however small it is: 0.92, 13, 0.0041. */
function formatRatio(ratio: number): string {
  return ratio >= 10 ? `${Math.round(ratio)}` : ratio.toPrecision(ratio >= 1 ? 3 : 2);
}
