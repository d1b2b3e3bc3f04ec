/** On what something was measured, in a sentence. */

/** Cores, processor, memory, kernel, runtime, and what else the machine did. */
export function machineLine(): string {
  const cores = navigator.hardwareConcurrency;
  const memory = Math.round(Deno.systemMemoryInfo().total / 1024 ** 3);
  const load = Deno.loadavg().map((value) => value.toFixed(1)).join(", ");
  return `${cores} cores (${processor()}), ${memory} GiB of memory, ${Deno.build.os} ` +
    `${Deno.osRelease()}, Deno ${Deno.version.deno}; load average at the end ${load}.`;
}

/** Linux says it in a file that Deno lets only those read who may do everything: so `cat` does. */
function processor(): string {
  const command = new Deno.Command("cat", { args: ["/proc/cpuinfo"], stderr: "null" });
  const text = new TextDecoder().decode(command.outputSync().stdout);
  return /^model name\s*: (.+)$/m.exec(text)?.[1]?.trim() ?? "of unknown make";
}
