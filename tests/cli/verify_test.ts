/** What `ring client --verify` says. */
import { assertEquals } from "@std/assert";
import { findProblems, verdictText } from "../../lib/cli/verify_action.ts";
import type { Standing, Verdict } from "../../lib/client/verification.ts";
import type { Member } from "../../lib/ring/member.ts";

const sound = { checked: 1204, damaged: [], damagedCount: 0, lost: [], lostCount: 0 };
const names = ["a", "b", "c", "d", "e", "f", "g"];

const texts: [Verdict, string][] = [
  [verified(sound), "1,204 records, all as they were stored"],
  [verified({ ...sound, checked: 1 }), "1 record, as it was stored"],
  [
    verified({ ...sound, damaged: ["a.html"], damagedCount: 1 }),
    '1,204 records; 1 damaged and repaired: "a.html"',
  ],
  [
    verified({ ...sound, damaged: ["a", "b"], damagedCount: 2, lost: ["b"], lostCount: 1 }),
    '1,204 records; 1 damaged and repaired: "a"; 1 damaged and lost: "b"',
  ],
  [
    verified({ ...sound, damaged: ["b"], damagedCount: 1, lost: ["b"], lostCount: 1 }),
    '1,204 records; 1 damaged and lost: "b"',
  ],
  [
    verified({ ...sound, damaged: names, damagedCount: 1000 }),
    '1,204 records; 1,000 damaged and repaired: "a", "b", "c", "d", "e" and 995 more',
  ],
  // The damage was to the name itself.
  [verified({ ...sound, damagedCount: 1 }), "1,204 records; 1 damaged and repaired"],
  [{ outcome: "gone", member: member(1, "dead") }, "dead, and not verified"],
  [{ outcome: "failed", member: member(1), reason: "Cannot reach it" }, "not verified"],
];
for (const [verdict, text] of texts) {
  Deno.test(`verdictText() says: ${text}`, () => {
    assertEquals(verdictText(verdict), text);
  });
}

Deno.test("findProblems() finds none in a ring that is sound, whatever was repaired", () => {
  const verdicts = [
    verified(sound),
    verified({ ...sound, damaged: ["a"], damagedCount: 1 }, member(2)),
  ];
  const members = [member(1), member(2)];
  assertEquals(findProblems(verdicts, [standing(1, { members }), standing(2, { members })]), []);
});

const problems: { what: string; verdicts: Verdict[]; standings: Standing[]; says: string }[] = [
  {
    what: "a server that is still to be inserted",
    verdicts: [],
    standings: [],
    says: "The server is in no ring yet: run --verify again",
  },
  {
    what: "a server that is dead",
    verdicts: [verified(sound), { outcome: "gone", member: member(2, "dead") }],
    standings: [standing(1, { members: [member(1), member(2, "dead")] })],
    says: "10.0.0.2:4043 is dead, and may have lost files: start it again, or have the ring " +
      "forget it (--forget 22222222)",
  },
  {
    what: "a server that was not verified",
    verdicts: [{ outcome: "failed", member: member(1), reason: "Cannot reach it" }],
    standings: [],
    says: "10.0.0.1:4043 was not verified, so run --verify again: Cannot reach it",
  },
  {
    what: "a file that is lost",
    verdicts: [
      verified({ ...sound, damaged: ["a"], damagedCount: 1, lost: ["a"], lostCount: 1 }),
    ],
    standings: [standing(1, { members: [member(1)] })],
    says: "10.0.0.1:4043 has lost 1 file, and no other server could give what was there: run " +
      '--verify again, or put again: "a"',
  },
  {
    what: "a server that does not answer any more",
    verdicts: [verified(sound)],
    standings: [{ member: member(1), reason: "Cannot reach it" }],
    says: "10.0.0.1:4043 does not answer any more, so run --verify again: Cannot reach it",
  },
  {
    what: "a server that has come meanwhile",
    verdicts: [verified(sound)],
    standings: [standing(1, { members: [member(1), member(2)] })],
    says: "10.0.0.2:4043 has come meanwhile, so run --verify again",
  },
  {
    what: "a server that another one does not reach",
    verdicts: [verified(sound), verified(sound, member(2))],
    standings: [
      standing(1, { members: [member(1), member(2, "dead")] }),
      standing(2, { members: [member(1), member(2)] }),
    ],
    says: "10.0.0.2:4043 is dead, says 10.0.0.1:4043: run --verify again",
  },
  {
    what: "servers that differ",
    verdicts: [verified(sound), verified(sound, member(2))],
    standings: [
      standing(1, { members: [member(1), member(2)] }),
      standing(2, { members: [member(1), member(2)], digest: "1" }),
    ],
    says: "The servers differ: those that lack something fetch it from the others, so run " +
      "--verify again later, and when no files are written",
  },
];
for (const { what, verdicts, standings, says } of problems) {
  Deno.test(`findProblems() says what to do about ${what}`, () => {
    assertEquals(findProblems(verdicts, standings), [says]);
  });
}

function verified(
  found: Extract<Verdict, { outcome: "verified" }>["found"],
  of: Member = member(1),
): Verdict {
  return { outcome: "verified", member: of, found };
}

function member(number: number, status: Member["status"] = "alive"): Member {
  const id = `${number}`.repeat(32);
  return { id, incarnation: 1, status, address: `10.0.0.${number}:4043`, position: "80" };
}

function standing(
  number: number,
  { members, digest = "0" }: { members: readonly Member[]; digest?: string },
): Standing {
  const { id, address } = member(number);
  return {
    member: member(number),
    status: {
      type: "STATUS",
      status: 200,
      version: "test",
      id,
      address,
      members,
      files: 0,
      bytes: 0,
      digest: digest.repeat(64),
    },
  };
}
