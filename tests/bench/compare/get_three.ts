/** GET of 1 KiB at one server, and at three of a ring at once. */
import { Machine, type ServerProcess } from "../../e2e/ring_process.ts";
import { putOverWeb, webUrl } from "../../e2e/web_front.ts";
import { atLeast, type Comparison, inTurn, type Row } from "../comparison.ts";
import { cpuOf } from "../http_load.ts";
import { runWrk } from "../wrk.ts";

const servers = 3;
const connections = 32;
const warmUpSeconds = 1;
const seconds = 3;
const name = "1-kib.html";

const peer = "one server";
const cpuRate: Row = {
  work: "GET 1 KiB at three servers at once: per CPU second of the servers",
  peer,
  unit: "/CPU s",
  target: atLeast(0.9),
};
const rate: Row = { work: "same: rate", peer, unit: "/s" };
const serverCores: Row = { work: "same: cores that the servers had", peer, unit: "cores" };
const loadCores: Row = { work: "same: cores that the load had", peer, unit: "cores" };

/** What came of asking some servers at once. */
interface Figures {
  readonly rate: number;
  readonly serverCores: number;
  readonly loadCores: number;
}

export const getThree: Comparison = {
  rows: [cpuRate, rate, serverCores, loadCores],
  programs: ["wrk"],
  fairness:
    "A ring of three; one `wrk` with one thread and 32 connections for each server that is " +
    "asked, on the same machine. Servers share nothing for a GET, so they scale with cores where " +
    "there are some to use: as the load and the servers share those of this machine, what counts " +
    "is that a request costs no more CPU time when three are asked.",
  async measure(round) {
    await using machine = await Machine.create();
    const ring = await machine.startRing(servers);
    const [first] = ring;
    if (first === undefined) throw new Error("There is no ring");
    await putOverWeb(first, name, new TextEncoder().encode("x".repeat(1024)));
    await ask(ring, warmUpSeconds);
    const { ours: three, theirs: one } = await inTurn(
      round,
      () => ask(ring, seconds),
      () => ask([first], seconds),
    );
    return new Map([
      [cpuRate, {
        ours: three.rate / three.serverCores,
        theirs: one.rate / one.serverCores,
      }],
      [rate, { ours: three.rate, theirs: one.rate }],
      [serverCores, { ours: three.serverCores, theirs: one.serverCores }],
      [loadCores, { ours: three.loadCores, theirs: one.loadCores }],
    ]);
  },
};

async function ask(asked: readonly ServerProcess[], seconds: number): Promise<Figures> {
  const pids = asked.map(({ pid }) => pid);
  const before = await cpuOf(pids);
  const start = performance.now();
  const reports = await Promise.all(asked.map((server) => {
    return runWrk({ url: webUrl(server, name), connections, seconds });
  }));
  const took = (performance.now() - start) / 1000;
  const serverSeconds = await cpuOf(pids) - before;
  const loadSeconds = reports.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const requests = reports.reduce((sum, { requests }) => sum + requests, 0);
  return {
    rate: requests / took,
    serverCores: serverSeconds / took,
    loadCores: loadSeconds / took,
  };
}
