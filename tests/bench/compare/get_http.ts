/** GET of small and larger files over HTTP: one server, Caddy and nginx, which take turns. */
import { join } from "node:path";
import { Machine } from "../../e2e/ring_process.ts";
import { putOverWeb, webUrl } from "../../e2e/web_front.ts";
import { atLeast, type Comparison, type Pair, type Row } from "../comparison.ts";
import { addLoad, type Load, runLoad, type Target } from "../http_load.ts";
import { startCaddy } from "../peers/caddy.ts";
import { startNginx } from "../peers/nginx.ts";

const warmUpSeconds = 1;
const turnSeconds = 1;
const turns = 2;

const ours = "ring";
const caddySingle = "Caddy, GOMAXPROCS=1";
const caddyDefault = "Caddy";
const nginxName = "nginx, 1 worker";

/** What a load comes to, by the ways to look at it. */
const measures = {
  rate: {
    what: "rate",
    unit: "/s",
    figure: ({ requests, seconds }: Load) => requests / seconds,
  },
  cpuRate: {
    what: "per CPU second of the server",
    unit: "/CPU s",
    figure: ({ requests, cpuSeconds }: Load) => requests / cpuSeconds,
  },
};

/** What is asked of a peer's figures. */
interface Comparand {
  readonly peer: string;
  readonly measure: keyof typeof measures;
  /** Absent if the figure only tells more of another one. */
  readonly atLeast?: number;
}

/** Caddy uses all cores: of small files it is compared for each core used. */
const smallComparands: readonly Comparand[] = [
  { peer: caddySingle, measure: "cpuRate", atLeast: 1.5 },
  { peer: caddyDefault, measure: "cpuRate", atLeast: 1.5 },
  { peer: nginxName, measure: "rate", atLeast: 0.75 },
  { peer: nginxName, measure: "cpuRate" },
];
const largeComparands: readonly Comparand[] = [
  { peer: caddyDefault, measure: "rate", atLeast: 1 },
  { peer: caddyDefault, measure: "cpuRate" },
  { peer: nginxName, measure: "rate", atLeast: 0.5 },
  { peer: nginxName, measure: "cpuRate" },
];

/** Files: what they are called in the table, their size in KiB, and what they are compared with. */
const files = [
  { label: "1 KiB", kib: 1, comparands: smallComparands },
  { label: "64 KiB", kib: 64, comparands: largeComparands },
  { label: "1 MiB", kib: 1024, comparands: largeComparands },
];

/** A row, and how its figures come from the loads. */
interface GetRow {
  readonly row: Row;
  readonly kib: number;
  readonly peer: string;
  readonly figure: (load: Load) => number;
}

const getRows: readonly GetRow[] = files.flatMap(({ label, kib, comparands }) =>
  comparands.map(({ peer, measure, atLeast: times }) => {
    const { what, unit, figure } = measures[measure];
    const work = `GET ${label} over HTTP, 32 connections: ${what}`;
    const target = times === undefined ? {} : { target: atLeast(times) };
    return { kib, peer, figure, row: { work, peer, unit, ...target } };
  })
);

export const getHttp: Comparison = {
  rows: getRows.map(({ row }) => row),
  programs: ["wrk", "caddy", "nginx"],
  fairness: "One server of each, the same file of text at one name, `wrk` with one thread on the " +
    `same machine; ${turns} turns of ${turnSeconds} s in each round. Nothing is compressed, no ` +
    "access log is written. ring: TCP, HTTP and files in one thread of JavaScript and a pool for " +
    "the disk; it keeps files of up to 2 MiB in its own memory once they were asked for, as all of " +
    "these are, and the others read them from the page cache of the system. Caddy: `file_server`, " +
    "over plain HTTP, with one thread for Go code (GOMAXPROCS=1) and as it comes. nginx: " +
    "`sendfile on`, `master_process off`, `keepalive_requests` raised so that connections last as " +
    "they do elsewhere. CPU time is user and system time of the server's process.",
  async measure(round) {
    await using machine = await Machine.create();
    await using stack = new AsyncDisposableStack();
    const root = machine.path("site");
    await Deno.mkdir(root);
    const server = await machine.startServer();
    for (const { kib } of files) {
      const body = new TextEncoder().encode("x".repeat(1024 * kib));
      await Deno.writeFile(join(root, nameOf(kib)), body);
      await putOverWeb(server, nameOf(kib), body);
    }
    const single = await startCaddy(machine, { root, processors: 1 });
    stack.use(single.process);
    const several = await startCaddy(machine, { root });
    stack.use(several.process);
    const nginx = await startNginx(machine, root);
    stack.use(nginx.process);
    const inOrder: [string, Target][] = [
      [ours, { url: webUrl(server, ""), pids: [server.pid] }],
      [caddySingle, { url: single.url, pids: [single.process.pid] }],
      [caddyDefault, { url: several.url, pids: [several.process.pid] }],
      [nginxName, { url: nginx.url, pids: [nginx.process.pid] }],
    ];
    const places = new Map(round % 2 === 0 ? inOrder : inOrder.reverse());
    const pairs = new Map<Row, Pair>();
    for (const { kib } of files) {
      const loads = await takeTurns(places, nameOf(kib));
      for (const { row, peer, figure } of getRows.filter((each) => each.kib === kib)) {
        pairs.set(row, {
          ours: figure(loadOf(loads, ours)),
          theirs: figure(loadOf(loads, peer)),
        });
      }
    }
    return pairs;
  },
};

async function takeTurns(
  places: ReadonlyMap<string, Target>,
  name: string,
): Promise<ReadonlyMap<string, Load>> {
  const loads = new Map<string, Load>();
  for (let turn = 0; turn < turns; turn++) {
    for (const [place, { url, pids }] of places) {
      const target = { url: url + name, pids };
      if (turn === 0) await runLoad(target, warmUpSeconds);
      const load = await runLoad(target, turnSeconds);
      const before = loads.get(place);
      loads.set(place, before === undefined ? load : addLoad(before, load));
    }
  }
  return loads;
}

function loadOf(loads: ReadonlyMap<string, Load>, place: string): Load {
  const load = loads.get(place);
  if (load === undefined) throw new Error(`There was no load on ${place}`);
  return load;
}

function nameOf(kib: number): string {
  return `${kib}-kib.html`;
}
