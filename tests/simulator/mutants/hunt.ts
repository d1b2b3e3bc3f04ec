/**
 * Plays seeds from 1 on, and in the end those that once failed, until one fails, and writes what was found
 * as one line of JSON. It runs in a copy of the project in which a mutant was planted.
 */
import { recordedSeeds } from "../seeds.ts";
import { simulate } from "../simulation.ts";

/** What a hunt comes to. */
export interface Hunt {
  /** The first seed that failed; absent if none did. */
  readonly seed?: number;
  /** The check that failed, and what it said. */
  readonly check?: string;
  readonly message?: string;
}

if (import.meta.main) console.log(JSON.stringify(hunt(Number(Deno.args[0]))));

function hunt(seedsMax: number): Hunt {
  const recorded = recordedSeeds.map(({ seed }) => seed);
  const freshCount = Math.max(0, seedsMax - recorded.length);
  const fresh = Array.from({ length: freshCount }, (_, index) => index + 1);
  for (const seed of [...fresh, ...recorded].slice(0, seedsMax)) {
    const { failure } = simulate(seed);
    if (failure !== undefined) return { seed, check: failure.check, message: failure.message };
  }
  return {};
}
