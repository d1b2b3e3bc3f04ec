/**
 * One of the servers: its place, its disk, and the process that runs there now, if one does.
 *
 * What it prints and logs goes into a file, for all its processes together. A process that ends
 * without having been told to is a fault of ours, and is reported.
 */
import { join } from "node:path";
import { ringCommand, sendSignal } from "../e2e/ring_process.ts";
import type { DataDisk } from "./data_disk.ts";
import { pause } from "./pause.ts";

/** How long a server may take to listen, in milliseconds: the machine may be busy. */
const listenMsMax = 20_000;

/** How long a server may take to stop when it is asked to, in milliseconds: 5 s, and what is busy. */
const stopMsMax = 20_000;

/** Ports are drawn from here upwards. */
const portFirst = 4043;

/** What no log of a healthy server has in it. */
const traces: readonly RegExp[] = [/^\s+at .+:\d+:\d+\)?$/m, /internal error/i, /panicked at/];

/** Where and how a server runs. */
export interface ServerPlace {
  /** From 0; servers are called after it, from 1. */
  readonly index: number;
  readonly ip: string;
  readonly disk: DataDisk;
  /** The directory for its log. */
  readonly directory: string;
  /** What stands before its command. */
  readonly prefix: readonly string[];
  /** Its environment, on top of ours. */
  readonly environment: Readonly<Record<string, string>>;
  /** Arguments for every start. */
  readonly args: readonly string[];
  /** Told when something is wrong with this server. */
  readonly onViolation: (text: string) => void;
}

/** How to start a process. */
export interface StartOptions {
  /** The server after which it asks to be inserted. */
  readonly previous?: ServerProcess | undefined;
  /** Whether it listens at another port than before. */
  readonly hasNewPort?: boolean;
}

interface Running {
  readonly child: Deno.ChildProcess;
  readonly ended: Promise<Deno.CommandStatus>;
  readonly startedAt: number;
  /** Whether it has been told to end. */
  isDoomed: boolean;
}

/** A server, whether a process runs or not. */
export class ServerProcess {
  readonly #place: ServerPlace;
  #running: Running | undefined;
  #port = portFirst;
  #isStopped = false;
  #output = "";

  constructor(place: ServerPlace) {
    this.#place = place;
  }

  /** What logs call it. */
  get name(): string {
    return `server ${this.index + 1}`;
  }

  get index(): number {
    return this.#place.index;
  }

  /** Its own address, which no other server has. */
  get ip(): string {
    return this.#place.ip;
  }

  /** Where it listens, or last did. */
  get address(): string {
    return `${this.ip}:${this.#port}`;
  }

  get disk(): DataDisk {
    return this.#place.disk;
  }

  /** The process that runs, if one does. */
  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  /** When that process was started, on the clock of `performance.now()`. */
  get startedAt(): number | undefined {
    return this.#running?.startedAt;
  }

  /** Whether a process runs, and is not stopped by SIGSTOP. */
  get isUp(): boolean {
    return this.#running !== undefined && !this.#running.isDoomed && !this.#isStopped;
  }

  /** Where all that it printed is. */
  get logFile(): string {
    return join(this.#place.directory, `server-${this.index + 1}.log`);
  }

  /** Starts a process; returns when it listens, or has ended. */
  async start({ previous, hasNewPort = false }: StartOptions = {}): Promise<void> {
    if (this.#running !== undefined) return;
    if (hasNewPort) this.#port = portFirst + (this.#port - portFirst + 1) % 100;
    const [command = "", ...args] = [
      ...this.#place.prefix,
      ...ringCommand(),
      ...["server", "--ip", this.#place.ip, "--port", `${this.#port}`, "--insecure"],
      ...["--data", this.disk.data],
      ...previousFlags(previous?.address),
      ...this.#place.args,
    ];
    const child = new Deno.Command(command, {
      args,
      cwd: this.#place.directory,
      env: { ...this.#place.environment },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#output = "";
    const running: Running = {
      child,
      ended: this.#attend(child),
      startedAt: performance.now(),
      isDoomed: false,
    };
    this.#running = running;
    const listens = () => this.#running !== running || this.#output.includes("listening ");
    const end = running.startedAt + listenMsMax;
    while (!listens() && performance.now() < end) await pause(20);
    if (listens()) return;
    this.#place.onViolation(`${this.name} has not listened in ${listenMsMax / 1000} s`);
  }

  /** Ends the process at once, and waits for that. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks the process to leave the ring and end, and waits for that. */
  async terminate(): Promise<void> {
    const late = setTimeout(() => {
      this.#place.onViolation(`${this.name} has not stopped ${stopMsMax / 1000} s after SIGTERM`);
      if (this.#running !== undefined) sendSignal(this.#running.child, "SIGKILL");
    }, stopMsMax);
    const status = await this.#end("SIGTERM");
    clearTimeout(late);
    if (status === undefined || status.code === 0 || status.signal === "SIGKILL") return;
    this.#place.onViolation(`${this.name} ended with exit code ${status.code} after SIGTERM`);
  }

  /** Stops the process where it is. */
  stop(): void {
    if (this.#running === undefined) return;
    this.#isStopped = true;
    sendSignal(this.#running.child, "SIGSTOP");
  }

  /** Lets it go on. */
  continue(): void {
    if (this.#running === undefined || !this.#isStopped) return;
    sendSignal(this.#running.child, "SIGCONT");
    this.#isStopped = false;
  }

  /** Lines of its log that nobody should ever see. */
  async findTraces(): Promise<readonly string[]> {
    const text = await Deno.readTextFile(this.logFile).catch(ignoreNotFound);
    return traces.flatMap((pattern) => pattern.exec(text)?.[0] ?? []);
  }

  async #end(signal: Deno.Signal): Promise<Deno.CommandStatus | undefined> {
    const running = this.#running;
    if (running === undefined) return undefined;
    running.isDoomed = true;
    sendSignal(running.child, signal);
    return await running.ended;
  }

  /** Keeps what a process prints, and notes its end. */
  async #attend(child: Deno.ChildProcess): Promise<Deno.CommandStatus> {
    const [status] = await Promise.all([
      child.status,
      this.#keep(child.stdout, (text) => this.#output = (this.#output + text).slice(0, 1024)),
      this.#keep(child.stderr, () => {}),
    ]);
    const isDoomed = this.#running?.isDoomed ?? false;
    this.#running = undefined;
    this.#isStopped = false;
    if (!isDoomed) {
      const how = status.signal ?? `exit code ${status.code}`;
      this.#place.onViolation(`${this.name} ended by itself, ${how}: ${await this.#lastLine()}`);
    }
    return status;
  }

  /** What it said last, which should be why it ended. */
  async #lastLine(): Promise<string> {
    const text = await Deno.readTextFile(this.logFile).catch(ignoreNotFound);
    return text.trimEnd().split("\n").at(-1) ?? "";
  }

  async #keep(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    take: (text: string) => void,
  ): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      take(text);
      await Deno.writeTextFile(this.logFile, stamped(text), { append: true });
    }
  }
}

/** There is no log when nothing was logged. */
function ignoreNotFound(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "";
  throw error;
}

function previousFlags(address: string | undefined): readonly string[] {
  if (address === undefined) return [];
  const [ip = "", port = ""] = address.split(":");
  return ["--prev-ip", ip, "--prev-port", port];
}

/** What a server prints has no time; logs of several servers are read side by side. */
function stamped(text: string): string {
  const time = new Date().toISOString().slice(11, 23);
  return text.replace(/^(?=listening |ring )/gm, `${time} `);
}
