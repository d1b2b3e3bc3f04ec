/**
 * Measures real servers on this machine: processes, sockets, disks. Prints medians of one run.
 *
 * `deno task bench [--rounds N]`; three rounds unless told otherwise.
 */
import { parseArgs } from "@std/cli";
import { measureForming } from "./forming.ts";
import { measureIdle } from "./idle.ts";
import { measureJoin } from "./join.ts";
import { measureKill } from "./kill.ts";
import { measureLargeFile } from "./large_file.ts";
import { measureRequests } from "./requests.ts";
import { median, round } from "./statistics.ts";

/** What one round finds out, by the name of what was measured, unit included. */
export type Figures = ReadonlyMap<string, number>;

const measurements: readonly (() => Promise<Figures>)[] = [
  measureForming,
  measureRequests,
  measureKill,
  measureJoin,
  measureIdle,
  measureLargeFile,
];

const rounds = Number(parseArgs(Deno.args, { string: ["rounds"] }).rounds ?? 3);
const found = new Map<string, number[]>();
for (let index = 0; index < rounds; index++) {
  for (const measure of measurements) {
    for (const [name, value] of await measure()) {
      found.set(name, [...(found.get(name) ?? []), value]);
    }
  }
}
console.log(`${navigator.hardwareConcurrency} cores, Deno ${Deno.version.deno}, ${rounds} rounds`);
const width = Math.max(...[...found.keys()].map((name) => name.length));
for (const [name, values] of found) {
  const all = values.map(round).join(", ");
  console.log(`${name.padEnd(width)}  ${round(median(values)).padStart(8)}   (${all})`);
}
