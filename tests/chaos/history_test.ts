/** That the history finds what it is there to find, and nothing else. */
import { assertEquals } from "@std/assert";
import { History, type Operation } from "./history.ts";

const id = "0".repeat(32);

/** A stamp at that time. */
function stamp(time: number): string {
  return `${time.toString(16).padStart(12, "0")}-0000-${id}`;
}

/** An operation on the name "a", at server 0 unless told otherwise. */
type Ask = Partial<Operation> & Pick<Operation, "type" | "outcome">;

/** What happens: an operation, or what the history is told of the servers, with the time. */
type Step = Ask | ((history: History, now: number) => void);

interface Case {
  readonly name: string;
  readonly steps: readonly Step[];
  /** What "a" is at the end; absent if it is not asked for, `null` if there is none. */
  readonly final?: { readonly stamp: string; readonly sha256: string } | null;
  /** A part of the complaint, if there is to be one. */
  readonly complaint?: string;
}

const put1: Ask = { type: "PUT", outcome: "done", sha256: "one", stamp: stamp(1), copies: 5 };
const put2: Ask = { type: "PUT", outcome: "done", sha256: "two", stamp: stamp(2), copies: 1 };
const lostPut: Ask = { type: "PUT", outcome: "unknown", sha256: "lost" };
const refusedPut: Ask = { type: "PUT", outcome: "refused", sha256: "refused" };
const remove3: Ask = { type: "DELETE", outcome: "done", stamp: stamp(3), copies: 5 };
const lostDelete: Ask = { type: "DELETE", outcome: "unknown" };
const one = { stamp: stamp(1), sha256: "one" };

const isWhole: Step = (history, now) => history.noteWhole(now);
const wipe0: Step = (history, now) => history.wipe(0, now);
/** Servers 0 to 2 hear each other, and so do 3 and 4. */
const isCut: Step = (history, now) => history.noteGroups([[0, 1, 2], [3, 4]], now);
const isHealed: Step = (history, now) => history.noteGroups(undefined, now);
const faultBegins: Step = (history, now) => history.noteFault({ divides: false }, now);
const cutBegins: Step = (history, now) => history.noteFault({ divides: true }, now);

/** Server 4 finds nothing. */
const missed: Ask = { type: "GET", outcome: "notFound", server: 4 };

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
    name: "a write claims more copies than there are servers on its side of a cut",
    steps: [isCut, { ...put1, copies: 4 }],
    complaint: "4 copies where 3 servers",
  },
  {
    name: "a write that began before a cut may have copies on both sides",
    steps: [isCut, { ...put1, copies: 5, start: -1 }],
  },
  {
    name: "a write has the copies that it can have again when a cut has healed",
    steps: [isCut, isHealed, { ...put1, copies: 5 }],
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
  {
    name: "a DELETE finds nothing where a copy was counted",
    steps: [put1, { type: "DELETE", outcome: "notFound", server: 4 }],
    complaint: "found nothing",
  },
  {
    name: "a server shows what nobody put",
    steps: [put1, { type: "GET", outcome: "done", stamp: stamp(9), sha256: "other" }],
    complaint: "nobody put",
  },
  {
    name: "an answer makes no sense",
    steps: [{ type: "GET", outcome: "broken", error: "wrong bytes" }],
    complaint: "what cannot be",
  },
  {
    name: "a server whose disk was wiped lacks what it had",
    steps: [put1, wipe0, { type: "GET", outcome: "notFound" }],
  },
  {
    name: "a server lacks what another acknowledged while the ring is not whole",
    steps: [put2, missed],
  },
  {
    name: "a server lacks what was acknowledged before the ring was whole",
    steps: [put2, isWhole, missed],
    complaint: "found nothing",
  },
  {
    name: "a server of the same side of a cut lacks a write that all of that side counted for",
    steps: [isCut, { ...put2, copies: 3 }, { ...missed, server: 2 }],
    complaint: "found nothing",
  },
  {
    name: "a server of the same side of a cut lacks a write that not all of that side counted for",
    steps: [isCut, { ...put2, copies: 2 }, { ...missed, server: 2 }],
  },
  {
    name: "a server of the other side of a cut lacks a write",
    steps: [isCut, { ...put2, copies: 3 }, missed],
  },
  {
    name: "a server lacks what was acknowledged in a fault that all could hear of",
    steps: [isWhole, faultBegins, put2, missed],
    complaint: "found nothing",
  },
  {
    name: "a server shows less than was acknowledged in a fault that all could hear of",
    steps: [put1, isWhole, faultBegins, put2, { ...missed, outcome: "done", ...one }],
    complaint: "showed",
  },
  {
    name: "a server lacks what was acknowledged in a fault that divides the ring",
    steps: [isWhole, cutBegins, put2, missed],
  },
  {
    name: "a server lacks what was acknowledged in a fault when the next begins",
    steps: [isWhole, faultBegins, put2, faultBegins, missed],
  },
  {
    name: "a server lacks what was acknowledged in a fault that began when the ring was not whole",
    steps: [isWhole, cutBegins, faultBegins, put2, missed],
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

/** Takes one step after the other, each a millisecond long. */
function play(steps: readonly Step[], onViolation: (text: string) => void): History {
  const history = new History(5, onViolation);
  for (const [index, step] of steps.entries()) {
    if (typeof step === "function") {
      step(history, index);
      continue;
    }
    if (step.type === "PUT") history.beginPut("a", step.sha256 ?? "");
    if (step.type === "DELETE") history.beginDelete("a");
    const times = { start: index + 0.1, end: index + 0.9 };
    history.add({ name: "a", server: 0, ...times, ...step });
  }
  return history;
}
