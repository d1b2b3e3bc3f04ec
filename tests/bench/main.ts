/**
 * Measures real servers on this machine: processes, sockets, disks. Prints medians of some rounds.
 *
 * `deno task bench [--rounds N] [--only NAME]`; three rounds unless told otherwise. `--only` may be
 * repeated. `huge-file` writes 10 GiB and takes minutes: it is measured only with `--only huge-file`.
 */
import { parseArgs } from "@std/cli";
import { measureForming } from "./forming.ts";
import { measureHeal } from "./heal.ts";
import { measureHttp } from "./http.ts";
import { measureHugeFile } from "./huge_file.ts";
import { measureIdle } from "./idle.ts";
import { measureInFlight } from "./in_flight.ts";
import { measureJoin } from "./join.ts";
import { measureKill } from "./kill.ts";
import { measureLargeFile } from "./large_file.ts";
import { measureRequests } from "./requests.ts";
import { median, round } from "./statistics.ts";

/** What one round finds out, by the name of what was measured, unit included. */
export type Figures = ReadonlyMap<string, number>;

/** What can be measured, by the name for `--only`. */
const measurements: ReadonlyMap<string, () => Promise<Figures>> = new Map([
  ["forming", measureForming],
  ["requests", measureRequests],
  ["kill", measureKill],
  ["in-flight", measureInFlight],
  ["heal", measureHeal],
  ["join", measureJoin],
  ["idle", measureIdle],
  ["large-file", measureLargeFile],
  ["http", measureHttp],
  ["huge-file", measureHugeFile],
]);

/** What takes minutes and tens of gigabytes, and is measured only when it is named. */
const onDemand: ReadonlySet<string> = new Set(["huge-file"]);

const flags = parseArgs(Deno.args, {
  string: ["rounds", "only"],
  collect: ["only"],
  default: { rounds: "3" },
  unknown: refuse,
});
const rounds = Number(flags.rounds);
if (!Number.isInteger(rounds) || rounds < 1) refuse(`--rounds ${flags.rounds}`);
const named: readonly unknown[] = Array.isArray(flags.only) ? flags.only : [];
const names = named.length > 0
  ? named.map(String)
  : [...measurements.keys()].filter((name) => !onDemand.has(name));
const chosen = names.map((name) => measurements.get(name) ?? refuse(`--only ${name}`));
const found = new Map<string, number[]>();
for (let index = 0; index < rounds; index++) {
  for (const measure of chosen) {
    for (const [name, value] of await measure()) {
      found.set(name, [...(found.get(name) ?? []), value]);
    }
  }
}
console.log(`${navigator.hardwareConcurrency} cores, Deno ${Deno.version.deno}, ${rounds} rounds`);
const width = Math.max(0, ...[...found.keys()].map((name) => name.length));
for (const [name, values] of found) {
  const all = values.map(round).join(", ");
  console.log(`${name.padEnd(width)}  ${round(median(values)).padStart(8)}   (${all})`);
}

function refuse(argument: string): never {
  const names = [...measurements.keys()].join(", ");
  const unasked = [...onDemand].join(", ");
  console.error(
    `Cannot take ${argument}; there are --rounds N and --only NAME: ${names} ` +
      `(without --only, all but ${unasked}).`,
  );
  Deno.exit(2);
}
