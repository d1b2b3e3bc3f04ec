/**
 * What it costs to store a file of 1 KiB: one record, committed alone, and synced. Alone, and at the same
 * moment as others do, each in a process and a store of its own on the same disk.
 *
 * As a program it opens a store in the directory in its first argument, and for each byte on stdin makes
 * one write, and answers with a byte.
 */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { StampClock, stampZero } from "../../lib/ring/stamp.ts";
import { type DiskStore, openDiskStore } from "../../lib/storage/disk_store.ts";
import { median } from "./statistics.ts";

const bodyBytes = 1024;
const namesMax = 1000;
const warmUp = 50;
const writes = 250;

/** The median of some writes to a new store, in milliseconds. */
export function measureSync(directory: string): number {
  const store = openDiskStore(directory);
  const times: number[] = [];
  try {
    const write = writerTo(store);
    for (let count = 0; count < warmUp + writes; count++) {
      const start = performance.now();
      write();
      times.push(performance.now() - start);
    }
  } finally {
    store.close();
  }
  return median(times.slice(warmUp));
}

/** The median of the time that `processes` take for a write each, begun at once, in milliseconds. */
export async function measureSyncs(directory: string, processes: number): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const others = Array.from({ length: processes }, (_, index) => {
    return stack.use(new Writer(`${directory}-${index}`));
  });
  const times: number[] = [];
  for (let count = 0; count < warmUp + writes; count++) {
    const start = performance.now();
    await Promise.all(others.map((other) => other.write()));
    times.push(performance.now() - start);
  }
  return median(times.slice(warmUp));
}

/** The program, running. */
class Writer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #questions: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

  constructor(directory: string) {
    const program = fileURLToPath(import.meta.url);
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-read", "--allow-write", program, directory],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#questions = this.#child.stdin.getWriter();
    this.#answers = this.#child.stdout.getReader();
  }

  async write(): Promise<void> {
    await this.#questions.write(new Uint8Array(1));
    const { done } = await this.#answers.read();
    if (done) throw new Error("A process that writes has ended");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#questions.close();
    await this.#answers.cancel();
    await this.#child.status;
  }
}

/** Stores another body each time, under some names in turn. */
function writerTo(store: DiskStore): () => void {
  const stamps = new StampClock(store.id, stampZero);
  let count = 0;
  return () => {
    const body = crypto.getRandomValues(new Uint8Array(bodyBytes));
    const record = {
      name: `file-${count++ % namesMax}`,
      stamp: stamps.next(Date.now()),
      sha256: createHash("sha256").update(body).digest("hex"),
      size: bodyBytes,
      contentType: "text/plain",
    };
    store.write([{ record, body }]);
  };
}

if (import.meta.main) {
  const [directory = ""] = Deno.args;
  const store = openDiskStore(directory);
  const write = writerTo(store);
  for await (const bytes of Deno.stdin.readable) {
    for (let count = 0; count < bytes.length; count++) write();
    await Deno.stdout.write(bytes);
  }
  store.close();
}
