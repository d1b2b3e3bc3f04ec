import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { circleKey, hopTriesMax } from "../../lib/ring/circles.ts";
import { Cores } from "./cores.ts";
import { idOf, type Name, names, putOf } from "./sample.ts";

/** A creator gives up after 9 s; by then its last attempt may have each hop before it, 1 s for each. */
const endMs = 30_000;

/** Servers are suspected, and the list changes, from then on, in milliseconds. */
const beforeSuspicionMs = 2900;

const ringNames = names.slice(0, 5);

/** Every ring of three to five, with every link broken one way, and every server as the creator. */
function* cases(): Iterable<{ ring: Name[]; creator: Name; from: Name; to: Name }> {
  for (const size of [3, 4, 5]) {
    const ring = ringNames.slice(0, size);
    for (const creator of ring) {
      for (const from of ring) {
        for (const to of ring) if (from !== to) yield { ring, creator, from, to };
      }
    }
  }
}

Deno.test("a FIND is back from every server in 3 s, whichever link is broken one way", () => {
  for (const { ring, creator, from, to } of cases()) {
    const cores = new Cores(...ring);
    cores.breakLink(from, to);
    const request = cores.ask(creator, { type: "GET", item: "a" });
    cores.run(beforeSuspicionMs);
    const answer = cores.answers.get(request);
    assertEquals(answer?.status, 404, `${ring} asked at ${creator}, ${from} to ${to} broken`);
  }
});

Deno.test("a write is on every server in 3 s, and is answered, whichever link is broken one way", () => {
  for (const { ring, creator, from, to } of cases()) {
    const cores = new Cores(...ring);
    cores.breakLink(from, to);
    const request = cores.ask(creator, putOf("a", "text"));
    cores.run(beforeSuspicionMs);
    const answer = cores.answers.get(request);
    const about = `${ring} asked at ${creator}, ${from} to ${to} broken`;
    assert(answer?.type === "PUT", about);
    assertEquals([answer.status, answer.copies], [201, ring.length], about);
    for (const name of ring) assert(cores.disk(name).records.has("a"), about);
  }
});

Deno.test("a circle in a healthy ring takes one hop for each server, and no more", () => {
  const cores = new Cores(...names);
  cores.ask("C", putOf("a", "text"));
  cores.run(3000);
  assertEquals(cores.forwards().map(({ from, to }) => `${from}${to}`), [
    ...["CD", "DE", "EF", "FA", "AB", "BC"],
  ]);
});

Deno.test("however links are broken, a circle takes few messages, and ends", () => {
  const size = fc.integer({ min: 2, max: names.length });
  const links = names.flatMap((from) => names.map((to) => [from, to] as const));
  const broken = fc.subarray(links.filter(([from, to]) => from !== to));
  const ask = fc.boolean();
  fc.assert(
    fc.property(size, broken, ask, fc.constantFrom(...names), (size, broken, isGet, at) => {
      const ring = names.slice(0, size);
      const cores = new Cores(...ring);
      const creator = ring[names.indexOf(at) % size] ?? "A";
      for (const [from, to] of broken) cores.breakLink(from, to);
      const start = cores.now;
      cores.ask(creator, isGet ? { type: "GET", item: "a" } : putOf("a", "text"));
      cores.run(endMs + 10_000);
      assertFew(cores, size);
      assertEquals(cores.forwards(start + endMs), []);
    }),
    { numRuns: 60 },
  );
});

/** One attempt of a circle takes, for each pair of servers, two hops on average: one, and a detour. */
function assertFew(cores: Cores, size: number): void {
  const counts = new Map<string, number>();
  for (const { message: { circle } } of cores.forwards()) {
    const key = `${circleKey(circle)} ${circle.attempt}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const most = 2 * hopTriesMax * size * (size - 1);
  for (const [key, count] of counts) assert(count <= most, `${key} took ${count} messages`);
}

Deno.test("a server that nobody reaches, and that reaches all, does not keep a circle going", () => {
  const cores = new Cores("A", "B", "C", "D");
  for (const name of ["B", "C", "D"] as const) cores.breakLink(name, "A");
  const request = cores.ask("A", { type: "GET", item: "a" });
  cores.run(12_000);
  assertEquals(cores.answers.get(request)?.status, 503);
  const seen = cores.forwards().filter(({ message }) => message.circle.creator === idOf("A"));
  assert(seen.length > 0 && seen.every(({ at }) => at < 11_000));
});

Deno.test("tombstones are dropped on every server of a ring, and nothing else is", () => {
  for (const ring of [names.slice(0, 2), names.slice(0, 4)]) {
    const cores = new Cores(...ring);
    for (const ask of [putOf("a", "text"), putOf("b", "text"), bury("a")]) {
      cores.ask("A", ask);
      cores.run(100);
    }
    for (const name of ring) assertEquals(cores.disk(name).records.get("a")?.deleted, true);
    const request = cores.collect("B");
    cores.run(100);
    assertEquals(cores.answers.get(request), { type: "GC", status: 200, dropped: 1 });
    for (const name of ring) assertEquals([...cores.disk(name).records.keys()], ["b"]);
  }
});

function bury(item: string) {
  return { type: "DELETE", item } as const;
}
