import { assertEquals } from "@std/assert";
import { Circles } from "../../lib/ring/circles.ts";
import type { MemberId, MemberStatus } from "../../lib/ring/member.ts";
import { Roster } from "../../lib/ring/roster.ts";
import { PartHarness } from "./part_harness.ts";
import { idOf, memberOf } from "./sample.ts";

/** The roster of A, in a ring with B. */
class RosterHarness extends PartHarness {
  readonly roster: Roster;
  readonly heldGoneBy: MemberId[] = [];

  constructor(status: MemberStatus = "alive") {
    super(memberOf("A", { status }), memberOf("B"));
    const { clock, effects, membership } = this;
    const self = idOf("A");
    const onReturn = () => {};
    const circles = new Circles({ self, boot: "boot-A", membership, effects, clock, onReturn });
    this.roster = new Roster({
      self,
      membership,
      circles,
      effects,
      incarnation: 1,
      web: undefined,
      onHeldGone: (by) => this.heldGoneBy.push(by),
    });
  }

  lapse(settledAt?: number): void {
    this.step(() => this.roster.lapse(settledAt));
  }

  hear(status: MemberStatus, incarnation = 1): void {
    this.step(() => this.roster.merge([memberOf("A", { status, incarnation })], idOf("B")));
  }
}

Deno.test("lapse() makes a server that is alive joining, with a raised incarnation, and says so", () => {
  const harness = new RosterHarness();
  harness.lapse();
  assertEquals(harness.membership.self, memberOf("A", { incarnation: 2, status: "joining" }));
  const [update] = harness.takeSent("UPDATE");
  assertEquals(update?.members[0], harness.membership.self);
  assertEquals(harness.roster.lapses, 1);
});

Deno.test("lapse() is counted while a server is joining, and says nothing new", () => {
  const harness = new RosterHarness("joining");
  harness.lapse();
  harness.lapse();
  assertEquals(harness.membership.self, memberOf("A", { status: "joining" }));
  assertEquals(harness.takeSent("UPDATE"), []);
  assertEquals(harness.roster.lapses, 2);
});

Deno.test("lapse() does not bring a server back that has left", () => {
  const harness = new RosterHarness("left");
  harness.lapse();
  assertEquals(harness.membership.self?.status, "left");
});

Deno.test("unsettledUntil is the latest time by which a missed write is settled", () => {
  const harness = new RosterHarness();
  const times = [undefined, 9000, 5000, undefined, 9500].map((settledAt) => {
    harness.lapse(settledAt);
    return harness.roster.unsettledUntil;
  });
  assertEquals(times, [-Infinity, 9000, 9000, 9000, 9500]);
});

Deno.test("a server that was held dead, or gone, has lapsed; one that was suspected has not", () => {
  const cases: readonly [MemberStatus, number][] = [
    ["suspect", 0],
    ["dead", 1],
    ["left", 1],
    ["forgotten", 1],
  ];
  for (const [status, lapses] of cases) {
    for (const own of ["alive", "joining"] as const) {
      const harness = new RosterHarness(own);
      harness.hear(status);
      assertEquals(harness.roster.lapses, lapses, `${own} heard ${status}`);
      assertEquals(harness.heldGoneBy, lapses === 0 ? [] : [idOf("B")]);
    }
  }
});

Deno.test("a server that hears the same verdict twice has lapsed once", () => {
  const harness = new RosterHarness();
  harness.hear("dead");
  harness.hear("dead");
  assertEquals(harness.roster.lapses, 1);
});

Deno.test("becomeAlive() does not take a lapse back", () => {
  const harness = new RosterHarness();
  harness.lapse(9000);
  harness.step(() => harness.roster.becomeAlive());
  assertEquals(harness.membership.self, memberOf("A", { incarnation: 2 }));
  assertEquals([harness.roster.lapses, harness.roster.unsettledUntil], [1, 9000]);
});
