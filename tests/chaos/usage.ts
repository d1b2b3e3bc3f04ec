/** What a process uses, and how much it may grow. */

/** What a process uses, from `/proc`. */
export interface Usage {
  /** Bytes of memory in use, shared ones too (resident set). */
  readonly memory: number;
  /** Open file descriptors. */
  readonly descriptors: number;
}

/** What one process used: when it was warm, and the most of each after that. */
export interface Growth {
  readonly warm: Usage;
  readonly peak: Usage;
}

/** Memory may grow by so many bytes after the warm-up: caches, and pages not given back. */
const memorySlack = 64 * 1024 * 1024;

/** There may be so many more open descriptors: connections that hang in a cut, and those made instead. */
const descriptorSlack = 128;

/** In what a process has grown more than it may; `undefined` if it has not. */
export function excessOf({ warm, peak }: Growth): string | undefined {
  if (peak.memory > warm.memory + memorySlack) {
    return `grew from ${mebibytes(warm.memory)} to ${mebibytes(peak.memory)}`;
  }
  if (peak.descriptors > warm.descriptors + descriptorSlack) {
    return `had ${peak.descriptors} open descriptors, and ${warm.descriptors} when it was warm`;
  }
  return undefined;
}

/** The most of each that was used at any time. */
export function greatest(a: Usage, b: Usage): Usage {
  return {
    memory: Math.max(a.memory, b.memory),
    descriptors: Math.max(a.descriptors, b.descriptors),
  };
}

/** What a process uses now, or `undefined` if it has ended. */
export async function readUsage(pid: number): Promise<Usage | undefined> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
    let descriptors = 0;
    for await (const _ of Deno.readDir(`/proc/${pid}/fd`)) descriptors++;
    return kibibytes === undefined ? undefined : { memory: Number(kibibytes) * 1024, descriptors };
  } catch (error) {
    // It ends while it is looked at; or this program may not look.
    if (error instanceof Deno.errors.NotCapable || isGone(error)) return undefined;
    throw error;
  }
}

/** So many bytes, for a person. */
export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}

function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    (error instanceof Error && error.message.includes("No such process"));
}
