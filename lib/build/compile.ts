/**
 * `deno task compile`: builds `./ring`.
 *
 * `RING_NET` names hosts that it may reach beside loopback and private networks; `DENORT_BIN` names
 * Deno's runtime base where `deno compile` cannot download it.
 */
import { fileURLToPath } from "node:url";
import { BuildError } from "./build_error.ts";
import { buildExecutable } from "./executable.ts";
import { parseExtraHosts, runtimeFlags } from "./permissions.ts";

/**
 * Builds `./ring` at the top of the project; `say` is told what happens, in a line each.
 *
 * @throws {BuildError} if `RING_NET` is malformed, or the program has errors.
 */
export async function compileRing(say: (line: string) => void): Promise<void> {
  const permissions = runtimeFlags(parseExtraHosts(Deno.env.get("RING_NET") ?? ""));
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const output = fileURLToPath(new URL("../../ring", import.meta.url));
  await buildExecutable({ main, output, permissions }, (reason) => {
    say(
      `Deno's runtime base cannot be downloaded (${reason}): building a self-extracting ./ring.`,
    );
  });
  const { size } = await Deno.stat(output);
  say(`Built ./ring, ${Math.round(size / 1e6)} MB.`);
}

if (import.meta.main) {
  try {
    await compileRing((line) => console.log(line));
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
