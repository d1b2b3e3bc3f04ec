/** A server of the demonstration: a process whose output is kept, so that one can wait for a line. */
import { BuildError } from "./build_error.ts";

/** The most characters of output that are kept, of stdout and of stderr each. */
const outputLengthMax = 64 * 1024;

/** A running `./ring server`. */
export class DemoServer {
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<unknown>;
  #stdout = "";
  #stderr = "";
  #status: Deno.CommandStatus | undefined;
  /** Ends the wait of whoever waits, when there is something new. */
  #wake: () => void = () => {};

  constructor(command: string, args: readonly string[]) {
    this.#child = new Deno.Command(command, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#ended = Promise.all([
      this.#read(this.#child.stdout, (text) => this.#stdout = keep(this.#stdout + text)),
      this.#read(this.#child.stderr, (text) => this.#stderr = keep(this.#stderr + text)),
      this.#child.status.then((status) => {
        this.#status = status;
        this.#wake();
      }),
    ]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Waits for a line on stdout that matches, from the start of the output on.
   *
   * @throws {BuildError} if the server stops before, or there is none after `msMax` milliseconds.
   */
  async waitForLine(pattern: RegExp, msMax: number): Promise<string> {
    const deadline = performance.now() + msMax;
    for (;;) {
      const line = this.#stdout.split("\n").slice(0, -1).find((line) => pattern.test(line));
      if (line !== undefined) return line;
      const left = deadline - performance.now();
      if (this.#status !== undefined) {
        throw new BuildError(`A server stopped, with code ${this.#status.code}.\n${this.#stderr}`);
      }
      if (left <= 0) {
        throw new BuildError(
          `A server printed no line ${pattern} in ${msMax} ms.\n${this.#stderr}`,
        );
      }
      await this.#waitForNews(left);
    }
  }

  /** Sends a signal, if the process still runs, and waits for its end; returns its exit code. */
  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<number> {
    if (this.#status === undefined) this.#child.kill(signal);
    await this.#ended;
    return (await this.#child.status).code;
  }

  async #waitForNews(msMax: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, msMax);
    await promise;
    clearTimeout(timer);
  }

  async #read(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      take(decoder.decode(chunk, { stream: true }));
      this.#wake();
    }
  }
}

/** The end of a text, no longer than is kept. */
function keep(text: string): string {
  return text.slice(-outputLengthMax);
}
