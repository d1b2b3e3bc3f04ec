/**
 * `deno task mutants [--only TEXT]… [--seeds N] [--jobs J]`: plants each mutant in a copy of the project
 * and shows which seed finds it. Exits with 1 if one survives, and with an error if one cannot be planted.
 */
import { parseArgs } from "@std/cli";
import type { Hunt } from "./hunt.ts";
import { applyMutant, type Mutant } from "./mutant.ts";
import { mutants } from "./mutants.ts";

/** How many seeds may pass before a mutant is found. */
const seedsDefault = 2_000;
const root = new URL("../../../", import.meta.url);
/** What a simulation needs. */
const parts = ["deno.json", "deno.lock", "lib", "tests/simulator"];

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const flags = parseArgs(args, {
    string: ["only", "seeds", "jobs"],
    collect: ["only"],
    default: {
      only: [""],
      seeds: String(seedsDefault),
      jobs: String(navigator.hardwareConcurrency),
    },
  });
  const only = [flags.only].flat().map(String);
  const chosen = mutants.filter(({ name, file }) =>
    only.some((text) => `${file}: ${name}`.includes(text))
  );
  for (const mutant of chosen) applyMutant(mutant, await Deno.readTextFile(at(root, mutant.file)));
  const waiting = [...chosen];
  const survivors: Mutant[] = [];
  const hunters = Array.from({ length: Math.max(1, Number(flags.jobs)) }, async () => {
    await using copy = await copyProject();
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const found = await huntIn(copy.root, { mutant: next, seeds: Number(flags.seeds) });
      if (found.seed === undefined) survivors.push(next);
      report(next, found);
    }
  });
  await Promise.all(hunters);
  console.log(`${chosen.length - survivors.length} of ${chosen.length} mutants were found.`);
  return survivors.length === 0 ? 0 : 1;
}

function report({ name, file }: Mutant, { seed, check }: Hunt): void {
  const outcome = seed === undefined ? "SURVIVES" : `seed ${String(seed).padStart(4)}`;
  console.log(`${outcome.padEnd(10)} ${(check ?? "").padEnd(13)} ${file}: ${name}`);
}

/** Plays seeds with a mutant planted, and takes it out again. */
async function huntIn(
  copy: URL,
  { mutant, seeds }: { mutant: Mutant; seeds: number },
): Promise<Hunt> {
  const file = at(copy, mutant.file);
  const sound = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, applyMutant(mutant, sound));
  try {
    return await runHunt(copy, seeds);
  } finally {
    await Deno.writeTextFile(file, sound);
  }
}

async function runHunt(copy: URL, seeds: number): Promise<Hunt> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-read", "tests/simulator/mutants/hunt.ts", String(seeds)],
    cwd: copy,
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  const text = new TextDecoder();
  if (!success) throw new Error(`Cannot run a mutant: ${text.decode(stderr)}`);
  return JSON.parse(text.decode(stdout));
}

async function copyProject(): Promise<AsyncDisposable & { readonly root: URL }> {
  const directory = await Deno.makeTempDir({ prefix: "ring-mutants-" });
  const copy = new URL(`file://${directory}/`);
  for (const part of parts) await copyTree(at(root, part), at(copy, part));
  return {
    root: copy,
    [Symbol.asyncDispose]: () => Deno.remove(copy, { recursive: true }),
  };
}

async function copyTree(from: URL, to: URL): Promise<void> {
  const { isFile } = await Deno.stat(from);
  if (isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) {
    await copyTree(at(new URL(`${from}/`), name), at(new URL(`${to}/`), name));
  }
}

function at(base: URL, path: string): URL {
  return new URL(path, base);
}
