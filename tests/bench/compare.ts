/** Runs comparisons in rounds, and prints what they found as a table in Markdown. */
import type { Comparison, Finding, Pair, Row } from "./comparison.ts";
import { machineLine } from "./machine_line.ts";
import { installMissing, reasonMissing, versionOf } from "./peers/programs.ts";
import { formatTable } from "./table.ts";

/**
 * Measures `comparisons`, by name, in rounds of all of them, so that what else the machine does meets
 * each of them. What it does goes to stderr, the table to stdout.
 */
export async function compare(
  comparisons: ReadonlyMap<string, Comparison>,
  rounds: number,
): Promise<void> {
  const programs = new Set([...comparisons.values()].flatMap(({ programs }) => programs));
  await installMissing(programs);
  const found = new Map<Row, Pair[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, comparison] of comparisons) {
      if (round >= roundsOf(comparison, rounds)) continue;
      if (reasonMissing(comparison.programs) !== undefined) continue;
      console.error(`${new Date().toISOString()} round ${round + 1} of ${rounds}: ${name}`);
      for (const [row, pair] of await comparison.measure(round)) {
        found.set(row, [...found.get(row) ?? [], pair]);
      }
    }
  }
  const installed = [...programs].filter((name) => reasonMissing([name]) === undefined);
  const versions = await Promise.all(installed.map(async (name) => {
    return `${name} ${await versionOf(name)}`;
  }));
  print({ comparisons, found, rounds, versions });
}

function print(
  { comparisons, found, rounds, versions }: {
    readonly comparisons: ReadonlyMap<string, Comparison>;
    readonly found: ReadonlyMap<Row, readonly Pair[]>;
    readonly rounds: number;
    readonly versions: readonly string[];
  },
): void {
  const all = [...comparisons.values()];
  const findings = all.flatMap((comparison) =>
    comparison.rows.map((row) => findingOf(row, { comparison, pairs: found.get(row) ?? [] }))
  );
  console.log(formatTable(findings));
  console.log(`\nMedians of ${rounds} rounds; the ratio is that of the medians. ${machineLine()}`);
  if (versions.length > 0) console.log(`Peers: ${versions.join(", ")}.`);
  console.log("\nWhat exactly was compared:\n");
  for (const [name, comparison] of comparisons) {
    const own = roundsOf(comparison, rounds);
    const fewer = own < rounds ? ` (${own} rounds.)` : "";
    console.log(`- \`${name}\`: ${comparison.fairness}${fewer}`);
  }
  console.error("\nEach round, ours and the peer's:");
  for (const { row, ours, theirs } of findings) {
    const peer = row.peer === undefined ? "" : ` against ${row.peer}`;
    console.error(`${row.work}${peer}, ${row.unit}: ${list(ours)}; ${list(theirs)}`);
  }
}

function findingOf(
  row: Row,
  { comparison, pairs }: { readonly comparison: Comparison; readonly pairs: readonly Pair[] },
): Finding {
  const missing = reasonMissing(comparison.programs);
  return {
    row,
    ours: pairs.map(({ ours }) => ours),
    theirs: pairs.flatMap(({ theirs }) => theirs ?? []),
    ...(missing === undefined ? {} : { missing }),
  };
}

function roundsOf({ roundsMax = Infinity }: Comparison, rounds: number): number {
  return Math.min(rounds, roundsMax);
}

function list(values: readonly number[]): string {
  return values.map((value) => value.toPrecision(4)).join(", ");
}
