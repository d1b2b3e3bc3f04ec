/** A process of a program that is compared with, from its start to its end. */
import { eventually } from "../../eventually.ts";
import { sendSignal } from "../../e2e/ring_process.ts";

/** The most characters of output that are kept, for the message when something fails. */
const outputLengthMax = 1024 * 1024;

/** How to start it. */
export interface PeerOptions {
  readonly args: readonly string[];
  /** The directory in which it runs. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** It is killed when it is disposed of. */
export class PeerProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = "";
  #isRunning = true;

  private constructor(child: Deno.ChildProcess, readonly name: string) {
    this.#child = child;
    const take = (text: string) => {
      this.#output = (this.#output + text).slice(-outputLengthMax);
    };
    const status = child.status.then(() => this.#isRunning = false);
    this.#ended = Promise.all([status, readText(child.stdout, take), readText(child.stderr, take)]);
  }

  /** Starts `program`; does not wait for anything. */
  static spawn(program: string, { args, cwd, env = {} }: PeerOptions): PeerProcess {
    const options = { cwd, env, stdin: "null", stdout: "piped", stderr: "piped" } as const;
    return new PeerProcess(
      new Deno.Command(program, { args: [...args], ...options }).spawn(),
      program,
    );
  }

  /**
   * Starts `program`, and waits until it takes connections.
   *
   * @throws {Error} if it ends before, or does not in time.
   */
  static async listening(
    program: string,
    { ip, port, ...options }: PeerOptions & { readonly ip: string; readonly port: number },
  ): Promise<PeerProcess> {
    await using started = new AsyncDisposableStack();
    const process = started.use(PeerProcess.spawn(program, options));
    await eventually(() => {
      process.assertRunning();
      return canConnect(ip, port);
    }, { what: program });
    started.move();
    return process;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What it has printed, on stdout and stderr. */
  get output(): string {
    return this.#output;
  }

  /**
   * Notes that it is expected to run.
   *
   * @throws {Error} if it has ended.
   */
  assertRunning(): void {
    if (!this.#isRunning) throw new Error(`${this.name} has ended:\n${this.#output}`);
  }

  /** Sends a signal; nothing happens if the process has ended. */
  kill(signal: "SIGKILL" | "SIGSTOP"): void {
    sendSignal(this.#child, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.#ended;
  }
}

/** A port that is free, and stays so on an address that nobody else uses. */
export function freePort(hostname: string): number {
  using listener = Deno.listen({ hostname, port: 0 });
  return listener.addr.port;
}

/** As many different ones. */
export function freePorts(hostname: string, count: number): readonly number[] {
  using stack = new DisposableStack();
  return Array.from({ length: count }, () => {
    return stack.use(Deno.listen({ hostname, port: 0 })).addr.port;
  });
}

/** Whether something listens there. */
async function canConnect(hostname: string, port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname, port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

async function readText(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (text: string) => void,
): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) take(text);
}
