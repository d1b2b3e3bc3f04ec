import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { InvariantError } from "../../lib/ring/assert.ts";
import { firstPosition, positionBetween, positionDigitsMax } from "../../lib/ring/position.ts";
import { idOf, idOfNumber, sha256 } from "./sample.ts";

const id = idOf("A");

function arbitraryId(): fc.Arbitrary<string> {
  return fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((n) =>
    n.toString(16).padStart(32, "0")
  );
}

/** Positions as the core makes them: the first, and any that ends in a byte other than 0. */
function arbitraryPosition(): fc.Arbitrary<string> {
  const bytes = fc.uint8Array({ maxLength: 6 });
  return fc.tuple(bytes, fc.integer({ min: 1, max: 255 })).map(([head, tail]) =>
    [...head, tail].map((byte) => byte.toString(16).padStart(2, "0")).join("")
  );
}

function arbitraryGap(): fc.Arbitrary<{ low: string; high: string }> {
  return fc.tuple(arbitraryPosition(), arbitraryPosition())
    .filter(([a, b]) => a !== b)
    .map(([a, b]) => a < b ? { low: a, high: b } : { low: b, high: a });
}

/** Inserts until there is no room, each time into the gap that `next` makes of the last one. */
function insertUntilFull(
  next: (position: string) => { low: string; high: string | undefined },
): readonly string[] {
  const positions: string[] = [];
  let gap: { low: string; high: string | undefined } = { low: firstPosition, high: undefined };
  for (;;) {
    const random = sha256(`newcomer ${positions.length}`).slice(0, 32);
    const position = positionBetween(gap, random);
    if (position === undefined) return positions;
    positions.push(position);
    gap = next(position);
  }
}

Deno.test("positionBetween() is strictly between its neighbours, in bytes, within its bound", () => {
  fc.assert(fc.property(arbitraryGap(), arbitraryId(), (gap, id) => {
    const position = positionBetween(gap, id);
    assert(position !== undefined);
    assert(gap.low < position && position < gap.high, `${gap.low} ${position} ${gap.high}`);
    assert(/^(?:[0-9a-f]{2})+$/.test(position));
    assert(position.length <= positionDigitsMax);
  }));
});

Deno.test("positionBetween() without a high neighbour is after the low one", () => {
  fc.assert(fc.property(arbitraryPosition(), arbitraryId(), (low, id) => {
    const position = positionBetween({ low, high: undefined }, id);
    assert(position !== undefined && position > low);
  }));
});

Deno.test("positionBetween() gives the same place for the same id and gap", () => {
  const gap = { low: "00", high: "80" };
  assertEquals(positionBetween(gap, id), positionBetween(gap, id));
});

Deno.test("positionBetween() gives two ids different places in one gap", () => {
  const step = fc.integer({ min: 1, max: 2 ** 24 - 1 });
  fc.assert(fc.property(arbitraryGap(), fc.nat(), step, (gap, n, step) => {
    const [one, other] = [n, n + step].map((number) => positionBetween(gap, idOfNumber(number)));
    assertNotEquals(one, other);
  }));
});

Deno.test("positionBetween() leaves room for over a thousand insertions after one member", () => {
  const positions = insertUntilFull((position) => ({ low: firstPosition, high: position }));
  assert(positions.length > 1000, `${positions.length} insertions`);
  assertEquals(positions, [...positions].sort().reverse());
});

Deno.test("positionBetween() leaves room for over a thousand insertions at the end", () => {
  const positions = insertUntilFull((position) => ({ low: position, high: undefined }));
  assert(positions.length > 1000, `${positions.length} insertions`);
  assertEquals(positions, [...positions].sort());
});

Deno.test("positionBetween() returns undefined where only more digits would make room", () => {
  const head = "0".repeat(positionDigitsMax - 8);
  const high = `${head}01000002`;
  assertEquals(positionBetween({ low: `${head}00000001`, high }, id)?.length, positionDigitsMax);
  assertEquals(positionBetween({ low: `${head}00000002`, high }, id), undefined);
});

Deno.test("positionBetween() asserts that there is a gap", () => {
  for (const high of ["40", "3f", "00"]) {
    assertThrows(() => positionBetween({ low: "40", high }, id), InvariantError, "no gap");
  }
});
