/** What a server costs that nobody asks anything: one of a ring of three, on Linux. */
import { pause } from "../chaos/pause.ts";
import { Machine, type ServerProcess } from "../e2e/ring_process.ts";

const idleMs = 5000;
const ticksPerSecond = 100;

/** CPU as a share of a core, from the kernel's count of ticks, and memory. */
export async function measureIdle(): Promise<ReadonlyMap<string, number>> {
  await using machine = await Machine.create();
  const servers = await machine.startRing(3);
  const [server] = servers;
  if (server === undefined) throw new Error("There is no ring");
  await pause(idleMs);
  const before = await cpuTicks(server);
  await pause(idleMs);
  const ticks = await cpuTicks(server) - before;
  return new Map([
    ["idle server, % of a core", ticks / ticksPerSecond / (idleMs / 1000) * 100],
    ["idle server, resident MiB", await residentMiB(server, "VmRSS")],
  ]);
}

/** The memory that a process has in RAM now (`VmRSS`), or had at the most (`VmHWM`), in MiB. */
export async function residentMiB(
  server: ServerProcess,
  field: "VmRSS" | "VmHWM",
): Promise<number> {
  const status = await procText(server, "status");
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  return Number(kibibytes) / 1024;
}

async function cpuTicks(server: ServerProcess): Promise<number> {
  const stat = await procText(server, "stat");
  // After the name, which is in parentheses: fields 14 and 15 of proc(5), utime and stime.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** Read by another program, as Deno guards /proc with every permission there is. */
async function procText(server: ServerProcess, name: string): Promise<string> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${server.pid}/${name}`] })
    .output();
  return new TextDecoder().decode(stdout);
}
