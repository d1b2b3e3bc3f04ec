/** A file of 5 GiB over HTTP: put at one of two servers, and got in ranges at the other. */
import { Buffer } from "node:buffer";
import { request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Machine, type ServerProcess } from "../e2e/ring_process.ts";
import { sampleBytes } from "../e2e/sample.ts";
import { webUrl } from "../e2e/web_front.ts";
import { residentMiB } from "./idle.ts";

const fileBytes = 5 * 1024 ** 3;
const rangeBytes = 256 * 1024 ** 2;
/** How many ranges are fetched at a time. */
const clients = 4;
/** The file repeats after so many bytes, a prime: a range that is shifted is another one. */
const periodBytes = 1_048_583;

/** Twice what the file repeats, so that what is no longer than a period lies in one piece. */
const period = twice(sampleBytes(periodBytes));

/** Times, with the client's part in them, and the peak memory of the servers: the target is 256 MiB. */
export async function measureHugeFile(): Promise<ReadonlyMap<string, number>> {
  await using machine = await Machine.create();
  const servers = await machine.startRing(2, ["--max-file", "6GB"]);
  const [first, second] = servers;
  if (first === undefined || second === undefined) throw new Error("There is no ring");
  const put = await timed(() => putFile(first));
  const afterPut = await peaks(servers);
  const get = await timed(() => getRanges(second));
  const [firstPeak = NaN, secondPeak = NaN] = await peaks(servers);
  return new Map([
    ["HTTP PUT 5 GiB to two servers, s", put],
    ["HTTP PUT 5 GiB, higher peak of the servers, MiB", Math.max(...afterPut)],
    ["HTTP GET 5 GiB in ranges, s", get],
    ["HTTP 5 GiB, peak of the server it was put at, MiB", firstPeak],
    ["HTTP 5 GiB, peak of the server it was got from, MiB", secondPeak],
  ]);
}

async function putFile(server: ServerProcess): Promise<void> {
  const headers = { "Content-Length": String(fileBytes) };
  const outgoing = request(webUrl(server, "huge.bin"), { method: "PUT", headers });
  const answered = new Promise<number | undefined>((resolve, reject) => {
    outgoing.once("error", reject);
    outgoing.once("response", (response) => {
      response.resume();
      resolve(response.statusCode);
    });
  });
  await pipeline(Readable.from(fileChunks()), outgoing);
  const status = await answered;
  if (status !== 201) throw new Error(`The PUT of a huge file was answered with ${status}`);
}

function* fileChunks(): Generator<Uint8Array> {
  for (let start = 0; start < fileBytes; start += periodBytes) {
    yield period.subarray(0, Math.min(periodBytes, fileBytes - start));
  }
}

async function getRanges(server: ServerProcess): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: clients }, async () => {
    while (next < fileBytes) {
      const start = next;
      next += rangeBytes;
      await getRange(server, start);
    }
  }));
}

/**
 * Gets one range, and looks at every byte.
 *
 * @throws {Error} if any of them is wrong or missing.
 */
async function getRange(server: ServerProcess, start: number): Promise<void> {
  const end = Math.min(start + rangeBytes, fileBytes);
  const headers = { "Range": `bytes=${start}-${end - 1}` };
  const { status, body } = await fetch(webUrl(server, "huge.bin"), { headers });
  if (status !== 206 || body === null) throw new Error(`A range was answered with ${status}`);
  let position = start;
  for await (const chunk of body) {
    const offset = position % periodBytes;
    const isSame = Buffer.compare(chunk, period.subarray(offset, offset + chunk.length)) === 0;
    if (!isSame) throw new Error(`The file is another one within ${chunk.length} of ${position}`);
    position += chunk.length;
  }
  if (position !== end) throw new Error(`A range ended at ${position} instead of ${end}`);
}

function peaks(servers: readonly ServerProcess[]): Promise<number[]> {
  return Promise.all(servers.map((server) => residentMiB(server, "VmHWM")));
}

async function timed(run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

function twice(bytes: Uint8Array): Uint8Array {
  const both = new Uint8Array(2 * bytes.length);
  both.set(bytes);
  both.set(bytes, bytes.length);
  return both;
}
