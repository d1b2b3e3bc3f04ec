/** What the page says of writes. */
import { assertEquals } from "@std/assert";
import { Writes } from "../../lib/web/page/writes.js";
import { fakeFile } from "./fake_ring.ts";

const now = Date.UTC(2026, 0, 2);
const names = new Map([["0".repeat(32), "4043"], ["b", "4044"], ["c", "4045"]]);

Deno.test("Writes count the servers that have stored a write, each once", () => {
  const writes = new Writes();
  const change = { record: fakeFile("a.html", 1, now), isNew: true };
  const texts = ["b", "c", "c"].map((id) => writes.describe(id, change, { names, now }).text);
  assertEquals(texts, [
    "a.html put at 4043: 1 copy",
    "a.html put at 4043: 2 copies",
    "a.html put at 4043: 2 copies",
  ]);
});

Deno.test("Writes tell a deletion and a replacement from a new file", () => {
  const writes = new Writes();
  const record = fakeFile("a.html", 1, now);
  const say = (change: Parameters<Writes["describe"]>[1]) =>
    writes.describe("b", change, { names, now }).text;
  assertEquals(say({ record, isNew: false }), "a.html replaced at 4043: 1 copy");
  const later = fakeFile("a.html", 0, now + 1);
  assertEquals(
    say({ record: { ...later, deleted: true }, isNew: false }),
    "a.html deleted at 4043: 1 server",
  );
});

Deno.test("Writes count what a server fetches that was written long before, in one entry", () => {
  const writes = new Writes();
  const fetched = ["a", "b", "c"].map((name, index) =>
    writes.describe("c", { record: fakeFile(name, 1, now - 3_600_000 + index), isNew: true }, {
      names,
      now: now + index,
    })
  );
  assertEquals(new Set(fetched.map(({ key }) => key)).size, 1);
  assertEquals(fetched.at(-1)?.text, "4045 fetched 3 files from the others.");
});
