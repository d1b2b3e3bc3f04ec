/** A siege: an attack on a ring, a well-behaved client meanwhile, and what must hold afterwards. */
import { RingClient } from "../../lib/client/client.ts";
import { answerMsTarget, Bystander, describeTimes, percentile } from "./bystander.ts";
import type { BystanderResult } from "./bystander.ts";
import { describeUsage, Target, type Usage } from "./target.ts";

/** What is attacked, and how. */
export interface Siege {
  readonly seed: string;
  readonly print: (line: string) => void;
  /** How many files each server may have open. */
  readonly openFilesMax?: number;
  /** Whether answers have to come as fast as ever. */
  readonly isTimed: boolean;
  /** Whether they only have to be right in the end: who is held dead by mistake misses writes. */
  readonly isPatient?: boolean;
  /**
   * Attacks; called twice: to warm the servers up, and in earnest. Returns what it has found wrong.
   */
  readonly attack: (target: Target, isEarnest: boolean) => Promise<readonly string[]>;
}

/** Carries it out; returns what does not hold. */
export async function besiege(siege: Siege): Promise<readonly string[]> {
  const { seed, print, openFilesMax, isPatient = false } = siege;
  await using target = await Target.start(openFilesMax === undefined ? {} : { openFilesMax });
  const before = await warmUp(target, siege);
  describe("before", before, print);
  using bystander = new Bystander(target, { seed, isPatient });
  const found = await siege.attack(target, true);
  const result = await bystander.stop();
  print(`well-behaved client: ${describeTimes(result)}`);
  const failures = [...found, ...result.failures, ...lateness(result, siege)];
  try {
    await target.heal();
    failures.push(...await target.verify(), ...await findLosses(target, result));
    failures.push(...await target.settle(before));
    describe("after", await target.usage(), print);
  } catch (error) {
    failures.push(String(error));
  }
  return failures;
}

/** A little of everything first: a program that has just started holds less than it will for good. */
async function warmUp(target: Target, { seed, attack }: Siege): Promise<Usage[]> {
  using bystander = new Bystander(target, { seed: `${seed}/warm`, isPatient: true });
  await attack(target, false);
  await bystander.stop();
  await target.heal();
  return await target.usage();
}

function describe(when: string, usages: readonly Usage[], print: (line: string) => void): void {
  for (const usage of usages) print(`  ${when}: ${describeUsage(usage)}`);
}

function lateness({ times }: BystanderResult, { isTimed }: Siege): string[] {
  const p99 = percentile(times, 0.99);
  if (!isTimed || p99 <= answerMsTarget) return [];
  return [`p99 was ${p99.toFixed(1)} ms, and ${answerMsTarget} ms are allowed`];
}

/** The files that were acknowledged, and are not what they were at every server. */
async function findLosses(
  target: Target,
  { contents }: BystanderResult,
): Promise<readonly string[]> {
  const losses: string[] = [];
  for (const { address } of target.servers) {
    const client = await RingClient.connect(address, { timeoutMs: 10_000 });
    for (const [name, content] of contents) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of (await client.get(name)).body) chunks.push(chunk.slice());
      const text = await new Blob(chunks as BlobPart[]).text();
      if (text !== content) losses.push(`${address} has "${text}" as ${name}, not "${content}"`);
    }
    client.close();
  }
  return losses;
}
