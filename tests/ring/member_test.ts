import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  compareMember,
  compareText,
  isLive,
  type Member,
  mergeMember,
} from "../../lib/ring/member.ts";
import { arbitraryMember, memberOf } from "./sample.ts";

const oneMember = () => arbitraryMember().map((member) => ({ ...member, id: "a".repeat(32) }));

interface Case {
  readonly rule: string;
  readonly less: Partial<Member>;
  readonly greater: Partial<Member>;
}

const cases: readonly Case[] = [
  {
    rule: "a higher incarnation over a worse status",
    less: { incarnation: 1, status: "left" },
    greater: { incarnation: 2, status: "joining" },
  },
  { rule: "alive over joining", less: { status: "joining" }, greater: { status: "alive" } },
  { rule: "suspect over alive", less: { status: "alive" }, greater: { status: "suspect" } },
  { rule: "dead over suspect", less: { status: "suspect" }, greater: { status: "dead" } },
  { rule: "left over dead", less: { status: "dead" }, greater: { status: "left" } },
  { rule: "the greater position in a tie", less: { position: "20" }, greater: { position: "40" } },
  {
    rule: "the greater address in a tie",
    less: { address: "10.0.0.1:1" },
    greater: { address: "10.0.0.1:2" },
  },
  { rule: "a web front over none in a tie", less: {}, greater: { web: "http://10.0.0.1:1/" } },
];

for (const { rule, less, greater } of cases) {
  Deno.test(`mergeMember() prefers ${rule}`, () => {
    const [low, high] = [memberOf("A", less), memberOf("A", greater)];
    assert(compareMember(low, high) < 0);
    assert(compareMember(high, low) > 0);
    assertEquals(mergeMember(low, high), high);
    assertEquals(mergeMember(high, low), high);
  });
}

Deno.test("compareMember() is 0 for records that say the same, and only for those", () => {
  fc.assert(fc.property(oneMember(), oneMember(), (a, b) => {
    const isSame = JSON.stringify(Object.entries(a).sort()) ===
      JSON.stringify(Object.entries(b).sort());
    assertEquals(compareMember(a, b) === 0, isSame);
  }));
});

Deno.test("compareMember() is antisymmetric", () => {
  fc.assert(fc.property(oneMember(), oneMember(), (a, b) => {
    assertEquals(Math.sign(compareMember(a, b)) + Math.sign(compareMember(b, a)), 0);
  }));
});

Deno.test("compareMember() is transitive", () => {
  fc.assert(fc.property(oneMember(), oneMember(), oneMember(), (a, b, c) => {
    const isAscending = compareMember(a, b) <= 0 && compareMember(b, c) <= 0;
    assert(!isAscending || compareMember(a, c) <= 0);
  }));
});

Deno.test("mergeMember() is commutative", () => {
  fc.assert(fc.property(oneMember(), oneMember(), (a, b) => {
    assertEquals(mergeMember(a, b), mergeMember(b, a));
  }));
});

Deno.test("mergeMember() is associative", () => {
  fc.assert(fc.property(oneMember(), oneMember(), oneMember(), (a, b, c) => {
    assertEquals(mergeMember(mergeMember(a, b), c), mergeMember(a, mergeMember(b, c)));
  }));
});

Deno.test("mergeMember() is idempotent", () => {
  fc.assert(fc.property(oneMember(), oneMember(), (a, b) => {
    const merged = mergeMember(a, b);
    assertEquals(mergeMember(merged, merged), merged);
    assertEquals(mergeMember(merged, a), merged);
  }));
});

Deno.test("isLive() counts joining, alive and suspect members, not dead ones and those that left", () => {
  const live = { joining: true, alive: true, suspect: true, dead: false, left: false } as const;
  for (const status of ["joining", "alive", "suspect", "dead", "left"] as const) {
    assertEquals(isLive(memberOf("A", { status })), live[status], status);
  }
});

Deno.test("compareText() orders by UTF-16 code unit, whatever the locale", () => {
  const words = ["a", "Z", "ä", "", "z", "aa", "\u{1f600}", "\uffff"];
  assertEquals([...words].sort(compareText), ["", "Z", "a", "aa", "z", "ä", "\u{1f600}", "\uffff"]);
  assertEquals(compareText("same", "same"), 0);
});
