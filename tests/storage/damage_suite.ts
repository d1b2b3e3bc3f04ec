/** What every store must do when it is full, when bodies wait in vain, and when bodies are damaged. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import { awaitedBodiesMax, awaitedMsMax } from "../../lib/storage/awaited_bodies.ts";
import { type Store, StoreFullError } from "../../lib/storage/store.ts";
import {
  bytesOf,
  inline,
  readAll,
  recordOf,
  sha256Of,
  stampAt,
  tombstone,
  upload,
} from "./sample.ts";
import type { OpenedStore, OpenOptions } from "./store_suite.ts";

type Test = (
  what: string,
  body: (store: Store, opened: OpenedStore) => void | Promise<void>,
  options?: OpenOptions,
) => void;

const largeBytes = inlineBytesMax + 1;
const little: OpenOptions = { isLittle: true };
const filesMax = 100;

/** Defines the tests by `test`. */
export function testDamage(test: Test): void {
  testFull(test);
  testAwaited(test);
  testScrub(test);
}

function testFull(test: Test): void {
  test("says that it is full from the first write that it refuses", (store) => {
    assertEquals(store.isFull, false);
    const count = fill(store);
    assertEquals(store.isFull, true);
    assertEquals(store.write([inline("small", { body: bytesOf(1) })]), [{ outcome: "full" }]);
    assertEquals(store.summary().files, count);
    assertThrows(() => store.createBody(), StoreFullError, "Cannot write a body: there is no room");
  }, little);

  test("stores the tombstones of a batch although it is full", (store) => {
    fill(store);
    const first = store.look("0");
    assert(first !== undefined);
    const batch = [
      inline("a", { body: bytesOf(inlineBytesMax) }),
      tombstone("b", 1),
      { record: first },
      tombstone("0", 2),
      inline("0", { stamp: 3, body: bytesOf(1) }),
    ];
    assertEquals(store.write(batch), [
      { outcome: "full" },
      { outcome: "stored" },
      { outcome: "superseded", previous: first },
      { outcome: "stored", previous: first },
      { outcome: "full" },
    ]);
    assertEquals(store.look("0")?.deleted, true);
    assertEquals(store.look("a"), undefined);
  }, little);

  test("saves the list although it is full", (store) => {
    fill(store);
    store.save({ incarnation: 9, members: [], stampCeiling: stampAt(9) });
    assertEquals(store.load(), { incarnation: 9, members: [], highestStamp: stampAt(9) });
  }, little);

  test("takes writes again when there is room", (store) => {
    fill(store);
    store.write([0, 1, 2, 3].map((n) => tombstone(`${n}`, 2)));
    assertEquals(store.isFull, false);
    assertEquals(store.write([inline("again", { body: bytesOf(1) })]), [{ outcome: "stored" }]);
  }, little);

  test("refuses the body that is being written when it becomes full", async (store) => {
    const writer = store.createBody();
    await writer.write(bytesOf(1));
    fill(store);
    await assertRejects(() => writer.write(bytesOf(inlineBytesMax)), StoreFullError, "no room");
    await writer.abort();
  }, little);
}

function testAwaited(test: Test): void {
  test("lets go of a body that waits too long for its record", async (store, { advance }) => {
    const body = bytesOf(largeBytes);
    const sha256 = await upload(store, body);
    advance(awaitedMsMax - 1);
    await store.scrub("", 1);
    assertEquals(store.hasBody(sha256), true);
    advance(1);
    await store.scrub("", 1);
    assertEquals(store.hasBody(sha256), false);
    assertEquals(store.write([{ record: recordOf("a", { body }) }]), [{ outcome: "bodyMissing" }]);
    await upload(store, body);
    assertEquals(store.write([{ record: recordOf("a", { body }) }]), [{ outcome: "stored" }]);
    advance(awaitedMsMax);
    await store.scrub("", 1);
    assertEquals(store.hasBody(sha256), true);
  });

  test("lets go of the oldest body when too many wait for their records", async (store) => {
    const first = await upload(store, bytesOf(4, 0));
    for (let n = 1; n < awaitedBodiesMax; n++) await upload(store, bytesOf(4, n));
    await store.scrub("", 1);
    assertEquals(store.hasBody(first), true);
    const last = await upload(store, bytesOf(4, awaitedBodiesMax));
    await store.scrub("", 1);
    assertEquals([store.hasBody(first), store.hasBody(last)], [false, true]);
  });
}

function testScrub(test: Test): void {
  test("finds nothing in a pass when all is well", async (store) => {
    assertEquals(await store.scrub("", 2), { damaged: [], totalsRepaired: false });
    await putFiles(store);
    assertEquals(await scrubAll(store), []);
    assertEquals(await store.scrub("", 2), { damaged: [], totalsRepaired: false, next: "b" });
    assertEquals(await store.scrub("d", 2), { damaged: [], totalsRepaired: false, next: "f" });
    assertEquals(await store.scrub("f", 2), { damaged: [], totalsRepaired: false });
  });

  test("counts what is written while a pass goes on", async (store) => {
    await putFiles(store);
    const first = await store.scrub("", 3);
    store.write([inline("a", { stamp: 8, body: bytesOf(7) }), tombstone("e", 8)]);
    store.write([inline("aa", { body: bytesOf(8) }), inline("dd", { body: bytesOf(9) })]);
    assertEquals(first.next, "c");
    const second = await store.scrub("c", 2);
    store.write([tombstone("dd", 9), inline("z", { body: bytesOf(1) })]);
    assertEquals(second.next, "dd");
    const third = await store.scrub("dd", 10);
    assertEquals(third, { damaged: [], totalsRepaired: false });
  });

  for (const how of ["damaged", "lost"] as const) {
    test(`finds bodies that are ${how}, and takes them again`, async (store, opened) => {
      const { small, large } = await putFiles(store);
      const harm = how === "lost" ? opened.loseBody : opened.damageBody;
      for (const body of [small, large]) {
        const summary = store.summary();
        const sha256 = sha256Of(body);
        harm(sha256);
        const names = body === small ? ["a", "e"] : ["c", "d"];
        assertEquals(await scrubAll(store), names);
        assertEquals(store.hasBody(sha256), false);
        assertEquals(store.openBody(sha256), undefined);
        assertEquals(store.summary(), summary);
        const record = store.look(names[0] ?? "");
        assert(record !== undefined);
        assertEquals(store.write([{ record }]), [{ outcome: "bodyMissing" }]);
        if (body === small) {
          assertEquals(store.write([{ record, body }]), [{ outcome: "stored", previous: record }]);
        } else {
          await upload(store, body);
        }
        assertEquals(store.write([{ record }]), [{ outcome: "superseded", previous: record }]);
        assertEquals(await readAll(store.openBody(sha256)), body);
        assertEquals(store.summary(), summary);
        assertEquals(await scrubAll(store), []);
      }
    });
  }

  test("does not bring an older record back to repair its body", async (store, { loseBody }) => {
    const body = bytesOf(10);
    store.write([inline("a", { stamp: 2, body })]);
    loseBody(sha256Of(body));
    const older = inline("a", { stamp: 1, body });
    const previous = store.look("a");
    assert(previous !== undefined);
    assertEquals(store.write([older]), [{ outcome: "superseded", previous }]);
    assertEquals(await scrubAll(store), ["a"]);
  });

  test("asks for no body of a file that was replaced during the scrub", async (store, opened) => {
    const body = bytesOf(4 * largeBytes);
    await upload(store, body);
    store.write([{ record: recordOf("a", { body }) }]);
    opened.damageBody(sha256Of(body));
    const scrubbed = store.scrub("", 10);
    store.write([tombstone("a", 2)]);
    const { damaged } = await scrubbed;
    // The memory store has no need to wait, and finds it before.
    assert(damaged.length === 0 || store.look("a")?.deleted);
    assertEquals(await scrubAll(store), []);
  });
}

/** Writes files of three bodies, and a tombstone: `a` to `g`. */
async function putFiles(store: Store): Promise<{ small: Uint8Array; large: Uint8Array }> {
  const small = bytesOf(1000, 1);
  const large = bytesOf(3 * largeBytes, 2);
  await upload(store, large);
  store.write([
    inline("a", { body: small }),
    inline("b", { body: bytesOf(0) }),
    { record: recordOf("c", { body: large }) },
    { record: recordOf("d", { body: large }) },
    inline("e", { body: small }),
    tombstone("f", 1),
    inline("g", { body: bytesOf(50, 3) }),
  ]);
  return { small, large };
}

/** The damaged names that one pass finds. */
async function scrubAll(store: Store): Promise<string[]> {
  const damaged: string[] = [];
  for (let after: string | undefined = ""; after !== undefined;) {
    const step: Awaited<ReturnType<Store["scrub"]>> = await store.scrub(after, 2);
    assertEquals(step.totalsRepaired, false);
    damaged.push(...step.damaged);
    after = step.next;
  }
  return damaged;
}

/** Writes files `0`, `1`, … until one is refused, and returns how many are stored. */
function fill(store: Store): number {
  for (let n = 0; n < filesMax; n++) {
    const [answer] = store.write([inline(`${n}`, { body: bytesOf(inlineBytesMax, n) })]);
    if (answer?.outcome === "stored") continue;
    assertEquals(answer, { outcome: "full" });
    return n;
  }
  throw new Error(`${filesMax} files fitted`);
}
