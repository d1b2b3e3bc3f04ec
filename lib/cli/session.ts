/** What the actions of `ring client` share: where to connect, and how to say things. */
import { type ConnectOptions, RingClient } from "../client/client.ts";
import { RingError } from "../client/ring_error.ts";
import type { Address } from "../ring/address.ts";
import type { ExitCode } from "./exit_code.ts";
import { printable, printLine, printNote } from "./output.ts";
import { Progress } from "./progress.ts";
import { readSecret } from "./secret_file.ts";
import { readCredentials, type TlsFiles } from "./tls_files.ts";

/** How to reach the ring, and what the user wants to read. */
export interface SessionOptions {
  /** The servers to try, in this order. */
  readonly addresses: readonly Address[];
  readonly timeoutMs: number;
  /** The file with the ring's secret. */
  readonly secretFile?: string;
  /** The files to encrypt with; absent, nothing is encrypted. */
  readonly tls?: TlsFiles;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** What an action comes to. */
export interface Outcome {
  readonly exitCode: ExitCode;
  /** For `--json`: what goes into the object beside `ok`. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** How long to wait, in milliseconds, for the first address if there is a second: both are loopback. */
const firstConnectMsMax = 1000;

/** One run of `ring client`. */
export class Session {
  #progress: Progress | undefined;

  constructor(private readonly options: SessionOptions) {}

  /** Whether the result is one JSON object, and nothing else may go to stdout. */
  get json(): boolean {
    return this.options.json;
  }

  /** The longest wait for anything that a server should do at once, in milliseconds. */
  get timeoutMs(): number {
    return this.options.timeoutMs;
  }

  /** How to connect to any server of the ring, with what proves to belong to it. */
  async connectOptions(): Promise<ConnectOptions> {
    const { timeoutMs, secretFile, tls } = this.options;
    return {
      timeoutMs,
      ...(secretFile === undefined ? {} : { secret: await readSecret(secretFile) }),
      ...(tls === undefined ? {} : { credentials: await readCredentials(tls) }),
    };
  }

  /**
   * Connects to the first address that answers.
   *
   * @throws {RingError} `unavailable`, for the first address, if none does.
   */
  async connect(): Promise<RingClient> {
    const { addresses, timeoutMs } = this.options;
    const options = await this.connectOptions();
    let failure: unknown;
    for (const [index, address] of addresses.entries()) {
      const isLast = index === addresses.length - 1;
      try {
        return await RingClient.connect(address, {
          ...options,
          connectMs: isLast ? timeoutMs : Math.min(timeoutMs, firstConnectMsMax),
        });
      } catch (error) {
        if (!(error instanceof RingError)) throw error;
        failure ??= error;
      }
    }
    throw failure;
  }

  /** Connects, asks, and closes the connection. */
  async ask<T>(request: (client: RingClient) => Promise<T>): Promise<T> {
    const client = await this.connect();
    try {
      return await request(client);
    } finally {
      client.close();
    }
  }

  /** Prints a line for a person; a program reads the JSON object instead. */
  print(line: string): void {
    this.#progress?.clear();
    if (!this.json) printLine(printable(line));
  }

  /** Says on stderr that something is wrong, but goes on. */
  note(text: string): void {
    this.#progress?.clear();
    if (!this.json) printNote(text);
  }

  /** Begins a progress bar; `hidden` if the terminal shows something else meanwhile. */
  progress(label: string, { totalBytes, hidden = false }: {
    totalBytes: number;
    hidden?: boolean;
  }): Progress {
    const enabled = !this.options.verbose && !hidden;
    this.#progress = new Progress({ label, totalBytes }, { enabled });
    return this.#progress;
  }
}
