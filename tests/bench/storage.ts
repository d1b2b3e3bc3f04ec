/**
 * How fast the disk store is, as medians: `deno run -A tests/bench/storage.ts`. Directories are made
 * in the system's temporary directory: a disk, not memory, or the figures mean nothing.
 */
import { createHash } from "node:crypto";
import { type DiskStore, openDiskStore } from "../../lib/storage/disk_store.ts";
import type { RecordWrite } from "../../lib/ring/step.ts";
import { stampAt } from "../storage/sample.ts";

const rounds = 5;
const bodyBytes = 1024;
const largeBytes = 256 * 1024 * 1024;
const chunkBytes = 64 * 1024;
const manyRecords = 100_000;

const directory = Deno.makeTempDirSync();
let written = 0;
try {
  await benchStore(openDiskStore(`${directory}/store`));
  benchOpen(`${directory}/many`);
} finally {
  Deno.removeSync(directory, { recursive: true });
}

async function benchStore(store: DiskStore): Promise<void> {
  try {
    for (const { size, commits } of [{ size: 1, commits: 1000 }, { size: 50, commits: 100 }]) {
      const seconds = median(() => writeBatches(store, { size, commits }));
      report(`commits of ${size} records of 1 KiB`, `${Math.round(commits / seconds)}/s`);
      report(`records of 1 KiB, ${size} a commit`, `${Math.round(size * commits / seconds)}/s`);
    }
    const writes: number[] = [];
    const reads: number[] = [];
    for (let round = 0; round < 3; round++) {
      const start = performance.now();
      const sha256 = await writeLarge(store, round);
      const middle = performance.now();
      await readLarge(store, sha256);
      writes.push(middle - start);
      reads.push(performance.now() - middle);
    }
    report("large body written, hash and fsync included", rate(middleOf(writes)));
    report("the SHA-256 of it alone", rate(1000 * median(hashLarge)));
    report("large body read", rate(middleOf(reads)));
  } finally {
    store.close();
  }
}

function benchOpen(path: string): void {
  const store = openDiskStore(path);
  for (let n = 0; n < manyRecords; n += 1000) store.write(batchOf(1000));
  store.close();
  const seconds = median(() => openDiskStore(path).close());
  report(`open and close with ${manyRecords} records`, `${Math.round(seconds * 1000)} ms`);
}

function writeBatches(store: DiskStore, { size, commits }: { size: number; commits: number }) {
  for (let n = 0; n < commits; n++) store.write(batchOf(size));
}

/** Records of new names with bodies of their own. The hashes are not theirs, but cost nothing. */
function batchOf(size: number): RecordWrite[] {
  return Array.from({ length: size }, () => {
    const n = written++;
    const record = {
      name: `folder/${n}.txt`,
      stamp: stampAt(n + 1),
      sha256: (Math.imul(n, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0").padEnd(64, `${n}`),
      size: bodyBytes,
      contentType: "text/plain",
    };
    return { record, body: new Uint8Array(bodyBytes).fill(n) };
  });
}

async function writeLarge(store: DiskStore, seed: number): Promise<string> {
  const chunk = new Uint8Array(chunkBytes).fill(seed);
  const writer = store.createBody();
  for (let n = 0; n < largeBytes; n += chunkBytes) await writer.write(chunk);
  return (await writer.commit()).sha256;
}

async function readLarge(store: DiskStore, sha256: string): Promise<void> {
  const reader = store.openBody(sha256);
  let bytes = 0;
  for await (const chunk of reader?.chunks() ?? []) bytes += chunk.length;
  reader?.close();
  if (bytes !== largeBytes) throw new Error(`read ${bytes} of ${largeBytes} bytes`);
}

function hashLarge(): void {
  const chunk = new Uint8Array(chunkBytes);
  const hash = createHash("sha256");
  for (let n = 0; n < largeBytes; n += chunkBytes) hash.update(chunk);
  hash.digest();
}

/** The median of several runs, in seconds. */
function median(body: () => void): number {
  return middleOf(Array.from({ length: rounds }, () => {
    const start = performance.now();
    body();
    return performance.now() - start;
  })) / 1000;
}

function middleOf(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function rate(milliseconds: number): string {
  return `${Math.round(largeBytes / 1e6 / (milliseconds / 1000))} MB/s`;
}

function report(what: string, figure: string): void {
  console.log(`${what.padEnd(48)} ${figure}`);
}
