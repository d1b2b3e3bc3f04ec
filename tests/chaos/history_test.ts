/** That the history finds what it is there to find, and nothing else. */
import { assertEquals } from "@std/assert";
import { History, type Operation } from "./history.ts";

const id = "0".repeat(32);

/** A stamp at that time. */
function stamp(time: number): string {
  return `${time.toString(16).padStart(12, "0")}-0000-${id}`;
}

/** What happens to the name "a", at server 0 unless told otherwise. */
type Step = Partial<Operation> & Pick<Operation, "type" | "outcome">;

interface Case {
  readonly name: string;
  readonly steps: readonly Step[];
  /** What "a" is at the end; absent if it is not asked for, `null` if there is none. */
  readonly final?: { readonly stamp: string; readonly sha256: string } | null;
  /** A part of the complaint, if there is to be one. */
  readonly complaint?: string;
}

const put1: Step = { type: "PUT", outcome: "done", sha256: "one", stamp: stamp(1), copies: 5 };
const put2: Step = { type: "PUT", outcome: "done", sha256: "two", stamp: stamp(2), copies: 1 };
const lostPut: Step = { type: "PUT", outcome: "unknown", sha256: "lost" };
const refusedPut: Step = { type: "PUT", outcome: "refused", sha256: "refused" };
const remove3: Step = { type: "DELETE", outcome: "done", stamp: stamp(3), copies: 5 };
const lostDelete: Step = { type: "DELETE", outcome: "unknown" };
const one = { stamp: stamp(1), sha256: "one" };

const cases: readonly Case[] = [
  { name: "the last acknowledged PUT stays", steps: [put1], final: one },
  { name: "a later PUT wins", steps: [put1, put2], final: { stamp: stamp(2), sha256: "two" } },
  { name: "a later PUT is lost", steps: [put1, put2], final: one, complaint: "older write" },
  { name: "a PUT is lost", steps: [put1], final: null, complaint: "is gone" },
  { name: "a deleted file stays away", steps: [put1, remove3], final: null },
  { name: "a deleted file is back", steps: [put1, remove3], final: one, complaint: "is back" },
  {
    name: "a PUT without an answer may have been done",
    steps: [put1, lostPut],
    final: { stamp: stamp(4), sha256: "lost" },
  },
  {
    name: "a PUT that was refused was done",
    steps: [put1, refusedPut],
    final: { stamp: stamp(4), sha256: "refused" },
    complaint: "was refused",
  },
  { name: "a DELETE without an answer may have been done", steps: [put1, lostDelete], final: null },
  {
    name: "other bytes have the stamp of a PUT",
    steps: [put1],
    final: { stamp: stamp(1), sha256: "other" },
    complaint: "not the bytes",
  },
  {
    name: "bytes come from nowhere",
    steps: [put1],
    final: { stamp: stamp(9), sha256: "other" },
    complaint: "nobody put",
  },
  { name: "two writes have one stamp", steps: [put1, put1], complaint: "stamp of another" },
  {
    name: "a write claims more copies than there are servers",
    steps: [{ ...put1, copies: 6 }],
    complaint: "6 copies",
  },
  {
    name: "a server shows an older write than it acknowledged",
    steps: [put1, put2, { type: "GET", outcome: "done", ...one }],
    complaint: "showed",
  },
  {
    name: "another server may show an older write than one that it never had",
    steps: [put1, put2, { type: "GET", outcome: "done", ...one, server: 1 }],
  },
  {
    name: "a server that has a copy finds nothing",
    steps: [put1, { type: "GET", outcome: "notFound", server: 4 }],
    complaint: "found nothing",
  },
  {
    name: "a server finds nothing after a DELETE",
    steps: [put1, remove3, { type: "GET", outcome: "notFound" }],
  },
  {
    name: "a GET that began before a PUT ended may find nothing",
    steps: [put1, { type: "GET", outcome: "notFound", start: 0.5 }],
  },
];
for (const { name, steps, final, complaint } of cases) {
  const verdict = complaint === undefined ? "is fine" : "is found";
  Deno.test(`History: ${name}, which ${verdict}`, () => {
    const complaints: string[] = [];
    const history = play(steps, (text) => complaints.push(text));
    if (final !== undefined) {
      const reason = history.judge("a", final ?? undefined);
      if (reason !== undefined) complaints.push(reason);
    }
    const isExpected = complaint === undefined
      ? complaints.length === 0
      : complaints.length === 1 && complaints[0]?.includes(complaint);
    assertEquals(isExpected, true, complaints.join("\n"));
  });
}

Deno.test("History: a server whose disk was wiped is bound by nothing that it had", () => {
  const complaints: string[] = [];
  const history = play([put1], (text) => complaints.push(text));
  history.wipe(0, 100);
  history.add(operation({ type: "GET", outcome: "notFound", start: 200 }, 0));
  assertEquals(complaints, []);
});

Deno.test("History: when the ring is whole again, no server may lack what was acknowledged", () => {
  const complaints: string[] = [];
  const history = play([put2], (text) => complaints.push(text));
  history.add(operation({ type: "GET", outcome: "notFound", server: 1, start: 50 }, 0));
  assertEquals(complaints, []);
  history.noteWhole(100);
  history.add(operation({ type: "GET", outcome: "notFound", server: 1, start: 200 }, 0));
  assertEquals(complaints.length, 1);
});

/** Adds one operation after the other, each taking a millisecond. */
function play(steps: readonly Step[], onViolation: (text: string) => void): History {
  const history = new History(5, onViolation);
  for (const [index, step] of steps.entries()) {
    if (step.type === "PUT") history.beginPut("a", step.sha256 ?? "");
    if (step.type === "DELETE") history.beginDelete("a");
    history.add(operation(step, index));
  }
  return history;
}

function operation(step: Step, index: number): Operation {
  return { name: "a", server: 0, start: index, end: index + 1, ...step };
}
