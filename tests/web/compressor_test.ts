import { assert, assertEquals } from "@std/assert";
import { setImmediate } from "node:timers";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { BytesReader } from "../../lib/storage/body.ts";
import { Compressor, type Task } from "../../lib/web/compressor.ts";

const text = new TextEncoder().encode("All work and no play. ".repeat(50_000));

function task(body: Uint8Array, options: Partial<Task> = {}): Task {
  const { length: size } = body;
  return { sha256: "a", size, coding: "gzip", open: () => new BytesReader(body), ...options };
}

Deno.test("Compressor gives what decompresses to the file", async () => {
  const compressor = new Compressor();
  const gzip = await compressor.compress(task(text));
  const brotli = await compressor.compress(task(text, { coding: "br" }));
  assertEquals(new Uint8Array(gunzipSync(gzip ?? "")), text);
  assertEquals(new Uint8Array(brotliDecompressSync(brotli ?? "")), text);
  assertEquals([compressor.get("a", "gzip"), compressor.get("a", "br")], [gzip, brotli]);
});

Deno.test("Compressor does not try twice what does not shrink", async () => {
  const compressor = new Compressor();
  const noise = crypto.getRandomValues(new Uint8Array(2000));
  assertEquals(await compressor.compress(task(noise)), undefined);
  let isOpened = false;
  const open = () => {
    isOpened = true;
    return undefined;
  };
  assertEquals(await compressor.compress(task(noise, { open })), undefined);
  assertEquals(isOpened, false);
});

Deno.test("Compressor lets the event loop turn while it works", async () => {
  let turns = 0;
  let isDone = false;
  const turn = () => {
    turns++;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  await new Compressor().compress(task(text));
  isDone = true;
  assert(turns > text.length / 65536, `${turns} turns`);
});

Deno.test("Compressor has few files under way, and leaves out the others", async () => {
  const compressor = new Compressor();
  const tasks = Array.from({ length: 10 }, (_, index) => task(text, { sha256: `${index}` }));
  const done = await Promise.all(tasks.map((task) => compressor.compress(task)));
  assertEquals(done.filter((bytes) => bytes !== undefined).length, 4);
  assert(await compressor.compress(task(text, { sha256: "9" })) !== undefined);
});

Deno.test("Compressor gives nothing when the file cannot be read, and tries again", async () => {
  const compressor = new Compressor();
  const reader = new BytesReader(text);
  let isClosed = false;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield text.subarray(0, 100_000);
    throw new Error("The disk is gone");
  }
  const broken = { size: reader.size, chunks, close: () => void (isClosed = true) };
  assertEquals(await compressor.compress(task(text, { open: () => broken })), undefined);
  assertEquals(isClosed, true);
  const open = () => {
    throw new Error("Too many open files");
  };
  assertEquals(await compressor.compress(task(text, { open })), undefined);
  assert(await compressor.compress(task(text)) !== undefined);
});
