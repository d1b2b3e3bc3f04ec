/**
 * `./ring` as a self-extracting executable, for networks where `deno compile` cannot download Deno's
 * runtime base: a POSIX shell head (`self_extracting.sh`), then the bundled program and the running
 * Deno, each gzipped.
 *
 * The head has a fixed size, so that what it says of what follows does not move what follows. Needs
 * on the machine that runs it: `sh`, `gzip`, `head`, `tail`, `ls`, `id`, `find`, `env`.
 */
import { createHash } from "node:crypto";
import { envNames } from "./permissions.ts";

/** The bytes of the head, padding included. */
const headBytes = 8192;

/** Flags of `deno run` beside the permissions: only the bundle and no file of the user counts. */
const runFlags: readonly string[] = ["--quiet", "--no-config", "--no-lock", "--no-npm"];

/**
 * Variables that pass to the program beside those that it may read: what the runtime itself looks
 * at for the terminal, the language, the time zone and temporary files.
 */
const runtimeEnvNames: readonly string[] = ["TERM", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/** What a self-extracting executable is made of. */
export interface SelfExtractingOptions {
  /** The bundled program: one JavaScript file that imports nothing but `node:` modules. */
  readonly bundle: string;
  /** The Deno to put inside. */
  readonly runtime: string;
  readonly permissions: readonly string[];
  /** The file to write; it must not exist. */
  readonly output: string;
  /** Ends the writing early. */
  readonly signal?: AbortSignal;
}

/** Writes a self-extracting executable. */
export async function writeSelfExtracting(options: SelfExtractingOptions): Promise<void> {
  const program = await Deno.readFile(options.bundle);
  const packed = await gzip(program);
  const head = await formatHead({
    CONTENT: await hashContent(options.runtime, program),
    HEAD_BYTES: String(headBytes),
    PACKED_BYTES: String(packed.length),
    PROGRAM_BYTES: String(program.length),
    RUNTIME_BYTES: String((await Deno.stat(options.runtime)).size),
    ENVIRONMENT: [...envNames, ...runtimeEnvNames].map(passVariable).join(" "),
    FLAGS: [...options.permissions, ...runFlags].map(quote).join(" "),
  });
  await Deno.writeFile(options.output, head, { createNew: true, mode: 0o755 });
  await Deno.writeFile(options.output, packed, { append: true });
  const runtime = await Deno.open(options.runtime);
  const { signal } = options;
  const packedRuntime = runtime.readable
    .pipeThrough(new CompressionStream("gzip"), { ...(signal && { signal }) });
  await Deno.writeFile(options.output, packedRuntime, { append: true });
}

/** The head with its values filled in, padded to its size with newlines. */
async function formatHead(values: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const template = await Deno.readTextFile(new URL("./self_extracting.sh", import.meta.url));
  const text = template.replaceAll(/@([A-Z_]+)@/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`The head names ${name}, which has no value.`);
    return value;
  });
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > headBytes) {
    throw new Error(`The head has ${bytes.length} bytes, which is more than ${headBytes}.`);
  }
  const head = new Uint8Array(headBytes).fill("\n".charCodeAt(0));
  head.set(bytes);
  return head;
}

/** SHA-256 of the runtime and the program: names the directory that they are unpacked into. */
async function hashContent(runtime: string, program: Uint8Array): Promise<string> {
  const hash = createHash("sha256").update(program);
  const file = await Deno.open(runtime);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** Shell text that is `NAME=value` as one word when the variable is set, else nothing. */
function passVariable(name: string): string {
  return `\${${name}+"${name}=$${name}"}`;
}

/** A word of shell text, whatever is in it. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
