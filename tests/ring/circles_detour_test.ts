import { assertEquals } from "@std/assert";
import { hopTimeoutMs, hopTriesMax } from "../../lib/ring/circles.ts";
import type { Circle, Deed } from "../../lib/ring/message.ts";
import { CirclesHarness, payload } from "./circles_harness.ts";
import { envelope } from "./harness.ts";
import { circleOf, idOf, type Name, nameOf, path, visitsOf } from "./sample.ts";

/** Circles that are to find their way past a broken link. */
class DetourHarness extends CirclesHarness {
  /** A circle is here once more. */
  relay(circle: Circle): string[] {
    this.step(() => this.circles.relay(circle, payload));
    return this.hops();
  }

  /** Waits until the hop under way is given up. */
  giveUp(): string[] {
    for (let tries = 0; tries < hopTriesMax; tries++) {
      this.takeSent("FORWARD");
      this.step(() => this.circles.wake(), hopTimeoutMs);
    }
    return this.hops();
  }
}

/** A circle of a creator that has been at some, each `X:deed` or `X:skipped by Y`. */
function visited(creator: Name, ...visits: [Name, Deed, Name?][]): Circle {
  return circleOf(creator, {
    visited: visits.map(([name, deed, by]) => ({
      id: idOf(name),
      deed,
      ...(by === undefined ? {} : { by: idOf(by) }),
    })),
  });
}

Deno.test("who was skipped by one other is tried when nobody else is left, with the body", () => {
  const harness = new DetourHarness("B", "C", "D");
  const circle = visited("B", ["B", "passed"], ["C", "skipped", "B"], ["A", "passed"]);
  assertEquals(harness.pass(circle), [`to D after ${path(circle)}`]);
  const last = visited(
    "B",
    ...[
      ["B", "passed"],
      ["C", "skipped", "B"],
      ["D", "passed"],
      ["A", "passed"],
    ] satisfies [Name, Deed, Name?][],
  );
  assertEquals(harness.pass(last), [`to C after ${path(last)}`]);
  assertEquals(harness.bodies, [true, true]);
});

Deno.test("who was skipped by two others is not tried a third time", () => {
  const harness = new DetourHarness("B", "C", "D");
  const circle = visited(
    "B",
    ["B", "passed"],
    ["C", "skipped", "B"],
    ["D", "passed"],
    ["C", "skipped", "D"],
    ["A", "passed"],
  );
  assertEquals(harness.pass(circle), [`to B after ${path(circle)}`]);
});

Deno.test("who was skipped is not tried again by who skipped it", () => {
  const harness = new DetourHarness("B", "C");
  const circle = visited("B", ["B", "passed"], ["A", "passed"]);
  harness.pass(circle);
  assertEquals(harness.giveUp(), ["to B after B:passed A:passed C:skipped by A"]);
});

Deno.test("who was skipped and has been reached by a detour is not tried again", () => {
  const harness = new DetourHarness("B", "C", "D");
  const circle = visited(
    "B",
    ["B", "passed"],
    ["D", "passed"],
    ["C", "stored"],
    ["A", "passed"],
  );
  assertEquals(harness.pass(circle), [`to B after ${path(circle)}`]);
});

Deno.test("a server that was reached by a detour takes its skip out, and adds what it has done", () => {
  const harness = new DetourHarness("B", "C");
  const circle = visited("B", ["B", "passed"], ["A", "skipped", "B"], ["C", "passed"]);
  harness.circles.observe(circle);
  harness.step(() => harness.circles.visitAndPass(circle, payload));
  assertEquals(harness.hops(), ["to B after B:passed C:passed A:passed"]);
});

Deno.test("a creator that its last server cannot reach is reached through one more member", () => {
  const harness = new DetourHarness("B", "C", "D");
  harness.pass(visited("B", ["B", "passed"], ["C", "passed"], ["D", "passed"], ["A", "stored"]));
  const through = "B:passed C:passed D:passed A:stored B:skipped by A";
  assertEquals(harness.giveUp(), [`to C after ${through}`]);
  assertEquals(harness.bodies, [false, false]);
});

Deno.test("who cannot reach the first member it relays through tries the next one", () => {
  const harness = new DetourHarness("B", "C", "D");
  harness.pass(visited("B", ["B", "passed"], ["C", "passed"], ["D", "passed"], ["A", "stored"]));
  harness.giveUp();
  const through = "B:passed C:passed D:passed A:stored B:skipped by A C:skipped by A";
  assertEquals(harness.giveUp(), [`to D after ${through}`]);
  assertEquals(harness.giveUp(), []);
  assertEquals(harness.circles.hopsUnderWay, 0);
});

Deno.test("a circle in a ring of two ends when the way back to its creator is broken", () => {
  const harness = new DetourHarness("B");
  harness.pass(visited("B", ["B", "passed"], ["A", "stored"]));
  assertEquals(harness.giveUp(), []);
  assertEquals(harness.circles.hopsUnderWay, 0);
});

Deno.test("a circle that was here before is passed on to its creator, if the sender could not", () => {
  const harness = new DetourHarness("B", "C", "D");
  const circle = visited("B", ["B", "passed"], ["A", "passed"], ["D", "stored"], [
    "B",
    "skipped",
    "D",
  ]);
  assertEquals(harness.relay(circle), [`to B after ${path(circle)}`]);
});

Deno.test("a circle that was here before goes nowhere else", () => {
  const harness = new DetourHarness("B", "C", "D");
  const cases = [
    visited("B", ["B", "passed"], ["A", "passed"], ["D", "passed"]),
    visited("B", ["B", "passed"], ["A", "passed"], ["D", "passed"], ["B", "skipped", "A"]),
    visited("B", ["B", "passed"], ["A", "passed"], ["B", "skipped", "C"], ["B", "skipped", "D"]),
    visited("B", ["B", "passed"], ["A", "passed"], ["C", "skipped", "D"]),
  ];
  for (const circle of cases) assertEquals(harness.relay(circle), [], path(circle));
});

Deno.test("a relay that cannot reach the creator either lets the circle end", () => {
  const harness = new DetourHarness("B", "C", "D");
  const circle = visited(
    "B",
    ["B", "passed"],
    ["A", "passed"],
    ["C", "passed"],
    ["D", "passed"],
    ["B", "skipped", "D"],
  );
  harness.relay(circle);
  assertEquals(harness.giveUp(), []);
  assertEquals(harness.circles.hopsUnderWay, 0);
});

Deno.test("a circle of its own that comes to nobody goes on to who was skipped by another", () => {
  const harness = new DetourHarness("B", "C");
  const circle = visited("A", ["A", "passed"], ["B", "passed"], ["C", "skipped", "B"]);
  assertEquals(harness.pass(circle), [`to C after ${path(circle)}`]);
  assertEquals(harness.returned, []);
});

Deno.test("next() is a member that was not visited, then one that one other has skipped, else nobody", () => {
  const { circles } = new DetourHarness("B", "C", "D");
  const all = visitsOf("passed", "A", "B", "C", "D");
  const cases: readonly [Circle, Name | undefined][] = [
    [visited("A", ["A", "passed"], ["B", "skipped", "C"], ["C", "passed"]), "D"],
    [visited("A", ["A", "passed"], ["B", "skipped", "C"], ["C", "passed"], ["D", "passed"]), "B"],
    [
      visited("A", ["A", "passed"], ["B", "skipped", "A"], ["C", "passed"], ["D", "passed"]),
      undefined,
    ],
    [circleOf("A", { visited: all }), undefined],
  ];
  for (const [circle, expected] of cases) {
    assertEquals(nameOf(circles.next(circle)?.id ?? ""), expected, path(circle));
  }
});

Deno.test("an acknowledgement ends a detour like any hop", () => {
  const harness = new DetourHarness("B", "C");
  harness.step(() => {
    const circle = visited("B", ["B", "passed"], ["C", "skipped", "B"], ["A", "passed"]);
    harness.circles.pass(circle, payload);
    harness.circles.handleAck({ type: "ACK", ...envelope("C"), hop: 1 });
  });
  assertEquals(harness.circles.hopsUnderWay, 0);
});
