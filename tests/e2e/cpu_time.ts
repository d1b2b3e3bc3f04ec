/** What a process has cost, on Linux. */

/** Clock ticks in a second: USER_HZ, which is 100 wherever Deno runs. */
const ticksPerSecond = 100;

/** The seconds that a process has spent on processors, user and system together. */
export async function cpuSeconds(pid: number): Promise<number> {
  // Read by another program, as Deno guards /proc with every permission there is.
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/stat`] }).output();
  const stat = new TextDecoder().decode(stdout);
  // After the name, which is in parentheses: fields 14 and 15 of proc(5), utime and stime.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[14 - 3]) + Number(fields[15 - 3])) / ticksPerSecond;
}
