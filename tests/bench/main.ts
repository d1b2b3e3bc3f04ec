/**
 * Measures real servers on this machine: processes, sockets, disks.
 *
 * `deno task bench [--rounds N] [--only NAME]`: our own figures first, as medians of three rounds, then
 * the table of the README, side by side with what people would use instead, as medians of five rounds:
 * `--only peers` prints that alone. `--only` may be repeated. `huge-file` writes 10 GiB and takes
 * minutes: it is measured only with `--only huge-file`.
 */
import { parseArgs } from "@std/cli";
import { compare } from "./compare.ts";
import { comparisons } from "./compare/comparisons.ts";
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

/** All comparisons. */
const peersName = "peers";

const ownRoundsDefault = 3;
const peerRoundsDefault = 5;

const flags = parseArgs(Deno.args, {
  string: ["rounds", "only"],
  collect: ["only"],
  unknown: refuse,
});
const rounds = flags.rounds === undefined ? undefined : Number(flags.rounds);
if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1)) {
  refuse(`--rounds ${flags.rounds}`);
}
const named = new Set((Array.isArray(flags.only) ? flags.only : []).map(String));
for (const name of named) if (!isKnown(name)) refuse(`--only ${name}`);
const own = new Map([...measurements].filter(([name]) => isChosen(name)));
const compared = new Map(
  [...comparisons].filter(([name]) => named.has(peersName) || isChosen(name)),
);
if (own.size > 0) await measureOwn(own, rounds ?? ownRoundsDefault);
if (compared.size > 0 && !await compare(compared, rounds ?? peerRoundsDefault)) Deno.exit(1);

/** Measures in rounds, and prints the medians. */
async function measureOwn(
  chosen: ReadonlyMap<string, () => Promise<Figures>>,
  rounds: number,
): Promise<void> {
  const found = new Map<string, number[]>();
  for (let index = 0; index < rounds; index++) {
    for (const measure of chosen.values()) {
      for (const [name, value] of await measure()) {
        found.set(name, [...(found.get(name) ?? []), value]);
      }
    }
  }
  console.log(
    `${navigator.hardwareConcurrency} cores, Deno ${Deno.version.deno}, ${rounds} rounds`,
  );
  const width = Math.max(0, ...[...found.keys()].map((name) => name.length));
  for (const [name, values] of found) {
    const all = values.map(round).join(", ");
    console.log(`${name.padEnd(width)}  ${round(median(values)).padStart(8)}   (${all})`);
  }
}

function isKnown(name: string): boolean {
  return name === peersName || measurements.has(name) || comparisons.has(name);
}

/** Named, or, where nothing is, not one of those that have to be. */
function isChosen(name: string): boolean {
  return named.size > 0 ? named.has(name) : !onDemand.has(name);
}

function refuse(argument: string): never {
  const names = [...measurements.keys()].join(", ");
  const rows = [...comparisons.keys()].join(", ");
  console.error(
    `Cannot take ${argument}; there are --rounds N and --only NAME: ${names}; ${peersName} for ` +
      `all that is compared, or ${rows} (without --only, all but ${[...onDemand].join(", ")}).`,
  );
  Deno.exit(2);
}
