/** On what something was measured. */

/** Cores, processor, memory, kernel and runtime, in a line. */
export function describeMachine(): string {
  const cores = navigator.hardwareConcurrency;
  const memory = Math.round(Deno.systemMemoryInfo().total / 1024 ** 3);
  return `${cores} cores (${processor()}), ${memory} GiB of memory, ${Deno.build.os} ` +
    `${Deno.osRelease()}, Deno ${Deno.version.deno}`;
}

/** How many processes wanted a core in the last minute. */
export function loadAverage(): string {
  const [lastMinute = NaN] = Deno.loadavg();
  return lastMinute.toFixed(1);
}

/** Linux says it in a file that Deno lets only those read who may do everything: so `cat` does. */
function processor(): string {
  const command = new Deno.Command("cat", { args: ["/proc/cpuinfo"], stderr: "null" });
  const text = new TextDecoder().decode(command.outputSync().stdout);
  return /^model name\s*: (.+)$/m.exec(text)?.[1]?.trim() ?? "of unknown make";
}
