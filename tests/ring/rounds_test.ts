import { assert, assertEquals, assertMatch } from "@std/assert";
import { Circles, hopTimeoutMs } from "../../lib/ring/circles.ts";
import type { Circle, Deed, Errand } from "../../lib/ring/message.ts";
import {
  type ForwardPayload,
  resendMs,
  type Round,
  type RoundPlan,
  Rounds,
} from "../../lib/ring/rounds.ts";
import { envelope, last } from "./harness.ts";
import { PartHarness } from "./part_harness.ts";
import {
  bodyOf,
  circleOf,
  idOf,
  memberOf,
  type Name,
  nameOf,
  path,
  recordOf,
  stampAt,
  visitsOf,
} from "./sample.ts";

const record = recordOf("a", "text");
const writeErrand: Errand = { type: "WRITE", record, holder: idOf("A"), list: "" };
const timeoutMs = 9000;

/** One round of A, in a ring with other members. */
class RoundHarness extends PartHarness {
  readonly rounds: Rounds;
  readonly circles: Circles;
  readonly round: Round;
  readonly events: string[] = [];

  constructor(others: Name[], plan: Partial<RoundPlan> = {}, body?: Uint8Array) {
    super(memberOf("A"), ...others.map((name) => memberOf(name)));
    const { clock, effects, membership } = this;
    const self = idOf("A");
    const circles = this.circles = new Circles({
      self,
      boot: "boot-A",
      membership,
      effects,
      clock,
      onReturn: (circle) => this.rounds.handleReturn(circle, writeErrand),
    });
    this.rounds = new Rounds({ self, membership, circles, effects });
    const round = this.round = this.rounds.begin(forward(body), {
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

  comeBack(visited: Circle["visited"], errand: Errand = writeErrand): void {
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

function forward(body: Uint8Array | undefined): ForwardPayload {
  const payload = { type: "FORWARD", errand: writeErrand } as const;
  return body === undefined ? payload : { ...payload, body };
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

Deno.test("a round is sent round again each second, with the next attempt", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  harness.hops();
  assertEquals(harness.rounds.dueAt, resendMs);
  assertEquals(harness.wake(resendMs - 1), []);
  assertEquals(harness.wake(1), ["to B, attempt 1, after A:passed"]);
  harness.own("stored");
  assertEquals(harness.wake(resendMs), ["to B, attempt 2, after A:stored"]);
});

Deno.test("a round is sent again past those that are done; every third time to them too", () => {
  const harness = new RoundHarness(["B", "C", "D"]).send();
  harness.hops();
  harness.own("stored");
  harness.report("B", "failed");
  harness.report("C", "stored");
  assertEquals(Array.from({ length: 5 }, () => harness.wake(resendMs)).flat(), [
    "to D, attempt 1, after A:stored B:failed C:stored",
    "to B, attempt 2, after A:stored",
    "to D, attempt 3, after A:stored B:failed C:stored",
    "to D, attempt 4, after A:stored B:failed C:stored",
    "to B, attempt 5, after A:stored",
  ]);
});

Deno.test("a round that waits for its own server alone is sent to nobody, but every third time", () => {
  const harness = new RoundHarness(["B"]).send();
  harness.hops();
  harness.report("B", "stored");
  assertEquals(harness.wake(resendMs), []);
  assertEquals(harness.wake(resendMs), ["to B, attempt 2, after A:passed"]);
});

Deno.test("a round has failed when all that it was for have, the dead ones among them", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  harness.own("failed");
  harness.report("B", "failed");
  assert(!harness.rounds.hasFailed(harness.round));
  harness.report("C", "failed");
  harness.membership.merge([memberOf("B", { status: "dead" })]);
  assert(harness.rounds.hasFailed(harness.round));
});

for (const deed of ["stored", "passed"] as const) {
  Deno.test(`a round in which one ${deed} it has not failed, though that one has died since`, () => {
    const harness = new RoundHarness(["B", "C"]).send();
    harness.own("failed");
    harness.report("B", deed);
    harness.report("C", "failed");
    harness.membership.merge([memberOf("B", { status: "dead" })]);
    assert(!harness.rounds.hasFailed(harness.round));
  });
}

Deno.test("a round has not failed when one that it was for has died, and never said a word", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  harness.own("failed");
  harness.report("C", "failed");
  harness.membership.merge([memberOf("B", { status: "dead" })]);
  assert(!harness.rounds.hasFailed(harness.round));
});

Deno.test("a WRITE carries the digest of the list that this server has when it is sent", () => {
  const harness = new RoundHarness(["B"]).send();
  const { digest } = harness.membership;
  harness.membership.merge([memberOf("C", { status: "joining" })]);
  harness.step(() => harness.rounds.wake(), resendMs);
  const lists = harness.takeSent("FORWARD").map(({ errand }) =>
    errand.type === "WRITE" ? errand.list : ""
  );
  assert(digest !== harness.membership.digest);
  assertEquals(lists, [digest, harness.membership.digest]);
});

Deno.test("a WRITE that goes on to a newcomer has its body with it, and the list of now", () => {
  const harness = new RoundHarness(["B"], {}, bodyOf("text")).send();
  harness.takeSent("FORWARD");
  harness.membership.merge([memberOf("C", { status: "joining" })]);
  harness.comeBack(visitsOf("passed", "A", "B"));
  const { errand, body } = last(harness.takeSent("FORWARD"));
  assertEquals(body, bodyOf("text"));
  assertEquals(errand, { ...writeErrand, list: harness.membership.digest });
});

Deno.test("a circle goes on to who was skipped by one of the others, when it is back", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  harness.hops();
  const skipped = { id: idOf("C"), deed: "skipped" as const, by: idOf("B") };
  harness.comeBack([...visitsOf("passed", "A", "B"), skipped]);
  assertEquals(harness.hops(), ["to C, attempt 0, after A:passed B:passed C:skipped by B"]);
});

Deno.test("a circle that is back does not go on to whom this server itself has skipped", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  harness.hops();
  const skipped = { id: idOf("C"), deed: "skipped" as const, by: idOf("A") };
  harness.comeBack([...visitsOf("passed", "A", "B"), skipped]);
  assertEquals(harness.hops(), []);
});

Deno.test("a circle that came back on a detour is not sent for another one to its creator", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  harness.hops();
  harness.membership.merge([memberOf("D", { status: "joining" })]);
  const skipped = { id: idOf("A"), deed: "skipped" as const, by: idOf("B") };
  harness.comeBack([...visitsOf("passed", "A", "C", "B"), skipped]);
  assertEquals(harness.hops(), ["to D, attempt 0, after A:passed C:passed B:passed"]);
});

Deno.test("a SURVEY goes on to a newcomer with what it has collected", () => {
  const harness = new RoundHarness(["B"]).send();
  harness.hops();
  harness.membership.merge([memberOf("C", { status: "joining" })]);
  const surveys = [{ id: idOf("B"), list: "", files: "", isSettled: true }];
  const survey: Errand = { type: "SURVEY", upTo: stampAt(1), surveys };
  harness.comeBack(visitsOf("passed", "A", "B"), survey);
  assertEquals(last(harness.takeSent("FORWARD")).errand, survey);
});

Deno.test("a server serves its clients until a WRITE is settled, or out of time", () => {
  for (const isSettled of [true, false]) {
    const harness = new RoundHarness(["B"]).send();
    assert(harness.rounds.isServing);
    if (isSettled) {
      harness.own("stored");
      harness.report("B", "stored");
    } else harness.wake(timeoutMs);
    assert(!harness.rounds.isServing);
  }
});

Deno.test("a server serves its clients while a FIND is under way, not while a SURVEY is", () => {
  const upTo = stampAt(1);
  const cases: readonly [Errand, boolean][] = [
    [{ type: "FIND", item: "a" }, true],
    [{ type: "SURVEY", upTo, surveys: [] }, false],
    [{ type: "COLLECT", upTo, list: "" }, false],
  ];
  for (const [errand, isServing] of cases) {
    const harness = new RoundHarness([]);
    harness.own("stored");
    const plan = { timeoutMs, evaluate: () => false, expire: () => {} };
    harness.step(() => harness.rounds.begin({ type: "FORWARD", errand }, plan));
    assertEquals(harness.rounds.isServing, isServing, errand.type);
  }
});

Deno.test("a round expires at its deadline, once", () => {
  const harness = new RoundHarness(["B"]).send();
  harness.hops();
  for (let at = resendMs; at < timeoutMs; at += resendMs) harness.wake(resendMs);
  assertEquals(harness.events, []);
  harness.wake(resendMs);
  assertEquals(harness.events, ["expired with 0"]);
  assertEquals(harness.take("refused"), [{ type: "refused", bound: "circle_time" }]);
  assertEquals(harness.rounds.dueAt, Infinity);
});

Deno.test("a round in a ring of one needs nobody else", () => {
  const harness = new RoundHarness([]).send();
  assertEquals(harness.events, []);
  harness.own("stored");
  assertEquals(harness.events, ["settled with 1"]);
});

Deno.test("a plan is given the envelope, and what it brings, when the circle is back", () => {
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
  assertEquals(last(seen), { circle, errand: find });
});

Deno.test("a silent successor costs a round no more than its hop's tries", () => {
  const harness = new RoundHarness(["B", "C"]).send();
  harness.takeSent("FORWARD");
  harness.step(() => harness.circles.wake(), hopTimeoutMs);
  harness.takeSent("FORWARD");
  harness.step(() => harness.circles.wake(), hopTimeoutMs);
  assert(harness.monotonic <= resendMs);
  assertEquals(harness.hops(), ["to C, attempt 0, after A:passed B:skipped by A"]);
});
