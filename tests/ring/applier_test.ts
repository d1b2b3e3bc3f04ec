import { assert, assertEquals } from "@std/assert";
import { type Applied, Applier, largeFetchesMax, smallFetchesMax } from "../../lib/ring/applier.ts";
import { type FileRecord, inlineBytesMax } from "../../lib/ring/file_record.ts";
import { StampClock, stampZero } from "../../lib/ring/stamp.ts";
import type { WriteOutcome } from "../../lib/ring/step.ts";
import { PartHarness } from "./part_harness.ts";
import { addressOf, bodyOf, idOf, recordOf, stampAt } from "./sample.ts";

const sources = [addressOf("B"), addressOf("C")];

/** The applier of A, and what it said. */
class ApplierHarness extends PartHarness {
  override readonly clock = new StampClock(idOf("A"), stampZero);
  readonly applier = new Applier(this.effects, this.clock);
  readonly applied: Applied[] = [];
  readonly events: string[] = [];
  #writes: readonly { readonly token: number }[] = [];

  apply(record: FileRecord, more: { body?: Uint8Array; upload?: string; sources?: string[] } = {}) {
    this.step(() =>
      this.applier.apply({ record, sources, ...more }, (applied) => {
        this.applied.push(applied);
        this.events.push(`${record.name} ${applied.deed}`);
      })
    );
  }

  /** Answers the oldest write that is open. */
  written(outcome: WriteOutcome): void {
    const [write, ...rest] = [...this.#writes, ...this.take("write")];
    assert(write !== undefined, "there is no write to answer");
    this.#writes = rest;
    this.finish({ type: "written", token: write.token, outcome, files: "" });
  }
}

const previous = recordOf("a", "old", { stamp: stampAt(1) });

const outcomes: readonly { rule: string; outcome: WriteOutcome; applied: Applied }[] = [
  {
    rule: "a new record is stored",
    outcome: { outcome: "stored" },
    applied: { deed: "stored", previous: undefined, changed: true },
  },
  {
    rule: "a record that replaces one is stored",
    outcome: { outcome: "stored", previous },
    applied: { deed: "stored", previous, changed: true },
  },
  {
    rule: "a record that is superseded counts as stored, and changes nothing",
    outcome: { outcome: "superseded", previous },
    applied: { deed: "stored", previous, changed: false },
  },
  {
    rule: "a full disk is a failure",
    outcome: { outcome: "full" },
    applied: { deed: "failed", reason: "full" },
  },
];

for (const { rule, outcome, applied } of outcomes) {
  Deno.test(`apply(): ${rule}, without a fetch`, () => {
    const harness = new ApplierHarness();
    harness.apply(recordOf("a", "text"));
    harness.written(outcome);
    assertEquals(harness.applied, [applied]);
    assertEquals(harness.take("fetch"), []);
  });
}

Deno.test("apply() hands the body to the write, if there is one", () => {
  const harness = new ApplierHarness();
  const record = recordOf("a", "text");
  harness.apply(record, { body: bodyOf("text") });
  harness.apply(record);
  assertEquals(harness.take("write").map(({ write }) => write), [
    { record, body: bodyOf("text") },
    { record },
  ]);
});

Deno.test("apply() fetches a body that is missing, and writes the record again", () => {
  const harness = new ApplierHarness();
  const record = recordOf("a", "text");
  harness.apply(record, { upload: "upload 1" });
  harness.written({ outcome: "bodyMissing" });
  const [fetch] = harness.take("fetch");
  assert(fetch !== undefined);
  assertEquals(fetch, { type: "fetch", token: fetch.token, record, sources, upload: "upload 1" });
  assertEquals(harness.applied, []);
  harness.finish({ type: "fetched", token: fetch.token, ok: true, body: bodyOf("text") });
  const [write] = harness.take("write");
  assertEquals(write?.write, { record, body: bodyOf("text") });
});

Deno.test("apply() says what became of the write after a fetch", () => {
  const cases: readonly [WriteOutcome, string][] = [
    [{ outcome: "stored" }, "a stored"],
    [{ outcome: "superseded", previous }, "a stored"],
    [{ outcome: "full" }, "a failed"],
    [{ outcome: "bodyMissing" }, "a failed"],
  ];
  for (const [outcome, expected] of cases) {
    const harness = new ApplierHarness();
    harness.apply(recordOf("a", "text"));
    harness.written({ outcome: "bodyMissing" });
    for (const fetch of harness.take("fetch")) {
      harness.finish({ type: "fetched", token: fetch.token, ok: true });
    }
    harness.written(outcome);
    assertEquals(harness.events, [expected]);
  }
});

Deno.test("apply() fails when nobody has the body, or there is nobody to ask", () => {
  const harness = new ApplierHarness();
  harness.apply(recordOf("a", "text"));
  harness.written({ outcome: "bodyMissing" });
  for (const fetch of harness.take("fetch")) {
    harness.finish({ type: "fetched", token: fetch.token, ok: false });
  }
  harness.apply(recordOf("b", "text"), { sources: [] });
  harness.written({ outcome: "bodyMissing" });
  assertEquals(harness.take("fetch"), []);
  const failed: Applied = { deed: "failed", reason: "bodyMissing" };
  assertEquals(harness.applied, [failed, failed]);
});

Deno.test("apply() puts the clock above the stamp of the record", () => {
  const harness = new ApplierHarness();
  const stamp = stampAt(2 ** 41);
  harness.apply(recordOf("a", "text", { stamp }));
  assert(harness.clock.next(0) > stamp);
});

/** A record whose body is too large to travel with it. */
function largeRecordOf(name: string): FileRecord {
  return recordOf(name, name, { size: inlineBytesMax + 1 });
}

for (
  const { kind, max, record } of [
    { kind: "small", max: smallFetchesMax, record: (name: string) => recordOf(name, "text") },
    { kind: "large", max: largeFetchesMax, record: largeRecordOf },
  ]
) {
  Deno.test(`apply() fetches at most ${max} ${kind} bodies at once, the others in turn`, () => {
    const harness = new ApplierHarness();
    const count = max + 3;
    for (let n = 0; n < count; n++) harness.apply(record(`file ${n}`));
    for (let n = 0; n < count; n++) harness.written({ outcome: "bodyMissing" });
    const fetches = [...harness.take("fetch")];
    assertEquals(fetches.length, max);
    for (let done = 1; done <= count; done++) {
      const fetch = fetches.shift();
      assert(fetch !== undefined);
      harness.finish({ type: "fetched", token: fetch.token, ok: done % 2 === 0 });
      fetches.push(...harness.take("fetch"));
      assertEquals(fetches.length, Math.min(max, count - done));
    }
    assertEquals(harness.applied.length, Math.ceil(count / 2));
  });
}

Deno.test("apply() does not let small bodies wait for large ones, nor the other way round", () => {
  const harness = new ApplierHarness();
  for (let n = 0; n < largeFetchesMax; n++) harness.apply(largeRecordOf(`large ${n}`));
  for (let n = 0; n < smallFetchesMax; n++) harness.apply(recordOf(`small ${n}`, "text"));
  for (let n = 0; n < largeFetchesMax + smallFetchesMax; n++) {
    harness.written({ outcome: "bodyMissing" });
  }
  assertEquals(harness.take("fetch").length, largeFetchesMax + smallFetchesMax);
});

Deno.test("apply() does not let a body that is arriving wait for those that are pulled", () => {
  const harness = new ApplierHarness();
  for (let n = 0; n < largeFetchesMax; n++) harness.apply(largeRecordOf(`pulled ${n}`));
  for (let n = 0; n < 2; n++) harness.apply(largeRecordOf(`put ${n}`), { upload: `upload ${n}` });
  for (let n = 0; n < largeFetchesMax + 2; n++) harness.written({ outcome: "bodyMissing" });
  const uploads = harness.take("fetch").map(({ upload }) => upload).filter(Boolean);
  assertEquals(uploads, ["upload 0", "upload 1"]);
});

Deno.test("apply() does not let the bodies of a pull wait for those that are arriving", () => {
  const harness = new ApplierHarness();
  for (let n = 0; n < largeFetchesMax; n++) {
    harness.apply(largeRecordOf(`put ${n}`), { upload: `upload ${n}` });
  }
  harness.apply(largeRecordOf("pulled"));
  for (let n = 0; n <= largeFetchesMax; n++) harness.written({ outcome: "bodyMissing" });
  assertEquals(harness.take("fetch").length, largeFetchesMax + 1);
});

Deno.test("a record is past when its stamp is not above the highest that was forgone", () => {
  const { applier } = new ApplierHarness();
  const isPast = () =>
    [4, 5, 6].map((at) => applier.isPast(recordOf("a", "", { stamp: stampAt(at) })));
  assertEquals(isPast(), [false, false, false]);
  for (const at of [5, 4]) {
    applier.forgo(stampAt(at));
    assertEquals(isPast(), [true, true, false]);
  }
});

Deno.test("an applier is idle when no write, and no fetch, is under way", () => {
  const harness = new ApplierHarness();
  const isIdle: boolean[] = [harness.applier.isIdle];
  harness.apply(recordOf("a", "text"));
  harness.apply(recordOf("b", "text"));
  isIdle.push(harness.applier.isIdle);
  harness.written({ outcome: "stored" });
  harness.written({ outcome: "bodyMissing" });
  isIdle.push(harness.applier.isIdle);
  for (const fetch of harness.take("fetch")) {
    harness.finish({ type: "fetched", token: fetch.token, ok: true });
  }
  isIdle.push(harness.applier.isIdle);
  harness.written({ outcome: "stored" });
  isIdle.push(harness.applier.isIdle);
  assertEquals(isIdle, [true, false, false, false, true]);
});
