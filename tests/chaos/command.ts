/** Running the programs that set up networks and disks. */

/**
 * Runs a program to its end, with `stdin` if there is any.
 *
 * @throws {Error} if it fails, with what it said.
 */
export async function runCommand(
  [program = "", ...args]: readonly string[],
  stdin?: string,
): Promise<void> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  if (stdin !== undefined) {
    await ReadableStream.from([new TextEncoder().encode(stdin)]).pipeTo(child.stdin);
  }
  const { success, code, stderr } = await child.output();
  if (success) return;
  const reason = new TextDecoder().decode(stderr).trim();
  throw new Error(`Cannot run ${[program, ...args].join(" ")}: exit code ${code}, ${reason}`);
}
