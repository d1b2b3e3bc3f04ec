/** What is changed on a server's disk behind its back comes back from the other servers. */
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { startServer, stopTimeoutMs } from "../../lib/server/server.ts";
import { MemoryStore } from "../../lib/storage/memory_store.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { bytesOf, flipBit, sha256Of } from "../storage/sample.ts";
import { replaceMethod } from "./double.ts";
import { ip, Ring, untilAlive } from "./ring.ts";

/** An interval in which no pass begins by itself, in milliseconds. */
const never = 1_000_000_000;

/** How soon passes follow each other where nobody asks for them, in milliseconds. */
const often = 20;

const small = bytesOf(1000, 1);
const large = bytesOf(200_000, 2);

/** Damages the disk of the first server. */
type Damage = (ring: Ring, scrubIntervalMs: number) => void | Promise<void>;

const damages: { what: string; item: string; damage: Damage }[] = [
  {
    what: "a large body that was removed",
    item: "large",
    damage: (ring) => Deno.removeSync(pathOf(directoryOf(ring), large)),
  },
  {
    what: "a large body in which a bit has flipped",
    item: "large",
    damage: (ring) => {
      const path = pathOf(directoryOf(ring), large);
      Deno.writeFileSync(path, flipped(large));
    },
  },
  {
    what: "a large body that was cut",
    item: "large",
    damage: (ring) => Deno.truncateSync(pathOf(directoryOf(ring), large), 1000),
  },
  {
    what: "a small body in which a bit has flipped",
    item: "small",
    damage: (ring, scrubIntervalMs) =>
      change(ring, {
        scrubIntervalMs,
        statement: "UPDATE bodies SET bytes = ?",
        values: [flipped(small)],
      }),
  },
  {
    what: "a small body that was removed",
    item: "small",
    damage: (ring, scrubIntervalMs) =>
      change(ring, { scrubIntervalMs, statement: "DELETE FROM bodies" }),
  },
  {
    what: "a record in which the size has changed",
    item: "small",
    damage: (ring, scrubIntervalMs) =>
      change(ring, {
        scrubIntervalMs,
        statement: "UPDATE records SET size = 7 WHERE name = 'small'",
      }),
  },
  {
    what: "a record whose name has changed",
    item: "large",
    damage: (ring, scrubIntervalMs) =>
      change(ring, {
        scrubIntervalMs,
        statement: "UPDATE records SET name = 'x' WHERE name = 'large'",
      }),
  },
  {
    what: "a tombstone that has become a file",
    item: "gone",
    damage: (ring, scrubIntervalMs) =>
      change(ring, {
        scrubIntervalMs,
        statement: "UPDATE records SET deleted = 0 WHERE name = 'gone'",
      }),
  },
];

for (const { what, item, damage } of damages) {
  // Nobody sees from outside that a tombstone is back.
  if (item !== "gone") {
    test(`a server mends, without being asked, ${what}`, async () => {
      await using ring = await ringWithFiles({ size: 2, scrubIntervalMs: often });
      await damage(ring, often);
      await untilWhole(ring);
    });
  }

  test(`VERIFY finds, and mends, ${what}`, async () => {
    await using ring = await ringWithFiles({ size: 3, scrubIntervalMs: never });
    await damage(ring, never);
    using wire = await ring.connect();
    const { checked: _, ...answer } = await verify(wire);
    const damaged = [what.includes("whose name") ? "x" : item];
    assertEquals<unknown>(answer, { ...sound, damaged, damagedCount: 1 });
    await untilWhole(ring);
    assertEquals<unknown>(await verify(wire), { ...sound, checked: 3 });
  });
}

test("a GET of a file whose body is missing here brings it from another server", async () => {
  await using ring = await ringWithFiles({ size: 2, scrubIntervalMs: never });
  for (const { item, damage } of damages.filter(({ what }) => what.includes("body that was rem"))) {
    await damage(ring, never);
    using wire = await ring.connect();
    const got = await wire.ask({ type: "GET", item });
    const body = item === "large" ? large : small;
    assertEquals([got.status, sha256Of(got.body)], [200, sha256Of(body)]);
  }
  await untilWhole(ring);
});

test("a GET of a file whose body nobody has any more is refused with 503", async () => {
  await using ring = await ringWithFiles({ size: 1, scrubIntervalMs: never });
  using wire = await ring.connect();
  Deno.removeSync(pathOf(directoryOf(ring), large));
  const got = await wire.ask({ type: "GET", item: "large" });
  assert(got.type === "GET");
  assertEquals([got.status, got.body.length], [503, 0]);
  const put = await wire.put("large", large);
  assertEquals(put.status, 200);
  assertEquals((await wire.ask({ type: "GET", item: "large" })).status, 200);
});

test("VERIFY says what is lost for good", async () => {
  await using ring = await ringWithFiles({ size: 2, scrubIntervalMs: never });
  for (const directory of ring.directories) Deno.removeSync(pathOf(directory, large));
  using wire = await ring.connect();
  const { damaged, damagedCount, lost, lostCount } = await verify(wire);
  assertEquals([damaged, damagedCount, lost, lostCount], [["large"], 1, ["large"], 1]);
});

test("a server that stops does not wait for a VERIFY", async () => {
  const ring = await Ring.start();
  // A pass that never comes to an end.
  const step = { damaged: [], totalsRepaired: false, next: "a" };
  using _ = replaceMethod(MemoryStore.prototype, "scrub", () => () => Promise.resolve(step));
  using wire = await ring.connect();
  await wire.send({ type: "VERIFY" });
  using other = await ring.connect();
  assertEquals((await other.ask({ type: "STATUS" })).status, 200);
  const began = performance.now();
  const [answer] = await Promise.all([wire.answer(), ring.server().stop()]);
  assertEquals([answer.status, "error" in answer && answer.error], [503, "This server stops"]);
  assert(performance.now() - began < stopTimeoutMs);
});

const sound = { type: "VERIFY", status: 200, damaged: [], damagedCount: 0, lost: [], lostCount: 0 };

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ...needs("net", "read", "write"), fn });
}

/** A ring whose servers have a small file, a large one, and a tombstone. */
async function ringWithFiles(
  { size, scrubIntervalMs }: { size: number; scrubIntervalMs: number },
): Promise<Ring> {
  const ring = await Ring.start({ size, onDisk: true, server: { scrubIntervalMs } });
  using wire = await ring.connect();
  await wire.put("small", small);
  await wire.put("large", large);
  await wire.put("gone", small);
  assertEquals((await wire.ask({ type: "DELETE", item: "gone" })).status, 200);
  return ring;
}

async function verify(wire: Awaited<ReturnType<Ring["connect"]>>) {
  const { body: _, ...answer } = await wire.ask({ type: "VERIFY" });
  assert(answer.type === "VERIFY", `answered ${answer.type}`);
  return answer;
}

/** The data directory of the first server: the one whose disk is damaged. */
function directoryOf(ring: Ring): string {
  const [directory] = ring.directories;
  if (directory === undefined) throw new Error("the ring is not on disk");
  return directory;
}

function pathOf(directory: string, body: Uint8Array): string {
  const sha256 = sha256Of(body);
  return `${directory}/bodies/${sha256.slice(0, 2)}/${sha256}`;
}

/** Changes a row of the first server, which is stopped meanwhile: it has its database for itself. */
async function change(
  ring: Ring,
  { statement, values = [], scrubIntervalMs }: {
    statement: string;
    values?: Uint8Array[];
    scrubIntervalMs: number;
  },
): Promise<void> {
  const directory = directoryOf(ring);
  await ring.server().stop();
  {
    using database = new DatabaseSync(`${directory}/ring.db`);
    assertEquals(Number(database.prepare(statement).run(...values).changes), 1);
  }
  ring.servers[0] = await startServer({
    ip,
    port: 0,
    dataDirectory: () => directory,
    scrubIntervalMs,
  });
  await untilAlive(ring.server().address, ring.servers.length);
}

function flipped(body: Uint8Array): Uint8Array {
  const bytes = body.slice();
  flipBit(bytes);
  return bytes;
}

/** Waits until the first server has all files on its disk, and all servers have the same. */
async function untilWhole(ring: Ring): Promise<void> {
  const options = { what: "the first server to be whole", withinMs: 20_000 };
  await eventually(async () => await isWhole(ring) && await areEqual(ring), options);
}

async function isWhole(ring: Ring): Promise<boolean> {
  using wire = await ring.connect();
  const list = await wire.ask({ type: "LIST", prefix: "", after: "" });
  if (list.type !== "LIST") return false;
  for (const body of [small, large]) {
    // A server answers this from its own disk, as it is.
    await wire.send({ type: "FETCH", sha256: sha256Of(body) });
    // What is damaged is cut off before its end.
    const reply = await wire.receive().catch(() => undefined);
    if (reply?.value.status !== 200 || sha256Of(reply.body) !== sha256Of(body)) return false;
  }
  return list.files.map(({ name }) => name).join() === "large,small";
}

async function areEqual(ring: Ring): Promise<boolean> {
  const digests = await Promise.all(ring.servers.map(async (_, index) => {
    using wire = await ring.connect(index);
    const status = await wire.ask({ type: "STATUS" });
    return status.type === "STATUS" && status.digest;
  }));
  return new Set(digests).size === 1;
}
