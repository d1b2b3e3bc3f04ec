/** A file of 1 GiB, put at one of three durable servers, and got from another. */
import { Machine } from "../e2e/ring_process.ts";
import { residentMiB } from "./idle.ts";

const fileBytes = 1024 ** 3;
const chunkBytes = 1024 ** 2;

/** Times, with the client's process and its disk, and the peak memory of the servers. */
export async function measureLargeFile(): Promise<ReadonlyMap<string, number>> {
  await using machine = await Machine.create();
  const servers = await machine.startRing(3);
  const [first, , third] = servers;
  if (first === undefined || third === undefined) throw new Error("There is no ring");
  await writeLargeFile(machine.path("large.bin"));
  const put = await timed(() => first.runClient(["--put", "large.bin", "--timeout", "60s"]));
  const get = await timed(() =>
    third.runClient(["--get", "large.bin", "-o", "got.bin", "--timeout", "60s"])
  );
  const peaks = await Promise.all(servers.map((server) => residentMiB(server, "VmHWM")));
  return new Map([
    ["PUT 1 GiB to three servers, s", put],
    ["GET 1 GiB, s", get],
    ["1 GiB, highest peak of the three servers, MiB", Math.max(...peaks)],
  ]);
}

/** 1 GiB of random bytes, as equal ones might be stored or sent in less. */
export async function writeLargeFile(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  const writer = file.writable.getWriter();
  const chunk = new Uint8Array(chunkBytes);
  for (let start = 0; start < chunkBytes; start += 65536) {
    crypto.getRandomValues(chunk.subarray(start, start + 65536));
  }
  for (let written = 0; written < fileBytes; written += chunkBytes) {
    new DataView(chunk.buffer).setUint32(0, written / chunkBytes);
    await writer.write(chunk);
  }
}

/**
 * How long a command takes, in seconds.
 *
 * @throws {Error} if it fails.
 */
export async function timed(run: () => Promise<{ code: number; stderr: string }>): Promise<number> {
  const start = performance.now();
  const { code, stderr } = await run();
  if (code !== 0) throw new Error(`The transfer failed: ${stderr}`);
  return (performance.now() - start) / 1000;
}
