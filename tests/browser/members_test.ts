/** The list as the page merges it, against the ring's own core. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Member, memberStatuses } from "../../lib/ring/member.ts";
import { mergeMember } from "../../lib/ring/member.ts";
import { isLive, mergeLists, neighbour, shortNames } from "../../lib/web/page/members.js";
import { describeChange } from "../../lib/web/page/sentences.js";

/** Three servers on a circle: 4043, 4044, 4045. */
const circle: readonly Member[] = ["00", "40", "80"].map((position, index) => ({
  id: `${index}`.repeat(32),
  incarnation: 1,
  status: "alive",
  address: `127.0.1.1:${4043 + index}`,
  position,
}));

/** The circle after one of its servers has changed. */
function changed(index: number, change: Partial<Member>): readonly Member[] {
  return circle.map((member, at) => at === index ? { ...member, ...change } : member);
}

const member: fc.Arbitrary<Member> = fc.record({
  id: fc.constantFrom("a".repeat(32), "b".repeat(32), "c".repeat(32)),
  incarnation: fc.integer({ min: 1, max: 3 }),
  status: fc.constantFrom(...memberStatuses),
}).map((record) => ({ ...record, address: "127.0.1.1:4043", position: record.id.slice(0, 2) }));

Deno.test("mergeLists() holds of each server the record that the core would", () => {
  fc.assert(fc.property(fc.array(fc.array(member)), (lists) => {
    const best = new Map<string, Member>();
    for (const record of lists.flat()) {
      const known = best.get(record.id);
      best.set(record.id, known === undefined ? record : mergeMember(known, record));
    }
    const expected = [...best.values()].filter(({ status }) => status !== "forgotten")
      .toSorted((a, b) => a.position < b.position ? -1 : 1);
    assertEquals(mergeLists(lists), expected);
  }));
});

Deno.test("neighbour() passes over those that are gone", () => {
  const members = changed(1, { status: "dead" });
  assertEquals(neighbour(members, circle[0]!.id, 1)?.id, circle[2]!.id);
  assertEquals(neighbour(members, circle[2]!.id, -1)?.id, circle[0]!.id);
  const alone = members.map((member, index) => ({ ...member, status: index ? "dead" : "alive" }));
  assertEquals(neighbour(alone as readonly Member[], circle[0]!.id, 1), undefined);
  assertEquals(isLive(members[1]!), false);
});

Deno.test("shortNames() says no more than it takes to tell servers apart", () => {
  const names = (...addresses: readonly string[]) => [
    ...shortNames(addresses.map((address, index) => ({ ...circle[0]!, address, id: `${index}` })))
      .values(),
  ];
  assertEquals(names("127.0.1.1:4043", "127.0.1.1:4044"), ["4043", "4044"]);
  assertEquals(names("10.0.0.7:4043", "10.0.0.8:4043"), [".7", ".8"]);
  assertEquals(names("a.example:4043", "b.example:4043"), ["a", "b"]);
  assertEquals(names("10.0.0.7:1", "10.0.0.7:2", "10.0.0.8:1"), [
    ...["10.0.0.7:1", "10.0.0.7:2", "10.0.0.8:1"],
  ]);
});

const sentences: readonly [string, readonly Member[], readonly Member[], string][] = [
  [
    "a death",
    changed(1, { status: "dead" }),
    circle,
    "4044 stopped answering; 4043 now checks 4045.",
  ],
  [
    "a departure",
    changed(0, { status: "left" }),
    circle,
    "4043 left the ring; 4045 now checks 4044.",
  ],
  [
    "doubt",
    changed(2, { status: "suspect" }),
    circle,
    "4045 does not answer. The others ask it again.",
  ],
  ["relief", circle, changed(2, { status: "suspect" }), "4045 answers again."],
  [
    "a return",
    changed(1, { status: "joining", incarnation: 2 }),
    changed(1, { status: "dead" }),
    "4044 is back, and fetches what it has missed.",
  ],
  ["a full copy", circle, changed(1, { status: "joining" }), "4044 has every file now."],
  [
    "a newcomer",
    circle,
    circle.slice(0, 2),
    "4045 joined the ring after 4044, and fetches every file.",
  ],
];

for (const [what, members, previous, sentence] of sentences) {
  Deno.test(`describeChange() says ${what} in one sentence`, () => {
    assertEquals(describeChange(members, previous).map(({ text }) => text), [sentence]);
  });
}

Deno.test("describeChange() has nothing to say when nothing has changed", () => {
  assertEquals(describeChange(circle, circle), []);
});
