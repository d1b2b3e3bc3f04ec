import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isStamp, StampClock, stampMillis, stampZero } from "../../lib/ring/stamp.ts";
import { idOf, stampAt } from "./sample.ts";

const self = idOf("A");

/** A wall clock at any time within a few milliseconds of 2026, so that it stands still and jumps back. */
const wall = () => fc.integer({ min: 1_767_225_600_000, max: 1_767_225_600_005 });

function assertAscending(stamps: readonly string[]): void {
  stamps.forEach((stamp, n) => {
    assert(isStamp(stamp), stamp);
    const before = stamps[n - 1];
    assert(before === undefined || stamp > before, `${stamp} comes after ${before}`);
  });
}

Deno.test("next() is above every stamp before, however the wall clock jumps", () => {
  fc.assert(fc.property(fc.array(wall(), { maxLength: 50 }), (walls) => {
    const clock = new StampClock(self, stampZero);
    assertAscending(walls.map((at) => clock.next(at)));
  }));
});

Deno.test("next() takes the time of a wall clock that goes on", () => {
  const clock = new StampClock(self, stampZero);
  assertEquals(clock.next(1), `000000000001-0000-${self}`);
  assertEquals(stampMillis(clock.next(1_767_225_600_000)), 1_767_225_600_000);
});

Deno.test("next() counts while the wall clock stands still", () => {
  const clock = new StampClock(self, stampZero);
  const counters = [5, 5, 4, 6].map((at) => clock.next(at).slice(0, 17));
  assertEquals(counters, [
    "000000000005-0000",
    "000000000005-0001",
    "000000000005-0002",
    "000000000006-0000",
  ]);
});

Deno.test("next() borrows a millisecond when the counter is full", () => {
  const clock = new StampClock(self, `000000000005-ffff-${idOf("B")}`);
  assertEquals(clock.next(5), `000000000006-0000-${self}`);
  assertEquals(clock.next(5), `000000000006-0001-${self}`);
});

Deno.test("next() makes more stamps than the counter holds, within one millisecond", () => {
  const clock = new StampClock(self, stampZero);
  let before = stampZero;
  for (let n = 0; n < 0x10000 + 5; n++) {
    const stamp = clock.next(7);
    assert(stamp > before);
    before = stamp;
  }
  assertEquals(stampMillis(before), 8);
});

Deno.test("a clock begins above the highest stored stamp", () => {
  const stored = stampAt(2 ** 41, "F");
  assert(new StampClock(self, stored).next(0) > stored);
});

Deno.test("observe() puts the next stamp above the one observed, and never below another", () => {
  const event = fc.oneof(
    fc.record({ type: fc.constant("next" as const), wall: wall() }),
    fc.record({
      type: fc.constant("observe" as const),
      wall: wall(),
      counter: fc.constantFrom("0000", "0001", "fffe", "ffff"),
      id: fc.constantFrom(idOf("A"), idOf("F"), "0".repeat(32)),
    }),
  );
  fc.assert(fc.property(fc.array(event, { maxLength: 50 }), (events) => {
    const clock = new StampClock(self, stampZero);
    let highest = stampZero;
    for (const event of events) {
      if (event.type === "next") {
        const stamp = clock.next(event.wall);
        assert(stamp > highest, `${stamp} comes after ${highest}`);
        highest = stamp;
      } else {
        const millis = event.wall.toString(16).padStart(12, "0");
        const stamp = `${millis}-${event.counter}-${event.id}`;
        clock.observe(stamp);
        if (stamp > highest) highest = stamp;
      }
    }
  }));
});

Deno.test("stamps of two servers at one time differ, and are in the order of their ids", () => {
  const [a, b] = [idOf("A"), idOf("B")].map((id) => new StampClock(id, stampZero).next(9));
  assert(a !== undefined && b !== undefined && a < b);
});

Deno.test("stamps of every time are of one width, and their text is in the order of time", () => {
  const millis = fc.integer({ min: 1, max: 2 ** 48 - 1 });
  fc.assert(fc.property(millis, millis, (one, other) => {
    const [a, b] = [one, other].map((at) => new StampClock(self, stampZero).next(at));
    assert(a !== undefined && b !== undefined);
    assertEquals(a.length, stampZero.length);
    assertEquals(a < b, one < other);
    assertEquals(stampMillis(a), one);
  }));
});

/** What happens to a clock in one life. */
const event = fc.record({
  type: fc.constantFrom("next" as const, "observe" as const, "forgo" as const),
  wall: fc.integer({ min: 1_767_225_600_000, max: 1_767_225_600_000 + 30_000 }),
  aheadMs: fc.constantFrom(-20_000, 0, 20_000),
  counter: fc.constantFrom("0000", "0001", "ffff"),
  id: fc.constantFrom(idOf("A"), idOf("F"), "0".repeat(32)),
});

/** Lets it happen; returns the stamp that was made, or may not be made any more. */
function happen(
  clock: StampClock,
  { type, wall, aheadMs, counter, id }: typeof event extends fc.Arbitrary<infer T> ? T : never,
): string {
  if (type === "next") return clock.next(wall);
  const stamp = `${(wall + aheadMs).toString(16).padStart(12, "0")}-${counter}-${id}`;
  if (type === "forgo") {
    clock.forgo(stamp, wall);
    return stamp;
  }
  clock.observe(stamp);
  return stampZero;
}

Deno.test("the ceiling is above every stamp made, and every one forgone", () => {
  fc.assert(fc.property(fc.array(event, { maxLength: 50 }), (events) => {
    const clock = new StampClock(self, stampZero);
    for (const event of events) {
      const stamp = happen(clock, event);
      assert(stamp === stampZero || clock.ceiling > stamp, `${stamp} is above ${clock.ceiling}`);
    }
  }));
});

Deno.test("a clock that begins at the ceiling of its last life is above all of that, at any time", () => {
  fc.assert(fc.property(fc.array(event, { maxLength: 50 }), fc.nat(), (events, wall) => {
    const clock = new StampClock(self, stampZero);
    const stamps = events.map((event) => happen(clock, event));
    const first = new StampClock(self, clock.ceiling).next(wall);
    for (const stamp of stamps) assert(first > stamp, `${first} is made after ${stamp}`);
  }));
});

Deno.test("the ceiling never goes down, and goes up once in 10 s at the most while time goes on", () => {
  const clock = new StampClock(self, stampZero);
  const ceilings: string[] = [];
  for (let wall = 1000; wall < 60_000; wall += 100) {
    clock.next(wall);
    if (clock.ceiling !== ceilings.at(-1)) ceilings.push(clock.ceiling);
  }
  assertAscending(ceilings);
  assertEquals(ceilings.map(stampMillis), [11_000, 21_000, 31_000, 41_000, 51_000, 61_000]);
});

Deno.test("observe() leaves the ceiling as it is: another's stamp is stored with its record", () => {
  const clock = new StampClock(self, stampZero);
  clock.next(5);
  const { ceiling } = clock;
  clock.observe(stampAt(2 ** 41));
  assertEquals(clock.ceiling, ceiling);
  clock.next(5);
  assert(clock.ceiling > stampAt(2 ** 41));
});

Deno.test("the latest stamp is the last one made, or as high as a higher one that was seen", () => {
  const clock = new StampClock(self, stampZero);
  assertEquals(clock.latest, `000000000000-0000-${self}`);
  assertEquals(clock.next(5000), clock.latest);
  clock.observe(stampAt(4000));
  assertEquals(stampMillis(clock.latest), 5000);
  clock.observe(stampAt(6000));
  assertEquals(stampMillis(clock.latest), 6000);
});

Deno.test("forgo() of a stamp that is past already changes nothing", () => {
  const clock = new StampClock(self, stampZero);
  const stamp = clock.next(5000);
  const { ceiling } = clock;
  clock.forgo(stampAt(4000), 5000);
  clock.forgo(stamp, 5000);
  assertEquals(clock.ceiling, ceiling);
  assertEquals(clock.next(0), `${stamp.slice(0, 13)}0001-${self}`);
});

Deno.test("the ceiling is 10 s ahead of the wall clock, or just above a stamp further ahead", () => {
  const cases: readonly [stampMs: number, ceilingMs: number][] = [
    [4_000, 15_000],
    [14_000, 15_000],
    [15_000, 15_001],
    [90_000, 90_001],
  ];
  for (const [stampMs, ceilingMs] of cases) {
    const clock = new StampClock(self, stampZero);
    clock.forgo(stampAt(stampMs), 5_000);
    assertEquals(stampMillis(clock.ceiling), ceilingMs, `${stampMs} ms`);
  }
});

Deno.test("however short its lives are, a server does not run ahead of the time", () => {
  const lives = 1000;
  for (const lifeMs of [0, 10, 1000]) {
    let [highest, wall] = [stampZero, 1_767_225_600_000];
    for (let life = 0; life < lives; life++, wall += lifeMs) {
      const clock = new StampClock(self, highest);
      clock.next(wall);
      highest = clock.ceiling;
    }
    const aheadMs = stampMillis(highest) - wall;
    assert(aheadMs <= 10_000 + lives, `${aheadMs} ms ahead after lives of ${lifeMs} ms`);
  }
});

Deno.test("isStamp() takes stamps only", () => {
  assert(isStamp(stampZero));
  assert(isStamp(stampAt(1)));
  const bad = ["", stampAt(1).toUpperCase(), `${stampAt(1)}0`, ` ${stampAt(1)}`, "0-0-0"];
  for (const text of bad) assert(!isStamp(text), text);
});
