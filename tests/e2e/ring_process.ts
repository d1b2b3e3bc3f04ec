/**
 * Real `ring` processes, for tests and measurements.
 *
 * Whatever belongs together runs on one {@linkcode Machine}: a directory of its own, in which all
 * commands run, and a loopback address of its own, so that default ports are free and rings of tests
 * that run at the same time never meet. Linux answers to all of 127.0.0.0/8.
 *
 * The command is `deno run main.ts` with the permissions of the executable, or the executable that
 * the environment variable `RING_EXECUTABLE` names.
 */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { runtimeFlags } from "../../lib/build/permissions.ts";
import { type Address, parseAddress } from "../../lib/ring/address.ts";
import { eventually } from "../eventually.ts";

/** The most characters of stdout, and of stderr, that are kept of a server: the last ones. */
const outputLengthMax = 4 * 1024 * 1024;

/** How long a command that is to end by itself may take, in milliseconds. */
const runMsMax = 90_000;

/** How long a server has to start, and a ring to form, in milliseconds. */
const startMsMax = 20_000;

/** How a command ended, and what it printed. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as it is: a file, perhaps. */
  readonly bytes: Uint8Array;
}

/** How to run a command that ends by itself. */
export interface RunOptions {
  /** What it reads on stdin; nothing if absent. */
  readonly stdin?: string | Uint8Array<ArrayBuffer>;
  /** Environment variables that it has besides those of the test. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How to start a server. */
export interface ServerOptions {
  /** Where it listens; the address of the machine if absent. */
  readonly ip?: string;
}

/**
 * A pretended machine: a directory and a loopback address, and the processes that run there.
 *
 * @example
 * ```ts ignore
 * await using machine = await Machine.create();
 * const [first, second] = await machine.startRing(2);
 * await first.runClient(["--put", "a.txt"]);
 * ```
 */
export class Machine implements AsyncDisposable {
  readonly #children = new Set<Deno.ChildProcess>();
  readonly #servers: ServerProcess[] = [];

  private constructor(
    /** Where commands run; removed at the end. */
    readonly directory: string,
    /** Where servers listen unless told otherwise. */
    readonly ip: string,
  ) {}

  /** Makes a machine with an empty directory. */
  static async create(): Promise<Machine> {
    return new Machine(await Deno.makeTempDir({ prefix: "ring-e2e-" }), randomLoopback());
  }

  /** Every server that was started here, running or not. */
  get servers(): readonly ServerProcess[] {
    return this.#servers;
  }

  /** The path of a file in the directory. */
  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  /** Runs `ring server` on this machine's address, with `args`; does not wait for anything. */
  spawnServer(args: readonly string[] = [], { ip = this.ip }: ServerOptions = {}): ServerProcess {
    const child = this.#spawn(["server", "--ip", ip, ...args], { stdin: "null" });
    const server = new ServerProcess(child, this);
    this.#servers.push(server);
    return server;
  }

  /** Runs `ring server`, and waits until it is in a ring, be it its own. */
  async startServer(
    args: readonly string[] = [],
    options?: ServerOptions,
  ): Promise<ServerProcess> {
    const server = this.spawnServer(args, options);
    await server.waitForLine(/^ring /, { withinMs: startMsMax });
    return server;
  }

  /**
   * Starts servers at ports 4043, 4044, …, each of them after the one before; returns them, in the
   * order of the circle, when all of them print the whole ring.
   */
  async startRing(count: number, args: readonly string[] = []): Promise<ServerProcess[]> {
    const servers = [await this.startServer(args)];
    while (servers.length < count) {
      const previousPort = servers.at(-1)?.port;
      servers.push(await this.startServer(["--prev-port", `${previousPort}`, ...args]));
    }
    await waitForRing(servers, { withinMs: startMsMax });
    return servers;
  }

  /** Runs `ring` with `args` to its end. */
  async run(args: readonly string[], { stdin, env }: RunOptions = {}): Promise<CommandResult> {
    const child = this.#spawn(args, { stdin: stdin === undefined ? "null" : "piped", env });
    const timer = setTimeout(() => sendSignal(child, "SIGKILL"), runMsMax);
    try {
      const fed = stdin === undefined ? undefined : feed(child, stdin);
      const { code, stdout, stderr } = await child.output();
      await fed;
      return { code, stdout: decode(stdout), stderr: decode(stderr), bytes: stdout };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs `ring client` with `args` at this machine's address, and the default port. */
  runClient(args: readonly string[], options?: RunOptions): Promise<CommandResult> {
    return this.run(["client", "--ip", this.ip, ...args], options);
  }

  /** Kills what still runs, and removes the directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    // SIGKILL ends a stopped process too.
    for (const child of this.#children) sendSignal(child, "SIGKILL");
    await Promise.all([...this.#children].map((child) => child.status));
    await Promise.all(this.#servers.map((server) => server.exited));
    await Deno.remove(this.directory, { recursive: true });
  }

  #spawn(
    args: readonly string[],
    { stdin, env }: { stdin: "null" | "piped"; env?: Readonly<Record<string, string>> | undefined },
  ): Deno.ChildProcess {
    const [command = "", ...words] = ringCommand();
    const child = new Deno.Command(command, {
      args: [...words, ...args],
      cwd: this.directory,
      env: { ...env },
      stdin,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#children.add(child);
    child.status.finally(() => this.#children.delete(child));
    return child;
  }
}

/** A `ring server`, what it has printed, and what can be done to it. */
export class ServerProcess {
  /** The exit code, when the process has ended and its output is read; 128 + n after signal n. */
  readonly exited: Promise<number>;
  readonly #child: Deno.ChildProcess;
  readonly #machine: Machine;
  #stdout = "";
  #stderr = "";
  #exitCode: number | undefined;

  /** Takes charge of a process that has just been started on `machine`. */
  constructor(child: Deno.ChildProcess, machine: Machine) {
    this.#child = child;
    this.#machine = machine;
    this.exited = this.#attend();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What it has printed on stdout. */
  get stdout(): string {
    return this.#stdout;
  }

  /** What it has logged. */
  get stderr(): string {
    return this.#stderr;
  }

  /** The lines on stdout that are complete. */
  get lines(): readonly string[] {
    return this.#stdout.split("\n").slice(0, -1);
  }

  /** Whether it has said where it listens. */
  get isListening(): boolean {
    return this.lines.some((line) => line.startsWith("listening "));
  }

  /**
   * Where it listens.
   *
   * @throws {Error} if it has not said so yet.
   */
  get address(): Address {
    const line = this.lines.find((line) => line.startsWith("listening "));
    if (line === undefined) throw new Error(`A server does not listen.\n${this.transcript}`);
    return line.slice("listening ".length);
  }

  /** The port at which it listens. */
  get port(): number {
    const parsed = parseAddress(this.address);
    if (parsed === undefined) throw new Error(`A server listens at no address: ${this.address}`);
    return parsed.port;
  }

  /** The arguments with which a client reaches it. */
  get clientFlags(): readonly string[] {
    const { host = "", port } = parseAddress(this.address) ?? {};
    return ["--ip", host, "--port", `${port}`];
  }

  /** Whether the process has not ended. */
  get isRunning(): boolean {
    return this.#exitCode === undefined;
  }

  /** All that it has printed, for a person who looks for a fault. */
  get transcript(): string {
    const state = this.isRunning ? "running" : `ended with code ${this.#exitCode}`;
    return `--- server ${this.pid}, ${state}\n${this.#stdout}${this.#stderr}`;
  }

  /** The ring as it has last printed it: addresses from this server on; empty before that. */
  circle(): readonly Address[] {
    const line = this.lines.findLast((line) => line.startsWith("ring "));
    return line === undefined ? [] : parseRingLine(line);
  }

  /** The ring as it has last printed it, by ports, in the form `4043 -> 4045 -> (4043)`. */
  ports(): string {
    const ports = this.circle().map((address) => parseAddress(address)?.port);
    return [...ports, `(${ports[0]})`].join(" -> ");
  }

  /**
   * Waits for a line on stdout, from the start of the output on.
   *
   * @throws {Error} if there is none in time, or the server ends before.
   */
  async waitForLine(pattern: RegExp, { withinMs }: { withinMs?: number } = {}): Promise<string> {
    const what = `the line ${pattern}`;
    return await eventually(() => {
      const line = this.lines.find((line) => pattern.test(line));
      if (line !== undefined || this.isRunning) return line;
      throw new Error(`A server ended before it printed ${what}.\n${this.transcript}`);
    }, { what, ...(withinMs === undefined ? {} : { withinMs }) });
  }

  /** Sends a signal; nothing happens if the process has ended. */
  kill(name: "SIGHUP" | "SIGINT" | "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    sendSignal(this.#child, name);
  }

  /** Sends a signal that ends the process, and waits for that; returns the exit code. */
  async stop(name: "SIGINT" | "SIGTERM" | "SIGKILL"): Promise<number> {
    this.kill(name);
    return await this.exited;
  }

  /** Runs `ring client` with `args` at this server. */
  runClient(args: readonly string[], options?: RunOptions): Promise<CommandResult> {
    return this.#machine.run(["client", ...this.clientFlags, ...args], options);
  }

  async #attend(): Promise<number> {
    const [{ code }] = await Promise.all([
      this.#child.status,
      readText(this.#child.stdout, (text) => this.#stdout = keepEnd(this.#stdout + text)),
      readText(this.#child.stderr, (text) => this.#stderr = keepEnd(this.#stderr + text)),
    ]);
    this.#exitCode = code;
    return code;
  }
}

/** Waits until each of `servers` prints the ring that they are, in this order. */
export async function waitForRing(
  servers: readonly ServerProcess[],
  options: { withinMs?: number } = {},
): Promise<void> {
  const order = servers.map((server) => server.address);
  await eventually(
    () => servers.every((server, index) => isSame(server.circle(), rotate(order, index))),
    { what: `the ring ${order.join(" -> ")}`, ...options },
  );
}

/** Waits until `servers` all print one ring, whatever its order, and returns them in that order. */
export async function waitForOneRing(
  servers: readonly ServerProcess[],
  options: { withinMs?: number } = {},
): Promise<readonly ServerProcess[]> {
  const what = `one ring of ${servers.length} servers`;
  return await eventually(() => {
    const inOrder = servers[0]?.circle().flatMap((address) =>
      servers.filter((server) =>
        server.stdout !== "" && server.address === address
      )
    ) ?? [];
    const order = inOrder.map((server) => server.address);
    const agree = inOrder.length === servers.length &&
      inOrder.every((server, index) => isSame(server.circle(), rotate(order, index)));
    return agree && inOrder;
  }, { what, ...options });
}

/**
 * The addresses in a line that a server prints: `ring A -> B -> (A)`.
 *
 * @throws {Error} if it is no such line.
 */
export function parseRingLine(line: string): readonly Address[] {
  const addresses = line.slice("ring ".length).split(" -> ");
  const [first] = addresses;
  const end = addresses.pop();
  const areAddresses = addresses.every((address) => parseAddress(address) !== undefined);
  if (first !== undefined && end === `(${first})` && areAddresses) return addresses;
  throw new Error(`This is no ring line: ${JSON.stringify(line)}`);
}

/** The command that is `ring`, to which arguments are added. */
export function ringCommand(): readonly string[] {
  const executable = Deno.env.get("RING_EXECUTABLE");
  if (executable !== undefined) return [resolve(executable)];
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  return [Deno.execPath(), "run", "--quiet", ...runtimeFlags(), "--config", config, main];
}

/** Sends a signal to a process that may have ended, even a moment ago. */
export function sendSignal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch (error) {
    // A TypeError says that the process has been waited for already.
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** An address of loopback, outside 127.0.0.0/16, where the defaults are. */
function randomLoopback(): string {
  const [second = 0, third = 0] = crypto.getRandomValues(new Uint8Array(2));
  return `127.${1 + second % 254}.${third}.1`;
}

/** Gives a process its stdin; one that does not read it to the end has its reasons. */
async function feed(
  child: Deno.ChildProcess,
  text: string | Uint8Array<ArrayBuffer>,
): Promise<void> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  try {
    await ReadableStream.from([bytes]).pipeTo(child.stdin);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

async function readText(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (text: string) => void,
): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) take(text);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** The end of a text, no longer than is kept. */
function keepEnd(text: string): string {
  return text.slice(-outputLengthMax);
}

function rotate<T>(list: readonly T[], by: number): readonly T[] {
  return [...list.slice(by), ...list.slice(0, by)];
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}
