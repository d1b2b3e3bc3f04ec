/** What the system tells: read by another program, as Deno reads it only for who may do everything. */

/**
 * The text of a file below `/proc`.
 *
 * @throws {Error} if it is not there.
 */
export async function readProc(path: string): Promise<string> {
  const { success, stdout } = await new Deno.Command("cat", { args: [`/proc/${path}`] }).output();
  if (!success) throw new Error(`Cannot read /proc/${path}`);
  return new TextDecoder().decode(stdout);
}
