/** System calls that change files, as `strace` has recorded them. */
import { Buffer } from "node:buffer";

/** What a system call did, when it returned. */
export type SystemCall =
  | { readonly type: "open"; readonly path: string; readonly isTruncated: boolean }
  | {
    readonly type: "write";
    readonly path: string;
    readonly offset: number;
    readonly bytes: Uint8Array;
  }
  | { readonly type: "truncate"; readonly path: string; readonly size: number }
  | { readonly type: "sync"; readonly path: string }
  | { readonly type: "rename"; readonly from: string; readonly to: string }
  | { readonly type: "unlink"; readonly path: string }
  | { readonly type: "mkdir"; readonly path: string }
  /** A line on the standard output. */
  | { readonly type: "print"; readonly text: string };

/** Calls that must not be overlooked: one that `readCall` does not know is an error. */
const traced = [
  ...["open", "openat", "openat2", "creat", "lseek", "write", "pwrite64", "writev", "pwritev"],
  ...["pwritev2", "truncate", "ftruncate", "fallocate", "copy_file_range", "sendfile", "splice"],
  ...["fsync", "fdatasync", "sync_file_range", "rename", "renameat", "renameat2", "unlink"],
  ...["unlinkat", "rmdir", "mkdir", "mkdirat", "link", "linkat", "symlink", "symlinkat"],
];

/** The most bytes of one write that are recorded. */
const writeBytesMax = 16 * 1024 * 1024;

/** The arguments of `strace`: all strings in hexadecimal, descriptors with their paths. */
export function straceArguments(output: string): string[] {
  const trace = `trace=${traced.map((name) => `?${name}`).join(",")}`;
  return ["-f", "-y", "-xx", "--seccomp-bpf", "-s", `${writeBytesMax}`, "-e", trace, "-o", output];
}

/** Whether a child's system calls can be recorded here; says why not. */
export async function canTrace(): Promise<boolean> {
  try {
    const args = [...straceArguments("/dev/null"), "true"];
    const { success } = await new Deno.Command("strace", { args, stderr: "null" }).output();
    if (!success) console.info("The test of crash points is ignored: strace may not trace.");
    return success;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.info("The test of crash points is ignored: there is no strace.");
    return false;
  }
}

/** Reads what `strace` wrote: the calls under `directory`, and what was printed. */
export function readCalls(text: string, directory: string): SystemCall[] {
  const reader = new CallReader(directory);
  const unfinished = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, pid = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const begun = rest.endsWith(" <unfinished ...>");
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest)?.[0];
    if (begun) unfinished.set(pid, rest.slice(0, -" <unfinished ...>".length));
    else if (resumed === undefined) reader.read(rest);
    else reader.read((unfinished.get(pid) ?? "") + rest.slice(resumed.length));
  }
  return reader.calls;
}

/** A string, a path after a descriptor, and the end of every call, as `strace` prints them. */
const text = '"((?:\\\\x..)*)"';
const fd = "(\\d+)<((?:\\\\x..)*)>(?:\\(deleted\\))?";
const at = "AT_FDCWD<[^>]*>, ";
const patterns = {
  open: new RegExp(`^openat\\(${at}${text}, ([A-Z_|]+)(?:, \\d+)?\\) += (\\d+)`),
  seek: new RegExp(`^lseek\\(${fd}, -?\\d+, \\w+\\) += (\\d+)`),
  write: new RegExp(`^write\\(${fd}, ${text}, \\d+\\) += (\\d+)`),
  pwrite: new RegExp(`^pwrite64\\(${fd}, ${text}, \\d+, (\\d+)\\) += (\\d+)`),
  truncate: new RegExp(`^ftruncate\\(${fd}, (\\d+)\\) += 0`),
  sync: new RegExp(`^f(?:data)?sync\\(${fd}\\) += 0`),
  rename: new RegExp(`^rename(?:at2?)?\\((?:${at})?${text}, (?:${at})?${text}(?:, 0)?\\) += 0`),
  unlink: new RegExp(`^(?:unlink|unlinkat|rmdir)\\((?:${at})?${text}(?:, \\w+)?\\) += 0`),
  mkdir: new RegExp(`^mkdir(?:at)?\\((?:${at})?${text}, \\d+\\) += 0`),
};

class CallReader {
  readonly calls: SystemCall[] = [];
  readonly #directory: string;
  /** Where the next `write` to a file goes: by its path, as a descriptor may be a duplicate of another. */
  readonly #offsets = new Map<string, number>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  read(line: string): void {
    // Failed, or no call: a signal, the end of a thread.
    if (/ = -1 E/.test(line.slice(-200)) || !/^\w+\(/.test(line)) return;
    for (const [name, pattern] of Object.entries(patterns)) {
      const match = pattern.exec(line);
      if (match === null) continue;
      const [, first = "", second = "", third = "", fourth = "", fifth = ""] = match;
      return this.#take(name, [first, second, third, fourth, fifth]);
    }
    const place = Buffer.from(this.#directory).toString("hex").replace(/../g, "\\x$&");
    if (line.includes(place)) throw new Error(`unknown system call: ${line.slice(0, 400)}`);
  }

  #take(name: string, [a, b, c, d, e]: [string, string, string, string, string]): void {
    switch (name) {
      case "open":
        this.#offsets.set(a, 0);
        // What is opened without these is there, and stays as it is.
        if (!/O_CREAT|O_TRUNC/.test(b)) return;
        return this.#add({ type: "open", path: pathOf(a), isTruncated: b.includes("O_TRUNC") });
      case "seek":
        this.#offsets.set(b, Number(c));
        return;
      case "write": {
        const bytes = bytesOf(c).subarray(0, Number(d));
        if (a === "1") this.calls.push({ type: "print", text: new TextDecoder().decode(bytes) });
        const offset = this.#offsets.get(b) ?? 0;
        this.#offsets.set(b, offset + bytes.length);
        return this.#add({ type: "write", path: pathOf(b), offset, bytes });
      }
      case "pwrite": {
        const bytes = bytesOf(c).subarray(0, Number(e));
        return this.#add({ type: "write", path: pathOf(b), offset: Number(d), bytes });
      }
      case "truncate":
        return this.#add({ type: "truncate", path: pathOf(b), size: Number(c) });
      case "sync":
        return this.#add({ type: "sync", path: pathOf(b) });
      case "rename":
        return this.#add({ type: "rename", from: pathOf(a), to: pathOf(b) });
      case "unlink":
        return this.#add({ type: "unlink", path: pathOf(a) });
      case "mkdir":
        return this.#add({ type: "mkdir", path: pathOf(a) });
    }
  }

  #add(call: Exclude<SystemCall, { type: "print" }>): void {
    const path = call.type === "rename" ? call.to : call.path;
    if (path === this.#directory || path.startsWith(`${this.#directory}/`)) this.calls.push(call);
  }
}

function bytesOf(hexadecimal: string): Uint8Array {
  return Buffer.from(hexadecimal.replaceAll("\\x", ""), "hex");
}

function pathOf(hexadecimal: string): string {
  return new TextDecoder().decode(bytesOf(hexadecimal));
}
