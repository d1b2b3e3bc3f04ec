/**
 * `deno task fuzz [--only decoder|server|http|member] [--frames N] [--seed S]`: hostile input, of every
 * kind, against the decoders and against real servers.
 */
import { parseArgs } from "@std/cli";
import type { CampaignOptions } from "./campaign.ts";
import { fuzzDecoder } from "./decoder.ts";
import { fuzzFlood } from "./flood.ts";
import { fuzzHttp } from "./http.ts";
import { fuzzMember } from "./member.ts";
import { fuzzServer } from "./server.ts";

/** A campaign, and how many frames, requests, connections or lies it has unless told otherwise. */
interface Campaign {
  readonly name: string;
  readonly frames: number;
  readonly run: (options: CampaignOptions) => Promise<readonly string[]>;
}

const campaigns: readonly Campaign[] = [
  { name: "decoder", frames: 10_000_000, run: fuzzDecoder },
  { name: "server", frames: 100_000, run: fuzzServer },
  { name: "http", frames: 20_000, run: fuzzHttp },
  { name: "flood", frames: 3000, run: fuzzFlood },
  { name: "member", frames: 20_000, run: fuzzMember },
];

const names = campaigns.map(({ name }) => name).join(", ");

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Runs what the arguments say; returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const flags = parseArgs(args, {
    string: ["only", "frames", "seed", "frame"],
    default: { seed: "1" },
    unknown: (flag: string) => refuse(`There is no flag ${flag}`),
  });
  const seed = String(flags.seed);
  const chosen = campaigns.filter(({ name }) => flags.only === undefined || flags.only === name);
  if (chosen.length === 0) refuse(`--only is one of ${names}; not "${flags.only}"`);
  const [first, count] = [readCount("frame", flags.frame), readCount("frames", flags.frames)];
  let code = 0;
  for (const { name, frames, run } of chosen) {
    console.log(`${name}, seed ${seed}`);
    const print = (line: string) => console.log(`  ${line}`);
    const failures = await run({
      seed,
      frames: count ?? (first === undefined ? frames : 1),
      print,
      ...(first === undefined ? {} : { first }),
    });
    for (const failure of failures) print(`DOES NOT HOLD: ${failure}`);
    if (failures.length === 0) continue;
    code = 1;
    console.log(`Play it again: deno task fuzz --only ${name} --seed ${seed}`);
  }
  return code;
}

function readCount(flag: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const count = Number(value);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  return refuse(`--${flag} must be a whole number, not "${value}"`);
}

function refuse(text: string): never {
  console.error(`${text}.`);
  Deno.exit(2);
}
