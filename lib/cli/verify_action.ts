/** `ring client --verify`: every server checks all that it holds, and all of them are compared. */
import type { ConnectOptions } from "../client/client.ts";
import {
  areEqual,
  compareMembers,
  type Standing,
  type Verdict,
  verifyMember,
} from "../client/verification.ts";
import { quoteText } from "../protocol/quote.ts";
import type { Member } from "../ring/member.ts";
import { exitCode } from "./exit_code.ts";
import { failureJson } from "./failure.ts";
import { countText, numberText } from "./output.ts";
import type { Outcome, Session } from "./session.ts";

/** How many names are shown of those that a server found damaged. */
const namesShownMax = 5;

/** Verifies the ring of the server that is asked: says of each server what it found. */
export async function verifyRing(session: Session): Promise<Outcome> {
  const options = await session.connectOptions();
  const { members } = await session.ask((client) => client.status());
  const verdicts = await verifyAll(session, { members, options });
  const verified = verdicts.filter(({ outcome }) => outcome === "verified");
  const standings = await compareMembers(verified.map(({ member }) => member), options);
  const problems = findProblems(verdicts, standings);
  const json = {
    command: "verify",
    equal: verified.length === members.length && areEqual(standings),
    servers: verdicts.map(verdictJson),
  };
  if (problems.length === 0) {
    session.print(equalText(members.length));
    return { exitCode: exitCode.done, json };
  }
  for (const problem of problems) session.note(problem);
  const message = problems.join("; ");
  const error = failureJson({ kind: "failed", message, exitCode: exitCode.failed });
  return { exitCode: exitCode.failed, json: { ...json, error } };
}

/** Has all members verify at the same time; says what each found, in the order of the circle. */
async function verifyAll(
  session: Session,
  { members, options }: { members: readonly Member[]; options: ConnectOptions },
): Promise<Verdict[]> {
  const pending = members.map((member) => verifyMember(member, options));
  // One that fails before its turn below is no failure that nobody handles.
  for (const verdict of pending) verdict.catch(() => {});
  const width = Math.max(...members.map(({ address }) => address.length));
  const verdicts: Verdict[] = [];
  for (const next of pending) {
    const verdict = await next;
    verdicts.push(verdict);
    session.print(`${verdict.member.address.padEnd(width)}   ${verdictText(verdict)}`);
  }
  return verdicts;
}

/** What became of one server, after its address. */
export function verdictText(verdict: Verdict): string {
  if (verdict.outcome === "gone") return `${verdict.member.status}, and not verified`;
  if (verdict.outcome === "failed") return "not verified";
  const { checked, damaged, damagedCount, lost, lostCount } = verdict.found;
  const records = countText(checked, ["record", "records"]);
  if (damagedCount === 0) {
    return `${records}, ${checked === 1 ? "as it was stored" : "all as they were stored"}`;
  }
  const repaired = damaged.filter((name) => !lost.includes(name));
  const repairedCount = damagedCount - lostCount;
  return [
    records,
    ...(repairedCount === 0
      ? []
      : [`${numberText(repairedCount)} damaged and repaired${namesText(repaired, repairedCount)}`]),
    ...(lostCount === 0
      ? []
      : [`${numberText(lostCount)} damaged and lost${namesText(lost, lostCount)}`]),
  ].join("; ");
}

/** What keeps the ring from being sound, each in one sentence that says what to do about it. */
export function findProblems(
  verdicts: readonly Verdict[],
  standings: readonly Standing[],
): string[] {
  if (verdicts.length === 0) return ["The server is in no ring yet: run --verify again"];
  const known = new Set(verdicts.map(({ member }) => member.id));
  return [
    ...verdicts.flatMap(verdictProblems),
    ...standings.flatMap((standing) => standingProblems(standing, { known, standings })),
    ...(areEqual(standings.filter((standing) => "status" in standing)) ? [] : [
      "The servers differ: those that lack something fetch it from the others, so run --verify " +
      "again later, and when no files are written",
    ]),
  ];
}

function verdictProblems(verdict: Verdict): string[] {
  const { address, id, status } = verdict.member;
  switch (verdict.outcome) {
    case "gone":
      return [
        `${address} is ${status}, and may have lost files: start it again, or have the ring forget ` +
        `it (--forget ${id.slice(0, 8)})`,
      ];
    case "failed":
      return [`${address} was not verified, so run --verify again: ${verdict.reason}`];
    case "verified": {
      const { lost, lostCount } = verdict.found;
      if (lostCount === 0) return [];
      return [
        `${address} has lost ${
          countText(lostCount, ["file", "files"])
        }, and no other server could ` +
        `give what was there: run --verify again, or put again${namesText(lost, lostCount)}`,
      ];
    }
  }
}

function standingProblems(
  standing: Standing,
  { known, standings }: { known: ReadonlySet<string>; standings: readonly Standing[] },
): string[] {
  const { address } = standing.member;
  if (!("status" in standing)) {
    return [`${address} does not answer any more, so run --verify again: ${standing.reason}`];
  }
  const compared = new Set(standings.map(({ member }) => member.id));
  const problems = [];
  for (const other of standing.status.members) {
    if (!known.has(other.id)) {
      problems.push(`${other.address} has come meanwhile, so run --verify again`);
    } else if (compared.has(other.id) && other.status !== "alive") {
      problems.push(`${other.address} is ${other.status}, says ${address}: run --verify again`);
    }
  }
  return problems;
}

/** Names after what is said of them; nothing if there are none. */
function namesText(names: readonly string[], count: number): string {
  if (names.length === 0) return "";
  const shown = names.slice(0, namesShownMax).map(quoteText).join(", ");
  const more = count - Math.min(names.length, namesShownMax);
  return more === 0 ? `: ${shown}` : `: ${shown} and ${numberText(more)} more`;
}

function equalText(count: number): string {
  return count === 1 ? "This is the only server of its ring." : `All ${count} servers are equal.`;
}

function verdictJson(verdict: Verdict): Record<string, unknown> {
  const { address, id } = verdict.member;
  switch (verdict.outcome) {
    case "gone":
      return { address, id, verified: false, error: `it is ${verdict.member.status}` };
    case "failed":
      return { address, id, verified: false, error: verdict.reason };
    case "verified":
      return { address, id, verified: true, ...verdict.found };
  }
}
