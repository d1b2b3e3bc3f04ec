/**
 * A power cut at every point: a child does 200 operations to a store while its system calls are
 * recorded. They are made again on a model of a disk, which is cut off between two of them, and the
 * store is opened with what is on it then.
 *
 * There are some thousand points, of which a sample is tested: all with `RING_CRASH_POINTS=all`, other
 * operations with `RING_CRASH_SEED=2`.
 */
import { assert, assertEquals } from "@std/assert";
import { keptBody } from "../../lib/storage/body.ts";
import { type DiskStore, openDiskStore } from "../../lib/storage/disk_store.ts";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import { needs } from "../permission.ts";
import { CrashDisk, type Loss } from "./crash_disk.ts";
import { type Contents, contentsAfter, nothing, operationsOf, randomOf } from "./crash_trace.ts";
import { inline } from "./sample.ts";
import { canTrace, readCalls, straceArguments, type SystemCall } from "./system_calls.ts";

/** How many points are tested unless all are. */
const pointsSampled = 80;

const permissions = needs("read", "write", "run", "env");
const ignore = permissions.ignore || Deno.build.os !== "linux" || !await canTrace();
const seed = ignore ? 0 : Number(Deno.env.get("RING_CRASH_SEED") ?? 1);
const isSampled = ignore || Deno.env.get("RING_CRASH_POINTS") !== "all";

/** What must be there after a crash. */
interface Expected {
  /** The store's id, once that was acknowledged. */
  readonly id: string | undefined;
  /** After what was acknowledged, and after what was under way as well. */
  readonly contents: readonly Contents[];
}

Deno.test({
  name: "DiskStore loses nothing that it acknowledged, and keeps nothing half, at any power cut",
  ignore,
  fn: async (test) => {
    const directory = Deno.makeTempDirSync();
    try {
      const calls = await record(directory);
      checkRecord(calls, directory);
      const points = new Set(isSampled ? sampleOf(calls.length) : calls.keys());
      await test.step(
        `${3 * points.size} cuts at ${points.size} of ${calls.length} points of seed ${seed}`,
        () => cutAll(calls, { directory, points }),
      );
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
});

/** The system calls of a child that works on the store in `directory`, in `data`. */
async function record(directory: string): Promise<SystemCall[]> {
  const trace = `${directory}.strace`;
  try {
    const { success, stderr } = await new Deno.Command("strace", {
      args: [
        ...straceArguments(trace),
        ...[Deno.execPath(), "run", "--quiet", "--no-prompt", "--allow-read", "--allow-write"],
        ...[import.meta.resolve("./crash_points_child.ts"), `${directory}/data`, `${seed}`],
      ],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    return readCalls(await Deno.readTextFile(trace), directory);
  } finally {
    Deno.removeSync(trace);
  }
}

/** Checks that the record is whole: without a crash it comes to the files that are there. */
function checkRecord(calls: readonly SystemCall[], directory: string): void {
  const disk = new CrashDisk(directory);
  for (const call of calls) disk.call(call);
  const copy = Deno.makeTempDirSync();
  try {
    disk.crash(copy, { type: "tear", random: () => 0 });
    const paths = filesIn(directory);
    assertEquals(filesIn(copy), paths);
    for (const path of paths) {
      const [original, copied] = [directory, copy].map((root) => Deno.readFileSync(root + path));
      assert(original !== undefined && copied !== undefined);
      assert(equalBytes(original, copied), `the copy of ${path} is not equal`);
    }
  } finally {
    Deno.removeSync(copy, { recursive: true });
  }
}

/** Cuts the power before each of the points, in three ways. */
async function cutAll(
  calls: readonly SystemCall[],
  { directory, points }: { directory: string; points: ReadonlySet<number> },
): Promise<void> {
  const operations = operationsOf(seed);
  const disk = new CrashDisk(directory);
  let before = nothing;
  let after = nothing;
  let id: string | undefined;
  for (const [point, call] of calls.entries()) {
    if (points.has(point)) {
      const random = randomOf(seed + point);
      for (
        const loss of [{ type: "all" }, { type: "tear", random }, { type: "some", random }] as const
      ) {
        await cut(disk, { loss, point, expected: { id, contents: [before, after] } });
      }
    }
    disk.call(call);
    if (call.type !== "print") continue;
    const [number = "", name] = call.text.trim().split(" ");
    id ??= name;
    before = after;
    const next = operations[Number(number)];
    if (next !== undefined) after = contentsAfter(before, next);
  }
}

async function cut(
  disk: CrashDisk,
  { loss, point, expected }: { loss: Loss; point: number; expected: Expected },
): Promise<void> {
  const target = Deno.makeTempDirSync();
  try {
    disk.crash(target, loss);
    const store = openDiskStore(`${target}/data`);
    try {
      await checkStore(store, expected);
      checkBodies(store, `${target}/data`);
      const [again] = store.write([inline("after", { stamp: 1, body: new Uint8Array(9) })]);
      assertEquals(again, { outcome: "stored" });
    } finally {
      store.close();
    }
  } catch (cause) {
    throw new Error(`The power was cut before call ${point}, losing ${loss.type}: ${cause}`, {
      cause,
    });
  } finally {
    Deno.removeSync(target, { recursive: true });
  }
}

async function checkStore(store: DiskStore, { id, contents }: Expected): Promise<void> {
  assertEquals(store.id, id ?? store.id);
  const [before, after] = contents.map(orderedContents);
  const records = store.scan({ limit: 1000, tombstones: true });
  const found = { records, ring: store.load() };
  if (JSON.stringify(found) !== JSON.stringify(after)) assertEquals(found, before);
  // Checks all bodies, and the totals with the digest.
  assertEquals(await store.scrub("", 1000), { damaged: [], totalsRepaired: false });
}

function orderedContents({ records, ring }: Contents) {
  return { records: [...records.values()].sort((a, b) => a.name < b.name ? -1 : 1), ring };
}

/** Checks that there is a file for every large body, and for nothing else. */
function checkBodies(store: DiskStore, directory: string): void {
  const bodies = store.scan({ limit: 1000, tombstones: false })
    .filter(({ size }) => size > inlineBytesMax)
    .map((record) => keptBody(record) ?? "")
    .map((sha256) => `/${sha256.slice(0, 2)}/${sha256}`);
  assertEquals(filesIn(`${directory}/bodies`), [...new Set(bodies)].sort());
}

/** Points at equal distances, each moved by chance within its own. */
function sampleOf(count: number): number[] {
  const random = randomOf(seed);
  const distance = Math.max(1, Math.floor(count / pointsSampled));
  return Array.from(
    { length: Math.min(count, pointsSampled) },
    (_, i) => i * distance + random(distance),
  );
}

/** The paths of all files under a directory, from there, sorted. */
function filesIn(directory: string, path = ""): string[] {
  return [...Deno.readDirSync(directory + path)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(directory, `${path}/${name}`) : [`${path}/${name}`]
  ).sort();
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
