import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { isLive, type Member, membersMax } from "../../lib/ring/member.ts";
import { Membership } from "../../lib/ring/membership.ts";
import { positionBetween } from "../../lib/ring/position.ts";
import {
  arbitraryMember,
  idOf,
  idOfNumber,
  memberOf,
  type Name,
  nameOf,
  sha256,
} from "./sample.ts";

function membershipOf(records: readonly Member[], self: Name = "A"): Membership {
  const membership = new Membership(idOf(self), sha256);
  membership.merge(records);
  return membership;
}

function namesOf(members: readonly Member[]): string {
  return members.map((member) => nameOf(member.id) ?? member.id).join(" ");
}

/** Records, and the same in another order with some of them repeated. */
function arbitraryShuffle(): fc.Arbitrary<[Member[], Member[]]> {
  return fc.array(arbitraryMember(), { maxLength: 12 }).chain((records) =>
    fc.tuple(
      fc.constant(records),
      fc.tuple(
        fc.shuffledSubarray(records, { minLength: records.length }),
        fc.subarray(records),
      ).map(([all, some]) => [...all, ...some]),
    )
  );
}

Deno.test("merge() makes one list of records in any order, with any repetition", () => {
  fc.assert(fc.property(arbitraryShuffle(), ([records, shuffled]) => {
    const [one, other] = [membershipOf(records), membershipOf([])];
    for (const record of shuffled) other.merge([record]);
    assertEquals(other.all, one.all);
    assertEquals(other.digest, one.digest);
  }));
});

Deno.test("merge() of two lists is the same on both sides", () => {
  const list = () => fc.array(arbitraryMember(), { maxLength: 8 });
  fc.assert(fc.property(list(), list(), (a, b) => {
    const [here, there] = [membershipOf(a), membershipOf(b)];
    const told = here.all;
    here.merge(there.all);
    there.merge(told);
    assertEquals(here.all, there.all);
  }));
});

Deno.test("merge() takes over only a greater incarnation or status, and says whether it did", () => {
  const membership = membershipOf([memberOf("B", { incarnation: 2, status: "suspect" })]);
  const cases: readonly [Partial<Member>, boolean][] = [
    [{ incarnation: 1, status: "left" }, false],
    [{ incarnation: 2, status: "alive" }, false],
    [{ incarnation: 2, status: "suspect" }, false],
    [{ incarnation: 2, status: "dead" }, true],
    [{ incarnation: 3, status: "joining" }, true],
  ];
  for (const [changes, isTaken] of cases) {
    const before = membership.version;
    assertEquals(membership.merge([memberOf("B", changes)]), isTaken);
    assertEquals(membership.version, before + (isTaken ? 1 : 0));
  }
  assertEquals(membership.get(idOf("B")), memberOf("B", { incarnation: 3, status: "joining" }));
});

Deno.test("merge() counts one change for a list of many", () => {
  const membership = membershipOf([]);
  assert(membership.merge([memberOf("A"), memberOf("B"), memberOf("C")]));
  assertEquals(membership.version, 1);
});

Deno.test("digest is equal when the lists are, and only then", () => {
  const list = () => fc.array(arbitraryMember(), { maxLength: 3 });
  fc.assert(fc.property(list(), list(), (a, b) => {
    const [one, other] = [membershipOf(a), membershipOf(b, "B")];
    const isSame = JSON.stringify(sortedEntries(one)) === JSON.stringify(sortedEntries(other));
    assertEquals(one.digest === other.digest, isSame);
  }));
  function sortedEntries(membership: Membership) {
    return membership.all.map((member) => Object.entries(member).sort());
  }
});

Deno.test("digest changes with every field of a record", () => {
  const before = membershipOf([memberOf("B")]).digest;
  const changes: readonly Partial<Member>[] = [
    { incarnation: 2 },
    { status: "dead" },
    { address: "10.0.0.2:4044" },
    { web: "http://10.0.0.1:1/" },
    { position: "21" },
  ];
  for (const change of changes) {
    assertNotEquals(membershipOf([memberOf("B", change)]).digest, before);
  }
});

Deno.test("all is every record by position, then id, dead ones included", () => {
  const records = [
    memberOf("D", { position: "00" }),
    memberOf("C", { position: "40", status: "dead" }),
    memberOf("B", { position: "40" }),
    memberOf("A", { position: "4001" }),
  ];
  assertEquals(namesOf(membershipOf(records).all), "D B C A");
});

Deno.test("circle is the live members from this server on, wrapped round", () => {
  const records = [
    memberOf("A"),
    memberOf("B", { status: "dead" }),
    memberOf("C", { status: "suspect" }),
    memberOf("D", { status: "left" }),
    memberOf("E", { status: "joining" }),
  ];
  const membership = membershipOf(records, "C");
  assertEquals(namesOf(membership.circle), "C E A");
  assertEquals(namesOf(membership.others), "E A");
  assertEquals(membership.successor?.id, idOf("E"));
  assertEquals(namesOf(membership.fromSelf), "C D E A B");
});

Deno.test("circle is what a naive sort of the live records makes", () => {
  fc.assert(fc.property(fc.array(arbitraryMember(), { maxLength: 12 }), (records) => {
    const membership = membershipOf(records);
    const live = membership.all.filter(isLive).map((member) => member.id);
    const at = live.indexOf(idOf("A"));
    const expected = at < 0 ? [] : [...live.slice(at), ...live.slice(0, at)];
    assertEquals(membership.circle.map((member) => member.id), expected);
  }));
});

Deno.test("circle is empty while this server is not on the list, is dead or has left", () => {
  assertEquals(membershipOf([memberOf("B")]).circle, []);
  for (const status of ["dead", "left"] as const) {
    assertEquals(membershipOf([memberOf("A", { status }), memberOf("B")]).circle, []);
  }
});

Deno.test("others are the live members still when this server has left: it has to finish", () => {
  const left = memberOf("A", { status: "left" });
  const membership = membershipOf([left, memberOf("B"), memberOf("C", { status: "dead" })]);
  assertEquals(namesOf(membership.others), "B");
  assertEquals(membership.successor?.id, idOf("B"));
});

Deno.test("a server that is alone has no successor", () => {
  const membership = membershipOf([memberOf("A"), memberOf("B", { status: "dead" })]);
  assertEquals(namesOf(membership.circle), "A");
  assertEquals(membership.successor, undefined);
});

Deno.test("two servers see one circle, each from itself on", () => {
  const records = [memberOf("A"), memberOf("B"), memberOf("C")];
  assertEquals(namesOf(membershipOf(records, "A").circle), "A B C");
  assertEquals(namesOf(membershipOf(records, "B").circle), "B C A");
  assertEquals(namesOf(membershipOf(records, "C").circle), "C A B");
});

Deno.test("positionAfter() is the next greater position, dead members included, equal ones not", () => {
  const membership = membershipOf([
    memberOf("A", { position: "00" }),
    memberOf("B", { position: "00" }),
    memberOf("C", { position: "40", status: "dead" }),
    memberOf("D", { position: "80" }),
  ]);
  assertEquals(membership.positionAfter("00"), "40");
  assertEquals(membership.positionAfter("40"), "80");
  assertEquals(membership.positionAfter("80"), undefined);
});

Deno.test("two servers inserted after one member at the same time merge to one order", () => {
  const first = memberOf("A");
  const [here, there] = [membershipOf([first]), membershipOf([first], "B")];
  const gap = { low: first.position, high: undefined };
  const newcomer = (name: Name) =>
    memberOf(name, { position: positionBetween(gap, idOf(name)) ?? "" });
  here.merge([newcomer("C")]);
  there.merge([newcomer("D")]);
  const told = here.all;
  here.merge(there.all);
  there.merge(told);
  assertEquals(here.all, there.all);
  assertEquals(here.all.length, 3);
});

Deno.test("merge() holds at most membersMax records, and still updates those that it has", () => {
  const record = (n: number) => memberOf("B", { id: idOfNumber(n) });
  const membership = membershipOf(Array.from({ length: membersMax }, (_, n) => record(n)));
  assertEquals(membership.all.length, membersMax);
  assertEquals(membership.merge([record(membersMax)]), false);
  assertEquals(membership.get(idOfNumber(membersMax)), undefined);
  assertEquals(membership.merge([{ ...record(0), status: "dead" }]), true);
  assertEquals(membership.get(idOfNumber(0))?.status, "dead");
});
