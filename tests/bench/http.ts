/**
 * Small files over HTTP, with `wrk`: at one server alone, at one of a ring of three, and at a server on the
 * same HTTP implementation that answers with as many bytes and fields without looking for them.
 *
 * They take turns of a second, so that what else the machine does meets all of them. Requests for each
 * second that the processes of the servers ran are disturbed less than requests for each second.
 */
import { Machine, type ServerProcess } from "../e2e/ring_process.ts";
import { isInstalled, putOverWeb, webUrl } from "../e2e/web_front.ts";
import { type ConstantAnswer, ConstantServer } from "./http_constant.ts";
import { addLoad, type Load, runLoad, type Target } from "./http_load.ts";
import { putScript } from "./put_script.ts";

const sizesKiB = [1, 64];
const turns = 3;
const turnSeconds = 1;
const constantName = "constant";

/** Fields that `node:http` adds by itself. */
const addedFields: ReadonlySet<string> = new Set(["date", "connection", "keep-alive"]);

/** Where to ask: each a server alone, or all servers of a ring. */
type Places = ReadonlyMap<string, readonly ServerProcess[]>;
type Targets = ReadonlyMap<string, Target>;
type Loads = ReadonlyMap<string, Load>;
type Figures = ReadonlyMap<string, number>;

/** Rates, and the share that a GET has of the constant server's: the target is 0.85. */
export async function measureHttp(): Promise<Figures> {
  if (!isInstalled("wrk")) {
    console.info("HTTP is not measured: wrk is not installed (apt install wrk).");
    return new Map();
  }
  await using lone = await Machine.create();
  await using several = await Machine.create();
  const places: Places = new Map([
    ["one server", [await lone.startServer()]],
    ["three servers", await several.startRing(3)],
  ]);
  const figures: [string, number][] = [];
  for (const size of sizesKiB) figures.push(...await measureGets(places, lone.ip, size));
  figures.push(...await measurePuts(places));
  return new Map(figures);
}

async function measureGets(places: Places, ip: string, size: number): Promise<Figures> {
  const name = `${size}-kib`;
  const targets = new Map<string, Target>();
  for (const [place, servers] of places) {
    await putOverWeb(firstOf(servers), name, new Uint8Array(size * 1024));
    targets.set(place, targetOf(servers, name));
  }
  const [{ url = "" } = {}] = targets.values();
  await using constant = await ConstantServer.start(ip, await answerLike(url));
  const { pid } = constant;
  const loads = await takeTurns(
    new Map([[constantName, { url: constant.url, pids: [pid] }], ...targets]),
  );
  const what = `HTTP GET ${size} KiB`;
  return new Map([...rates(what, loads), ...ratios(what, loads)]);
}

async function measurePuts(places: Places): Promise<Figures> {
  const targets: Targets = new Map([...places].map(([place, servers]) => {
    return [place, { ...targetOf(servers, ""), script: putScript }];
  }));
  return rates("HTTP PUT 1 KiB", await takeTurns(targets));
}

/** Runs each target for some seconds, one at a time; a first turn for warming up does not count. */
async function takeTurns(targets: Targets): Promise<Loads> {
  const loads = new Map<string, Load>();
  for (const target of targets.values()) await runLoad(target, turnSeconds);
  for (let turn = 0; turn < turns; turn++) {
    for (const [name, target] of targets) {
      const load = await runLoad(target, turnSeconds);
      const before = loads.get(name);
      loads.set(name, before === undefined ? load : addLoad(before, load));
    }
  }
  return loads;
}

function rates(what: string, loads: Loads): Figures {
  return new Map([...loads].flatMap(([name, load]) => [
    [`${what}, ${name}, requests/s`, rate(load)],
    [`${what}, ${name}, requests/CPU s`, cpuRate(load)],
  ]));
}

/** What share of the constant server's rates the others have. */
function ratios(what: string, loads: Loads): Figures {
  const constant = loads.get(constantName);
  if (constant === undefined) throw new Error("There is nothing to compare with");
  const others = [...loads].filter(([name]) => name !== constantName);
  return new Map(others.flatMap(([name, load]) => [
    [`${what}, ${name}, share of constant`, rate(load) / rate(constant)],
    [`${what}, ${name}, share of constant by CPU`, cpuRate(load) / cpuRate(constant)],
  ]));
}

function rate({ requests, seconds }: Load): number {
  return requests / seconds;
}

function cpuRate({ requests, cpuSeconds }: Load): number {
  return requests / cpuSeconds;
}

/** The first server is asked; the time of all of them counts. */
function targetOf(servers: readonly ServerProcess[], name: string): Target {
  return { url: webUrl(firstOf(servers), name), pids: servers.map(({ pid }) => pid) };
}

/** What a constant server has to send to send as much as is sent for a file. */
async function answerLike(url: string): Promise<ConstantAnswer> {
  const response = await fetch(url);
  const { byteLength } = await response.arrayBuffer();
  const fields = [...response.headers].filter(([name]) => !addedFields.has(name));
  return { header: fields.flat(), bodyBytes: byteLength };
}

function firstOf(servers: readonly ServerProcess[]): ServerProcess {
  const [first] = servers;
  if (first === undefined) throw new Error("There is no server");
  return first;
}
