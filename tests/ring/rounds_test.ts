import { assert, assertEquals, assertMatch } from "@std/assert";
import { Circles, hopTimeoutMs } from "../../lib/ring/circles.ts";
import type { Circle, Deed, Errand } from "../../lib/ring/message.ts";
import { resendMs, type Round, type RoundPlan, Rounds } from "../../lib/ring/rounds.ts";
import { envelope, last, path } from "./harness.ts";
import { PartHarness } from "./part_harness.ts";
import { circleOf, idOf, memberOf, type Name, nameOf, recordOf, visitsOf } from "./sample.ts";

const errand: Errand = { type: "WRITE", record: recordOf("a", "text"), holder: idOf("A") };
const timeoutMs = 9000;

/** One round of A, in a ring with other members. */
class RoundHarness extends PartHarness {
  readonly rounds: Rounds;
  readonly circles: Circles;
  readonly round: Round;
  readonly events: string[] = [];

  constructor(others: Name[], plan: Partial<RoundPlan> = {}) {
    super(memberOf("A"), ...others.map((name) => memberOf(name)));
    const { effects, membership } = this;
    const self = idOf("A");
    const circles = this.circles = new Circles({
      self,
      boot: "boot-A",
      membership,
      effects,
      onReturn: (circle) => this.rounds.handleReturn(circle, errand),
    });
    this.rounds = new Rounds({ self, membership, circles, effects });
    const round = this.round = this.rounds.begin({ type: "FORWARD", errand }, {
      timeoutMs,
      evaluate: () => {
        if (!this.rounds.isSettled(round)) return false;
        this.events.push(`settled with ${this.rounds.copies(round)}`);
        return true;
      },
      expire: () => this.events.push(`expired with ${this.rounds.copies(round)}`),
      ...plan,
    });
  }

  send(): this {
    this.step(() => this.rounds.send(this.round));
    return this;
  }

  report(from: Name, deed: Deed, name = this.round.circle): void {
    this.step(() =>
      this.rounds.handleReport({ type: "REPORT", ...envelope(from), circle: name, deed })
    );
  }

  own(deed: Deed): void {
    this.step(() => this.rounds.noteOwn(this.round, deed));
  }

  comeBack(visited: Circle["visited"]): void {
    const circle = { ...this.round.circle, attempt: this.round.attempt, visited };
    this.step(() => this.rounds.handleReturn(circle, errand));
  }

  /** Acknowledges every hop, so that none is sent again by itself; returns what was sent. */
  hops(): string[] {
    return this.takeSent("FORWARD").map(({ hop, to, circle }) => {
      this.circles.handleAck({ type: "ACK", ...envelope("B"), hop });
      return `to ${nameOf(to)}, attempt ${circle.attempt}, after ${path(circle)}`;
    });
  }

  wake(milliseconds: number): string[] {
    this.step(() => this.rounds.wake(), milliseconds);
    return this.hops();
  }
}

Deno.test("send() sets a circle going, with this server as the first it visited", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  assertEquals(harness.hops(), ["to B, attempt 0, after A:passed"]);
});

Deno.test("a round is settled when every live member has stored it, this server too", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  harness.report("B", "stored");
  harness.report("C", "stored");
  assertEquals(harness.events, []);
  harness.own("stored");
  assertEquals(harness.events, ["settled with 3"]);
});

Deno.test("a round is settled by members that failed as well, which are no copies", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  harness.own("stored");
  harness.report("B", "failed");
  harness.report("C", "stored");
  assertEquals(harness.events, ["settled with 2"]);
});

Deno.test("a round is not settled by members that merely passed it on, or were skipped", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  harness.own("stored");
  harness.comeBack([...visitsOf("passed", "A", "B"), ...visitsOf("skipped", "C")]);
  assertEquals(harness.events, []);
});

Deno.test("a round takes deeds from the envelope that comes back", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  harness.own("stored");
  harness.comeBack(visitsOf("stored", "A", "B", "C"));
  assertEquals(harness.events, ["settled with 3"]);
});

Deno.test("a round never takes a lesser deed after a greater one", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  harness.report("B", "stored");
  harness.comeBack(visitsOf("passed", "A", "B", "C"));
  harness.report("B", "failed");
  harness.own("stored");
  harness.report("C", "stored");
  assertEquals(harness.events, ["settled with 3"]);
});

Deno.test("a round is settled once, and hears nothing after that", () => {
  const harness = new RoundHarness(["B"]).send();
  harness.hops();
  harness.own("stored");
  harness.report("B", "stored");
  harness.report("B", "stored");
  harness.comeBack(visitsOf("stored", "A", "B"));
  harness.step(() => harness.rounds.reconsider());
  assertEquals(harness.wake(2 * timeoutMs), []);
  assertEquals(harness.events, ["settled with 2"]);
  assertEquals(harness.rounds.dueAt, Infinity);
});

Deno.test("a round hears no report of another circle, or of an earlier life", () => {
  const harness = new RoundHarness(["B"]).send();
  harness.own("stored");
  harness.report("B", "stored", { ...harness.round.circle, sequence: 99 });
  harness.report("B", "stored", { ...harness.round.circle, boot: "earlier" });
  assertEquals(harness.events, []);
});

Deno.test("a member that dies is no longer waited for, and is no copy", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  harness.own("stored");
  harness.report("B", "stored");
  harness.membership.merge([memberOf("B", { status: "dead" }), memberOf("C", { status: "dead" })]);
  harness.step(() => harness.rounds.reconsider());
  assertEquals(harness.events, ["settled with 1"]);
});

Deno.test("a member that comes in the middle is waited for", () => {
  const harness = new RoundHarness(["B"]).send();
  harness.own("stored");
  harness.membership.merge([memberOf("C", { status: "joining" })]);
  harness.report("B", "stored");
  assertEquals(harness.events, []);
  harness.report("C", "stored");
  assertEquals(harness.events, ["settled with 3"]);
});

Deno.test("a circle that comes back without having met a newcomer is sent on to it at once", () => {
  const harness = new RoundHarness(["B"]).send();
  harness.hops();
  harness.own("stored");
  harness.membership.merge([memberOf("C", { status: "joining" })]);
  harness.comeBack(visitsOf("stored", "A", "B"));
  const hops = harness.hops();
  assertEquals(hops.length, 1);
  assertMatch(last(hops), /^to C, attempt \d, after A:stored B:stored$/);
});

Deno.test("a circle goes on to a newcomer without visiting again who has it already", () => {
  const harness = new RoundHarness(["B"]).send();
  harness.hops();
  harness.own("stored");
  harness.membership.merge([memberOf("C", { status: "joining" })]);
  // B is still writing and does not know C yet: sent to B, the circle would come back at once, again.
  harness.comeBack(visitsOf("passed", "A", "B"));
  assertEquals(harness.hops().filter((hop) => hop.startsWith("to B")), []);
});

Deno.test("a round is sent again each second, with the next attempt, to those without a deed", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  harness.hops();
  assertEquals(harness.rounds.dueAt, resendMs);
  assertEquals(harness.wake(resendMs - 1), []);
  assertEquals(harness.wake(1), ["to B, attempt 1, after A:passed"]);
  harness.own("stored");
  harness.report("B", "stored");
  assertEquals(harness.wake(resendMs), ["to C, attempt 2, after A:stored B:stored"]);
});

Deno.test("a round expires at its deadline, once", () => {
  const harness = new RoundHarness(["B"]).send();
  harness.hops();
  for (let at = resendMs; at < timeoutMs; at += resendMs) harness.wake(resendMs);
  assertEquals(harness.events, []);
  harness.wake(resendMs);
  assertEquals(harness.events, ["expired with 0"]);
  assertEquals(harness.rounds.dueAt, Infinity);
});

Deno.test("a round in a ring of one needs nobody else", () => {
  const harness = new RoundHarness([]).send();
  assertEquals(harness.events, []);
  harness.own("stored");
  assertEquals(harness.events, ["settled with 1"]);
});

Deno.test("a plan is given the envelope, and what was found, when the circle is back", () => {
  const found = { record: recordOf("a", "text"), holder: idOf("B") };
  const seen: unknown[] = [];
  const evaluate: RoundPlan["evaluate"] = (returned) => {
    seen.push(returned);
    return false;
  };
  const harness = new RoundHarness(["B"], { evaluate }).send();
  const circle = {
    ...circleOf("A"),
    ...harness.round.circle,
    visited: visitsOf("passed", "A", "B"),
  };
  const find: Errand = { type: "FIND", item: "a", found };
  harness.step(() => harness.rounds.handleReturn(circle, find));
  assertEquals(last(seen), { circle, found });
});

Deno.test("a silent successor costs a round no more than its hop's tries", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  harness.takeSent("FORWARD");
  harness.step(() => harness.circles.wake(), hopTimeoutMs);
  harness.takeSent("FORWARD");
  harness.step(() => harness.circles.wake(), hopTimeoutMs);
  assert(harness.monotonic <= resendMs);
  assertEquals(harness.hops(), ["to C, attempt 0, after A:passed B:skipped"]);
});
