import { assertEquals } from "@std/assert";
import type { Member, MemberStatus } from "../../lib/ring/member.ts";
import { missedRetryMs, missedTellsMax, Returns } from "../../lib/ring/returns.ts";
import { PartHarness } from "./part_harness.ts";
import { idOf, memberOf, type Name, nameOf } from "./sample.ts";

/** Who comes back to A, which begins with these members in its list. */
class ReturnsHarness extends PartHarness {
  readonly returns: Returns;

  constructor(...members: Member[]) {
    super(...members);
    const { effects, membership } = this;
    this.returns = new Returns({ self: idOf("A"), membership, effects });
    this.step(() => this.returns.settle());
  }

  /** The list says this of a member; returns who is told that it has missed something. */
  hear(name: Name, status: MemberStatus, incarnation = 1): string {
    this.membership.merge([memberOf(name, { status, incarnation })]);
    this.step(() => this.returns.settle());
    return this.told();
  }

  wake(milliseconds: number): string {
    this.step(() => this.returns.wake(), milliseconds);
    return this.told();
  }

  told(): string {
    return this.takeSent("MISSED").map(({ to }) => nameOf(to)).join(" ");
  }
}

const joining = memberOf("A", { status: "joining" });

/** A has started again in a ring of three, and is alive. */
function alive(status: MemberStatus = "alive"): ReturnsHarness {
  const harness = new ReturnsHarness(joining, memberOf("B", { status }), memberOf("C"));
  harness.hear("A", "alive");
  return harness;
}

for (const gone of ["dead", "left", "forgotten"] as const) {
  for (const back of ["joining", "alive", "suspect"] as const) {
    Deno.test(`a member that was ${gone}, and is ${back}, is told that it has missed writes`, () => {
      const harness = alive();
      assertEquals(harness.hear("B", gone), "");
      assertEquals(harness.hear("B", back, 2), "B");
    });
  }
}

Deno.test("a member that is asked to compare is told again that it has missed writes", () => {
  const harness = alive();
  harness.hear("B", "dead");
  assertEquals(harness.hear("B", "alive", 2), "B");
  const remind = (milliseconds: number) => {
    harness.step(() => harness.returns.remind(idOf("B")), milliseconds);
    return harness.told();
  };
  assertEquals(remind(0), "", "in the step in which it was told");
  assertEquals(remind(10), "B");
  harness.step(() => harness.returns.handleCompare(idOf("B")));
  assertEquals(remind(10), "", "it compares already");
});

Deno.test("a member that was never gone is told nothing", () => {
  const harness = alive();
  assertEquals(harness.hear("B", "suspect"), "");
  assertEquals(harness.hear("B", "alive", 2), "");
  assertEquals(harness.returns.dueAt, Infinity);
});

Deno.test("a member that a server which counts as a copy has never heard of is told, too", () => {
  assertEquals(alive().hear("D", "joining"), "D");
});

Deno.test("a member that a server which was a copy has never heard of is told, too", () => {
  const harness = alive();
  harness.hear("A", "joining", 2);
  assertEquals(harness.hear("D", "alive"), "D");
});

Deno.test("a member that a server which remembers a ring has never heard of is told, too", () => {
  const harness = new ReturnsHarness(joining, memberOf("B"));
  assertEquals(harness.told(), "");
  assertEquals(harness.hear("D", "alive"), "D");
});

Deno.test("a member that a newcomer has never heard of is told nothing", () => {
  const harness = new ReturnsHarness();
  assertEquals(harness.hear("A", "joining") + harness.hear("D", "alive"), "");
  assertEquals([harness.hear("A", "alive"), harness.returns.dueAt], ["", Infinity]);
});

Deno.test("a member that was gone is told by a server that is joining itself, too", () => {
  const harness = alive("dead");
  harness.hear("A", "joining", 2);
  assertEquals(harness.hear("B", "alive", 2), "B");
});

Deno.test("a member that is on the list as gone when this server begins is told, too", () => {
  assertEquals(alive("dead").hear("B", "alive", 2), "B");
});

Deno.test("a member that is back is told every missedRetryMs, until it compares", () => {
  const harness = alive("dead");
  harness.hear("B", "alive", 2);
  assertEquals(harness.returns.dueAt, missedRetryMs);
  assertEquals(harness.wake(missedRetryMs - 1), "");
  assertEquals([harness.wake(1), harness.wake(missedRetryMs)], ["B", "B"]);
  harness.returns.handleCompare(idOf("B"));
  assertEquals([harness.wake(missedRetryMs), harness.returns.dueAt], ["", Infinity]);
});

Deno.test("a member that is back and does not compare is told missedTellsMax times", () => {
  const harness = alive("dead");
  const told = [harness.hear("B", "alive", 2)];
  while (told.length < missedTellsMax) told.push(harness.wake(missedRetryMs));
  assertEquals(told, Array.from({ length: missedTellsMax }, () => "B"));
  assertEquals([harness.wake(missedRetryMs), harness.returns.dueAt], ["", Infinity]);
  assertEquals(harness.hear("B", "suspect", 2), "");
  assertEquals(harness.hear("B", "dead", 2), "");
  assertEquals([harness.hear("B", "alive", 3), harness.wake(missedRetryMs)], ["B", "B"]);
});

Deno.test("a member that is back and gone again is told when it is back once more", () => {
  const harness = alive("dead");
  harness.hear("B", "alive", 2);
  assertEquals(harness.hear("B", "dead", 2), "");
  assertEquals([harness.wake(missedRetryMs), harness.returns.dueAt], ["", Infinity]);
  assertEquals(harness.hear("B", "joining", 3), "B");
});

Deno.test("two that are back are told each for itself", () => {
  const harness = alive("dead");
  harness.hear("C", "dead");
  harness.hear("B", "alive", 2);
  assertEquals(harness.hear("C", "alive", 2), "C");
  harness.returns.handleCompare(idOf("C"));
  assertEquals(harness.wake(missedRetryMs), "B");
});
