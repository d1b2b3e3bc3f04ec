import { assert, assertEquals } from "@std/assert";
import { type Applied, Applier, fetchesMax } from "../../lib/ring/applier.ts";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import { StampClock, stampZero } from "../../lib/ring/stamp.ts";
import type { WriteOutcome } from "../../lib/ring/step.ts";
import { PartHarness } from "./part_harness.ts";
import { addressOf, bodyOf, idOf, recordOf, stampAt } from "./sample.ts";

const sources = [addressOf("B"), addressOf("C")];

/** The applier of A, and what it said. */
class ApplierHarness extends PartHarness {
  readonly clock = new StampClock(idOf("A"), stampZero);
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

  whenSettled(name: string): void {
    this.step(() => this.applier.whenSettled(() => this.events.push(name)));
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

Deno.test("apply() fetches at most fetchesMax bodies at once, the others in turn", () => {
  const harness = new ApplierHarness();
  const count = fetchesMax + 3;
  for (let n = 0; n < count; n++) harness.apply(recordOf(`file ${n}`, "text"));
  for (let n = 0; n < count; n++) harness.written({ outcome: "bodyMissing" });
  const fetches = [...harness.take("fetch")];
  assertEquals(fetches.length, fetchesMax);
  for (let done = 1; done <= count; done++) {
    const fetch = fetches.shift();
    assert(fetch !== undefined);
    harness.finish({ type: "fetched", token: fetch.token, ok: done % 2 === 0 });
    fetches.push(...harness.take("fetch"));
    assertEquals(fetches.length, Math.min(fetchesMax, count - done));
  }
  assertEquals(harness.applied.length, Math.ceil(count / 2));
});

Deno.test("whenSettled() calls at once when nothing is under way", () => {
  const harness = new ApplierHarness();
  harness.whenSettled("settled");
  assertEquals(harness.events, ["settled"]);
});

Deno.test("whenSettled() waits for the applications that began before it, not for later ones", () => {
  const harness = new ApplierHarness();
  harness.apply(recordOf("a", "text"));
  harness.apply(recordOf("b", "text"));
  harness.whenSettled("settled");
  harness.apply(recordOf("c", "text"));
  harness.written({ outcome: "stored" });
  assertEquals(harness.events, ["a stored"]);
  harness.written({ outcome: "stored" });
  assertEquals(harness.events, ["a stored", "b stored", "settled"]);
});

Deno.test("whenSettled() waits for a fetch, and for the oldest of all", () => {
  const harness = new ApplierHarness();
  harness.apply(recordOf("a", "text"));
  harness.whenSettled("first");
  harness.apply(recordOf("b", "text"));
  harness.whenSettled("second");
  harness.written({ outcome: "bodyMissing" });
  harness.written({ outcome: "stored" });
  assertEquals(harness.events, ["b stored"]);
  for (const fetch of harness.take("fetch")) {
    harness.finish({ type: "fetched", token: fetch.token, ok: false });
  }
  assertEquals(harness.events, ["b stored", "a failed", "first", "second"]);
});
