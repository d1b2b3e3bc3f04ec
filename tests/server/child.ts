/** Starts `server_child.ts`: a server in a process of its own, which can be counted and limited. */
import { eventually } from "../eventually.ts";
import { Wire } from "./wire.ts";

/** How long the process may take to stop, in milliseconds. */
const stopTimeoutMs = 10_000;

/** How to start the process. */
export interface ChildOptions {
  /** How many files it may have open. */
  readonly openFilesMax?: number;
  /** The server after which it is inserted. */
  readonly previous?: string;
  /** Whether it serves HTTP. */
  readonly hasWeb?: boolean;
}

/** A server in another process, with a data directory that is removed with it. */
export class ServerChild implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #errors: Promise<string>;
  readonly directory: string;
  #killed = false;
  address = "";
  /** Where its web front is, if it has one. */
  web = "";

  private constructor(process: Deno.ChildProcess, directory: string) {
    this.#process = process;
    this.directory = directory;
    this.#stdin = process.stdin.getWriter();
    this.#lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#errors = new Response(process.stderr).text();
  }

  static async start(
    { openFilesMax, previous = "", hasWeb = false }: ChildOptions = {},
  ): Promise<ServerChild> {
    const directory = await Deno.makeTempDir({ prefix: "ring-test-" });
    const script = import.meta.resolve("./server_child.ts");
    const limit = openFilesMax === undefined ? "" : `ulimit -n ${openFilesMax}; `;
    const process = new Deno.Command("sh", {
      args: [
        ...["-c", `${limit}exec "$@"`, "sh", Deno.execPath(), "run", "--quiet", "--no-prompt"],
        "--v8-flags=--expose-gc",
        ...["--allow-read", "--allow-write", "--allow-net=127.0.0.1", "--allow-sys"],
        ...["--allow-env", script, directory],
        previous,
        ...(hasWeb ? ["web"] : []),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const child = new ServerChild(process, directory);
    [child.address = "", child.web = ""] = (await child.#line()).trim().split(" ");
    return child;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Ends the process at once, as a crash does. */
  async kill(): Promise<void> {
    this.#killed = true;
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }

  /** The names of the bodies that are on their way in. */
  temporaryBodies(): string[] {
    return [...Deno.readDirSync(`${this.directory}/bodies/tmp`)].map(({ name }) => name);
  }

  connect(): Promise<Wire> {
    return Wire.connect(this.address);
  }

  /** The memory that the process holds and needs, garbage not counted, in bytes. */
  async memory(): Promise<number> {
    await this.#stdin.write(new TextEncoder().encode("\n"));
    const memory: { bytes: number } = JSON.parse(await this.#line());
    return memory.bytes;
  }

  /** How many files, sockets included, the process has open; 0 where nothing tells. */
  async openFiles(): Promise<number> {
    if (Deno.build.os !== "linux") return 0;
    const { stdout } = await new Deno.Command("ls", { args: [`/proc/${this.pid}/fd`] }).output();
    return new TextDecoder().decode(stdout).trim().split("\n").length;
  }

  /** Waits until the process has at most so many files open. */
  async untilOpenFiles(count: number): Promise<void> {
    await eventually(async () => await this.openFiles() <= count, {
      what: `the server to have at most ${count} files open`,
    });
  }

  /** Stops the server; fails if it had not lived until then, or complained. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stdin.close().catch(() => {});
    await this.#lines.cancel();
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), stopTimeoutMs);
    const { success } = await this.#process.status;
    clearTimeout(timer);
    const errors = await this.#errors;
    await Deno.remove(this.directory, { recursive: true });
    if (this.#killed) return;
    if (!success || errors !== "") throw new Error(`The server failed: ${errors}`);
  }

  async #line(): Promise<string> {
    const { value } = await this.#lines.read();
    if (value !== undefined) return value;
    throw new Error(`The server ended: ${await this.#errors}`);
  }
}
