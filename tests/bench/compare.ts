/** Runs comparisons in rounds, and prints what they found as a table in Markdown. */
import type { Comparison, Finding, Pair, Row } from "./comparison.ts";
import { describeMachine, loadAverage } from "./machine.ts";
import { installMissing, reasonMissing, versionOf } from "./peers/programs.ts";
import { formatTable } from "./table.ts";

/** A comparison, and what it has found so far. */
interface Course {
  readonly name: string;
  readonly comparison: Comparison;
  readonly rounds: number;
  /** Why it cannot be made. */
  readonly missing?: string;
  readonly pairs: Map<Row, Pair[]>;
  failures: number;
}

/**
 * Measures `comparisons`, by name, in rounds of all of them, so that what else the machine does meets
 * each of them. What it does goes to stderr, the table to stdout. Returns whether all of it could be
 * measured, but for what is not installed; what fails is reported, and the others go on.
 */
export async function compare(
  comparisons: ReadonlyMap<string, Comparison>,
  rounds: number,
): Promise<boolean> {
  const programs = new Set([...comparisons.values()].flatMap(({ programs }) => programs));
  await installMissing(programs);
  const loadBefore = loadAverage();
  const courses = [...comparisons].map(([name, comparison]) => prepare(name, comparison, rounds));
  for (let round = 0; round < rounds; round++) {
    for (const course of courses) {
      if (round >= course.rounds || course.missing !== undefined) continue;
      console.error(`${new Date().toISOString()} round ${round + 1} of ${rounds}: ${course.name}`);
      await measureOnce(course, round);
    }
  }
  const load = `load average ${loadBefore} before, ${loadAverage()} after`;
  print(courses, [
    `Medians of ${rounds} rounds; each ratio is that of the medians, ring to peer.`,
    `${describeMachine()}; ${load}.`,
    `Peers: ${await describeVersions(programs)}.`,
  ]);
  return courses.every(({ failures }) => failures === 0);
}

function prepare(name: string, comparison: Comparison, rounds: number): Course {
  const missing = reasonMissing(comparison.programs);
  return {
    name,
    comparison,
    rounds: Math.min(rounds, comparison.roundsMax ?? Infinity),
    ...(missing === undefined ? {} : { missing }),
    pairs: new Map(),
    failures: 0,
  };
}

async function measureOnce(course: Course, round: number): Promise<void> {
  try {
    for (const [row, pair] of await course.comparison.measure(round)) {
      course.pairs.set(row, [...course.pairs.get(row) ?? [], pair]);
    }
  } catch (error) {
    course.failures++;
    console.error(`${course.name} has failed:`, error);
  }
}

function print(courses: readonly Course[], sentences: readonly string[]): void {
  const findings = courses.flatMap((course) =>
    course.comparison.rows.map((row) => findingOf(row, course))
  );
  console.log(formatTable(findings));
  console.log(`\n${sentences.join(" ")}\n\nWhat exactly was compared:\n`);
  for (const { name, comparison, rounds } of courses) {
    const fewer = comparison.roundsMax === undefined ? "" : ` ${rounds} rounds, as it takes long.`;
    console.log(`- \`${name}\`: ${comparison.fairness}${fewer}`);
  }
  console.error("\nEach round, ours and the peer's:");
  for (const { row, ours, theirs } of findings) {
    const peer = row.peer === undefined ? "" : ` against ${row.peer}`;
    console.error(`${row.work}${peer}, ${row.unit}: ${list(ours)}; ${list(theirs)}`);
  }
}

function findingOf(row: Row, { rounds, missing, pairs, failures }: Course): Finding {
  const found = pairs.get(row) ?? [];
  const reason = missing ??
    (failures > 0 ? `failed in ${failures} of ${rounds} rounds` : undefined);
  return {
    row,
    ours: found.map(({ ours }) => ours),
    theirs: found.flatMap(({ theirs }) => theirs ?? []),
    ...(reason === undefined ? {} : { missing: reason }),
  };
}

async function describeVersions(programs: Iterable<string>): Promise<string> {
  const installed = [...programs].filter((name) => reasonMissing([name]) === undefined);
  const versions = installed.map(async (name) => `${name} ${await versionOf(name)}`);
  return (await Promise.all(versions)).join(", ") || "none";
}

function list(values: readonly number[]): string {
  return values.map((value) => value.toPrecision(4)).join(", ");
}
