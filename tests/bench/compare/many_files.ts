/** A server that holds 100,000 files, and one that holds 1,000. */
import { createHash } from "node:crypto";
import { StampClock, stampZero } from "../../../lib/ring/stamp.ts";
import type { RecordWrite } from "../../../lib/ring/step.ts";
import { openDiskStore } from "../../../lib/storage/disk_store.ts";
import { Machine } from "../../e2e/ring_process.ts";
import { webUrl } from "../../e2e/web_front.ts";
import { atLeast, atMost, type Comparison, inTurn, type Pair, type Row } from "../comparison.ts";
import { residentMiB } from "../idle.ts";
import { runWrk } from "../wrk.ts";

const many = 100_000;
const few = 1000;
const bodyBytes = 1024;
const commitRecords = 1000;
const connections = 32;
const warmUpSeconds = 1;
const seconds = 3;

const peer = "1,000 files";
const rate: Row = {
  work: "100,000 files of 1 KiB: GET rate, names at random",
  peer,
  unit: "/s",
  target: atLeast(0.9),
};
const hotRate: Row = {
  work: "100,000 files of 1 KiB: GET rate, 1,000 of the names at random",
  peer,
  unit: "/s",
  target: atLeast(0.9),
};
const start: Row = {
  work: "100,000 files: from the start of the process to the first GET",
  unit: "s",
  target: atMost(2),
};
const memory: Row = {
  work: "100,000 files: peak memory (VmHWM) at the end of it",
  unit: "MiB",
  target: atMost(200),
};

/** What one server came to. */
interface Figures {
  readonly startSeconds: number;
  readonly rate: number;
  readonly hotRate: number;
  readonly peakMiB: number;
}

export const manyFiles: Comparison = {
  rows: [rate, hotRate, start, memory],
  programs: ["wrk"],
  fairness: "One server alone, its data directory filled before it starts; `wrk`, one thread, 32 " +
    "connections, a name at random for each request: of all files, and then of the same 1,000 at " +
    "both.",
  async measure(round) {
    const { ours, theirs } = await inTurn(
      round,
      () => measureServer(many),
      () => measureServer(few),
    );
    return new Map<Row, Pair>([
      [rate, { ours: ours.rate, theirs: theirs.rate }],
      [hotRate, { ours: ours.hotRate, theirs: theirs.hotRate }],
      [start, { ours: ours.startSeconds }],
      [memory, { ours: ours.peakMiB }],
    ]);
  },
};

async function measureServer(files: number): Promise<Figures> {
  await using machine = await Machine.create();
  const data = machine.path("data");
  fill(data, files);
  const begun = performance.now();
  const server = await machine.startServer(["--data", data]);
  const response = await fetch(webUrl(server, nameOf(files - 1)));
  const { byteLength } = await response.arrayBuffer();
  const startSeconds = (performance.now() - begun) / 1000;
  if (byteLength !== bodyBytes) throw new Error(`The first GET is answered: ${response.status}`);
  const url = webUrl(server, "");
  const ask = async (names: number) => {
    const script = randomScript(names);
    await runWrk({ url, script, connections, seconds: warmUpSeconds });
    const report = await runWrk({ url, script, connections, seconds });
    return report.requests / report.seconds;
  };
  return {
    startSeconds,
    rate: await ask(files),
    hotRate: await ask(few),
    peakMiB: await residentMiB(server, "VmHWM"),
  };
}

/** As long names as with any other number of files, and as many digits. */
function nameOf(index: number): string {
  return `folder/${`${index}`.padStart(6, "0")}.html`;
}

function randomScript(names: number): string {
  return `
request = function()
  return wrk.format("GET", string.format("/folder/%06d.html", math.random(0, ${names - 1})))
end
`;
}

/** Fills a data directory as a server would, but for many files with each commit. */
function fill(directory: string, files: number): void {
  const store = openDiskStore(directory);
  const stamps = new StampClock(store.id, stampZero);
  try {
    for (let first = 0; first < files; first += commitRecords) {
      store.write(Array.from({ length: commitRecords }, (_, index) => {
        return writeOf(first + index, stamps.next(Date.now()));
      }));
    }
  } finally {
    store.close();
  }
}

function writeOf(index: number, stamp: string): RecordWrite {
  const body = new TextEncoder().encode(`${index}`.padStart(bodyBytes, "x"));
  const sha256 = createHash("sha256").update(body).digest("hex");
  const record = { name: nameOf(index), stamp, sha256, size: bodyBytes, contentType: "text/html" };
  return { record, body };
}
