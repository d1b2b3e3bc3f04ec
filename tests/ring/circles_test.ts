import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  circleKey,
  hopTimeoutMs,
  hopTriesMax,
  mergeDeed,
  seenCirclesMax,
} from "../../lib/ring/circles.ts";
import { type Deed, deeds, visitsMax } from "../../lib/ring/message.ts";
import { CirclesHarness, payload } from "./circles_harness.ts";
import { envelope } from "./harness.ts";
import {
  addressOf,
  circleOf,
  idOf,
  memberOf,
  type Name,
  nameOf,
  path,
  visitsOf,
} from "./sample.ts";

const { body } = payload;

Deno.test("pass() sends to the next live member that the circle has not visited", () => {
  const cases: readonly [Name[], string][] = [
    [["A"], "to C after A:passed"],
    [["A", "C"], "to E after A:passed C:passed"],
    [["A", "E"], "to C after A:passed E:passed"],
  ];
  for (const [visited, expected] of cases) {
    const harness = new CirclesHarness(memberOf("B", { status: "dead" }), "C", "E");
    assertEquals(harness.pass(circleOf("A", { visited: visitsOf("passed", ...visited) })), [
      expected,
    ]);
  }
});

Deno.test("pass() counts joining and suspect members as live", () => {
  for (const status of ["joining", "suspect"] as const) {
    const harness = new CirclesHarness(memberOf("B", { status }), "C");
    assertEquals(harness.pass(circleOf("A")), ["to B after A:passed"]);
  }
});

Deno.test("pass() numbers its hops, and names sender and receiver", () => {
  const harness = new CirclesHarness("B");
  harness.step(() => harness.circles.pass(circleOf("A"), payload));
  harness.step(() => harness.circles.pass(circleOf("A", { sequence: 2 }), payload));
  const sends = harness.take("send");
  assertEquals(sends.map(({ address }) => address), [addressOf("B"), addressOf("B")]);
  const messages = sends.map(({ message }) => message);
  const common = { type: "FORWARD", from: idOf("A"), to: idOf("B") } as const;
  const { errand } = payload;
  assertEquals<unknown>(messages, [
    { ...common, hop: 1, circle: circleOf("A"), errand, body },
    { ...common, hop: 2, circle: circleOf("A", { sequence: 2 }), errand, body },
  ]);
});

Deno.test("pass() ends this server's own circle when nobody is left to visit", () => {
  const harness = new CirclesHarness("B");
  const circle = circleOf("A", { visited: visitsOf("stored", "A", "B") });
  assertEquals(harness.pass(circle), []);
  assertEquals(harness.returned, [circle]);
});

Deno.test("pass() sends another's circle back to its creator at the end, without the body", () => {
  const harness = new CirclesHarness("B");
  const circle = circleOf("B", { visited: visitsOf("passed", "B", "A") });
  harness.step(() => harness.circles.pass(circle, payload));
  const [message] = harness.takeSent("FORWARD");
  assertEquals(message?.to, idOf("B"));
  assertEquals(message?.body, undefined);
  assertEquals(message?.errand, payload.errand);
});

Deno.test("pass() lets a circle end quietly when its creator is dead or unknown", () => {
  const visited = visitsOf("passed", "B", "A");
  const dead = new CirclesHarness(memberOf("B", { status: "dead" }));
  assertEquals(dead.pass(circleOf("B", { visited })), []);
  const unknown = new CirclesHarness();
  assertEquals(unknown.pass(circleOf("B", { visited })), []);
});

Deno.test("visitAndPass() adds this server's deed once, as the last", () => {
  const harness = new CirclesHarness("B", "C");
  const circle = circleOf("B");
  harness.circles.observe(circle);
  harness.circles.setDeed(circle, "stored");
  const again = { ...circle, visited: [...visitsOf("passed", "A"), ...circle.visited] };
  harness.step(() => harness.circles.visitAndPass(again, payload));
  assertEquals(harness.hops(), ["to C after B:passed A:stored"]);
});

Deno.test("visitAndPass() takes another deed than the one that was noted", () => {
  const harness = new CirclesHarness("B", "C");
  const circle = circleOf("B");
  harness.circles.observe(circle);
  harness.circles.setDeed(circle, "stored");
  harness.step(() => harness.circles.visitAndPass(circle, payload, "passed"));
  assertEquals(harness.hops(), ["to C after B:passed A:passed"]);
});

Deno.test("passTo() sends to a certain member first, even a dead one", () => {
  const harness = new CirclesHarness("B", memberOf("C", { status: "dead" }));
  harness.step(() => harness.circles.passTo(idOf("C"), circleOf("A"), payload));
  assertEquals(harness.hops(), ["to C after A:passed"]);
});

Deno.test("an acknowledged hop is not tried again", () => {
  const harness = new CirclesHarness("B");
  harness.pass(circleOf("A"));
  assertEquals(harness.circles.hopsUnderWay, 1);
  harness.circles.handleAck({ type: "ACK", ...envelope("B"), hop: 1 });
  assertEquals(harness.circles.hopsUnderWay, 0);
  assertEquals(harness.circles.dueAt, Infinity);
  assertEquals(harness.wake(10 * hopTimeoutMs), []);
});

Deno.test("an acknowledgement of an unknown hop changes nothing", () => {
  const harness = new CirclesHarness("B");
  harness.pass(circleOf("A"));
  harness.circles.handleAck({ type: "ACK", ...envelope("B"), hop: 99 });
  assertEquals(harness.circles.hopsUnderWay, 1);
});

Deno.test("an acknowledgement by another than the receiver of a hop changes nothing", () => {
  const harness = new CirclesHarness("B", "C");
  harness.pass(circleOf("A"));
  harness.circles.handleAck({ type: "ACK", ...envelope("C"), hop: 1 });
  assertEquals(harness.circles.hopsUnderWay, 1);
});

Deno.test("pass() lets a circle end that says it was at more servers than there may be", () => {
  const harness = new CirclesHarness("B");
  const visit = { id: idOf("C"), deed: "passed" as const };
  const full = { ...circleOf("C"), visited: new Array<typeof visit>(visitsMax - 1).fill(visit) };
  harness.step(() => harness.circles.visitAndPass(full, payload));
  assertEquals(harness.takeSent("FORWARD").length, 1);
  const over = { ...full, visited: [...full.visited, visit] };
  harness.step(() => harness.circles.visitAndPass(over, payload));
  assertEquals(harness.takeSent("FORWARD"), []);
});

Deno.test("a silent hop is tried hopTriesMax times, hopTimeoutMs apart, and then skipped", () => {
  const harness = new CirclesHarness("B", "C");
  harness.pass(circleOf("A"));
  assertEquals(harness.circles.dueAt, hopTimeoutMs);
  assertEquals(harness.wake(hopTimeoutMs - 1), []);
  assertEquals(harness.wake(1), ["to B after A:passed"]);
  assertEquals(hopTriesMax, 2);
  assertEquals(harness.wake(hopTimeoutMs - 1), []);
  assertEquals(harness.wake(1), ["to C after A:passed B:skipped by A"]);
});

Deno.test("a hop is tried again under the same number", () => {
  const harness = new CirclesHarness("B");
  harness.step(() => harness.circles.pass(circleOf("A"), payload));
  harness.step(() => harness.circles.wake(), hopTimeoutMs);
  assertEquals(harness.takeSent("FORWARD").map(({ hop }) => hop), [1, 1]);
});

Deno.test("a circle whose every hop is silent comes back with all of them skipped", () => {
  const harness = new CirclesHarness("B", "C");
  harness.pass(circleOf("A"));
  for (let n = 0; n < 2 * hopTriesMax; n++) harness.wake(hopTimeoutMs);
  assertEquals(harness.returned.map(path), ["A:passed B:skipped by A C:skipped by A"]);
});

Deno.test("a refused hop is skipped at once", () => {
  const harness = new CirclesHarness("B", "C");
  harness.pass(circleOf("A"));
  harness.step(() => harness.circles.handleUnreachable(idOf("B"), "refused"));
  assertEquals(harness.hops(), ["to C after A:passed B:skipped by A"]);
});

Deno.test("a hop on a connection that broke is tried again at once, but not for ever", () => {
  const harness = new CirclesHarness("B", "C");
  const breakConnection = () => {
    harness.step(() => harness.circles.handleUnreachable(idOf("B"), "closed"));
    return harness.hops();
  };
  harness.pass(circleOf("A"));
  assertEquals(breakConnection(), ["to B after A:passed"]);
  assertEquals(breakConnection(), []);
  assertEquals(harness.wake(hopTimeoutMs), ["to C after A:passed B:skipped by A"]);
});

Deno.test("only the hops to the member that cannot be reached are touched", () => {
  const harness = new CirclesHarness("B", "C");
  harness.pass(circleOf("A"));
  harness.step(() => harness.circles.handleUnreachable(idOf("C"), "refused"));
  assertEquals(harness.hops(), []);
});

Deno.test("reroute() finds another way as soon as the member of a hop is dead or has left", () => {
  for (const status of ["dead", "left"] as const) {
    const harness = new CirclesHarness("B", "C");
    harness.pass(circleOf("A"));
    assertEquals(harness.change(memberOf("B", { status })), ["to C after A:passed B:skipped by A"]);
  }
});

Deno.test("reroute() leaves hops to suspect members alone", () => {
  const harness = new CirclesHarness("B", "C");
  harness.pass(circleOf("A"));
  assertEquals(harness.change(memberOf("B", { status: "suspect" })), []);
});

Deno.test("wake() wakes the hops that are due, in the order in which they were sent", () => {
  const harness = new CirclesHarness("B", "C");
  harness.pass(circleOf("A", { sequence: 1 }));
  harness.monotonic += 100;
  harness.pass(circleOf("A", { sequence: 2, visited: visitsOf("passed", "A", "B") }));
  assertEquals(harness.wake(hopTimeoutMs - 100), ["to B after A:passed"]);
  assertEquals(harness.circles.dueAt, hopTimeoutMs + 100);
  assertEquals(harness.wake(100), ["to C after A:passed B:passed"]);
});

Deno.test("observe() tells a new circle, a repeated attempt and a higher one apart", () => {
  const { circles } = new CirclesHarness("B");
  assertEquals(circles.observe(circleOf("B")), "new");
  assertEquals(circles.observe(circleOf("B")), "repeated");
  assertEquals(circles.observe(circleOf("B", { attempt: 2 })), "again");
  assertEquals(circles.observe(circleOf("B", { attempt: 2 })), "repeated");
  assertEquals(circles.observe(circleOf("B", { attempt: 1 })), "repeated");
});

Deno.test("observe() takes circles for the same only with creator, boot and sequence equal", () => {
  const { circles } = new CirclesHarness("B");
  assertEquals(circles.observe(circleOf("B")), "new");
  assertEquals(circles.observe(circleOf("C")), "new");
  assertEquals(circles.observe(circleOf("B", { boot: "later" })), "new");
  assertEquals(circles.observe(circleOf("B", { sequence: 2 })), "new");
});

Deno.test("observe() remembers seenCirclesMax circles, and forgets the oldest first", () => {
  const { circles } = new CirclesHarness("B");
  for (let sequence = 0; sequence <= seenCirclesMax; sequence++) {
    circles.observe(circleOf("B", { sequence }));
  }
  assertEquals(circles.observe(circleOf("B", { sequence: 1 })), "repeated");
  assertEquals(circles.observe(circleOf("B", { sequence: 0 })), "new");
  assertEquals(circles.observe(circleOf("B", { sequence: 1 })), "new");
});

Deno.test("setDeed() notes what was done for a circle that was seen, and passed until then", () => {
  const { circles } = new CirclesHarness("B");
  circles.setDeed(circleOf("B"), "stored");
  assertEquals(circles.deedFor(circleOf("B")), "passed");
  circles.observe(circleOf("B"));
  assertEquals(circles.deedFor(circleOf("B")), "passed");
  circles.setDeed(circleOf("B"), "failed");
  assertEquals(circles.deedFor(circleOf("B")), "failed");
});

Deno.test("name() never names two circles alike", () => {
  const { circles } = new CirclesHarness();
  const keys = Array.from({ length: 100 }, () => circleKey(circles.name()));
  assertEquals(new Set(keys).size, keys.length);
  assertEquals(keys[0], `${idOf("A")}/boot-A/1`);
});

Deno.test("mergeDeed() is the greater of skipped, passed, failed and stored", () => {
  const deed = fc.constantFrom<Deed>(...deeds);
  fc.assert(fc.property(deed, deed, (a, b) => {
    const greater = deeds.indexOf(a) > deeds.indexOf(b) ? a : b;
    assertEquals(mergeDeed(a, b), greater);
    assertEquals(mergeDeed(b, a), greater);
    assertEquals(mergeDeed(undefined, a), a);
  }));
});

Deno.test("a circle visits every live member once, in order, silent ones too, and comes back", () => {
  const others = fc.subarray<Name>(["B", "C", "D", "E", "F"]);
  const isSilent = fc.array(fc.boolean(), { minLength: 5, maxLength: 5 });
  fc.assert(fc.property(others, isSilent, (others, isSilent) => {
    const harness = new CirclesHarness(...others);
    harness.step(() => harness.circles.pass(circleOf("A"), payload));
    const visited: Name[] = [];
    for (const silent of isSilent) {
      const [message] = harness.takeSent("FORWARD");
      const name = nameOf(message?.to ?? "");
      if (message === undefined || name === undefined) break;
      visited.push(name);
      const circle = {
        ...message.circle,
        visited: [...message.circle.visited, ...visitsOf("stored", name)],
      };
      harness.step(() => {
        if (silent) return harness.circles.handleUnreachable(message.to, "refused");
        harness.circles.handleAck({ type: "ACK", ...envelope(name), hop: message.hop });
        harness.circles.pass(circle, payload);
      });
    }
    assertEquals(visited, others);
    assertEquals(harness.returned.length, 1);
    assertEquals(harness.circles.hopsUnderWay, 0);
  }));
});
