/** `ring server`: runs a server until it is told to stop. */
import { dirname } from "node:path";
import { configureLog, logger } from "../log.ts";
import type { Member } from "../ring/member.ts";
import { type Credentials, dayOf } from "../protocol/credentials.ts";
import type { Secret } from "../protocol/secret.ts";
import { type RunningServer, ServerError, type ServerOptions } from "../server/options.ts";
import { startServer } from "../server/server.ts";
import { confine } from "./confinement.ts";
import { type ExitCode, exitCode } from "./exit_code.ts";
import { describeFailure, reportFailure } from "./failure.ts";
import { asksFor, optional } from "./flags.ts";
import { helpText } from "./help.ts";
import { OutputClosedError, painterFor, printLine, writeOutput } from "./output.ts";
import { ringLine } from "./ring_line.ts";
import { isReadableByOthers, readEnvironment, readSecret } from "./secret_file.ts";
import {
  ipDefault,
  ipFallback,
  parseServerCommand,
  type ServerCommand,
  serverOptions,
} from "./server_flags.ts";
import { readCredentials, type TlsFiles } from "./tls_files.ts";

type ServeCommand = ServerCommand & { readonly type: "serve" };

const log = logger("server");

/** Runs `ring server` with the arguments that follow these words; returns the exit code. */
export async function runServer(args: readonly string[]): Promise<ExitCode> {
  let command: ServerCommand;
  try {
    command = parseServerCommand(args, readEnvironment());
  } catch (error) {
    return reportFailure(error, { verbose: asksFor(args, "verbose") });
  }
  if (command.type === "help") {
    await writeOutput(new TextEncoder().encode(helpText("server")));
    return exitCode.done;
  }
  configureLog({ verbose: command.verbose, format: command.logFormat });
  try {
    return await serve(command);
  } catch (error) {
    if (command.logFormat === "text") return reportFailure(error, { verbose: command.verbose });
    const failure = describeFailure(error);
    log.error(failure.message);
    return failure.exitCode;
  }
}

/** Serves until a signal comes, or the server cannot go on. */
async function serve(command: ServeCommand): Promise<ExitCode> {
  using signals = new StopSignals();
  using renewal = command.tls === undefined ? undefined : new Renewal(command.tls);
  const server = await start(command);
  renewal?.begin(server);
  const signal = await Promise.race([server.finished, signals.first]);
  if (signal === undefined) return exitCode.done;
  log.info(`${signal}: leaving the ring and finishing what is in flight; again to stop at once`);
  await server.stop();
  return exitCode.done;
}

/** Starts the server, on the fallback address if the default one does not exist here. */
async function start(command: ServeCommand): Promise<RunningServer> {
  const output = new ServerOutput();
  const secret = await secretOf(command);
  const credentials = await credentialsOf(command);
  const options = (ip: string) =>
    confined(command, {
      ...serverOptions(command, ip),
      ...optional("secret", secret),
      ...optional("credentials", credentials),
      onListening: (address) => output.print(`listening ${address}`),
      onWeb: (url) => output.print(`web ${url}`),
      onPage: (url) => output.print(`page ${url}`),
      onCircle: (members) => output.printRing(members),
    });
  if (command.ip !== undefined) return await startServer(options(command.ip));
  try {
    return await startServer(options(ipDefault));
  } catch (error) {
    if (!isAddressMissing(error)) throw error;
    log.warn(`This machine has no address ${ipDefault}, so the server uses ${ipFallback}`);
    return await startServer(options(ipFallback));
  }
}

/**
 * Has the server give up all files but its data when it has opened those, before it serves anybody; and but
 * the directories of what SIGHUP has it read again, as new certificates come under new names and links.
 */
function confined({ tls }: ServeCommand, options: ServerOptions): ServerOptions {
  const { dataDirectory, onListening } = options;
  let directory: string | undefined;
  return {
    ...options,
    ...(dataDirectory === undefined ? {} : {
      dataDirectory: (port) => directory = dataDirectory(port),
    }),
    onListening: (address) => {
      const data = directory === undefined ? [] : withTargets([directory]);
      const certificates = withTargets(Object.values(tls ?? {})).map((path) => dirname(path));
      confine({ read: [...data, ...certificates], write: data });
      onListening?.(address);
    },
  };
}

/** These paths, and where they lead if they are links. */
function withTargets(paths: readonly string[]): readonly string[] {
  return [...paths, ...paths.map((path) => Deno.realPathSync(path))];
}

/** The ring's secret, if it has one; says so if others on this machine know it too. */
async function secretOf({ secretFile }: ServeCommand): Promise<Secret | undefined> {
  if (secretFile === undefined) return undefined;
  const secret = await readSecret(secretFile);
  if (await isReadableByOthers(secretFile)) {
    log.warn(`Others on this machine may read the secret in ${secretFile}: chmod 600 it`);
  }
  return secret;
}

/** What to encrypt with, if anything; says so if others on this machine can pretend to be this server. */
async function credentialsOf({ tls }: ServeCommand): Promise<Credentials | undefined> {
  if (tls === undefined) return undefined;
  const credentials = await readCredentials(tls);
  if (tls.key !== undefined && await isReadableByOthers(tls.key)) {
    log.warn(`Others on this machine may read the key in ${tls.key}: chmod 600 it`);
  }
  return credentials;
}

/** Reads the files of TLS again when SIGHUP comes; what it cannot use it leaves, and goes on as before. */
class Renewal implements Disposable {
  readonly #files: TlsFiles;
  readonly #listener = () => void this.#renew();
  #server: RunningServer | undefined;
  /** The signal came while the server was starting, which may have read the files before. */
  #isDue = false;

  constructor(files: TlsFiles) {
    this.#files = files;
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", this.#listener);
  }

  [Symbol.dispose](): void {
    if (Deno.build.os !== "windows") Deno.removeSignalListener("SIGHUP", this.#listener);
  }

  /** The server has started. */
  begin(server: RunningServer): void {
    this.#server = server;
    if (this.#isDue) void this.#renew();
  }

  async #renew(): Promise<void> {
    if (this.#server === undefined) {
      this.#isDue = true;
      return;
    }
    try {
      const credentials = await readCredentials(this.#files);
      this.#server.renew(credentials);
      const { validTo } = credentials;
      const until = validTo === undefined ? "" : `, valid to ${dayOf(validTo)}`;
      log.info(
        `SIGHUP: connections that begin from now on use the certificate as it is now${until}`,
      );
    } catch (error) {
      const { message } = describeFailure(error);
      log.error(`SIGHUP: the certificate stays as it was: ${message}`);
    }
  }
}

function isAddressMissing(error: unknown): boolean {
  return error instanceof ServerError && error.cause instanceof Deno.errors.AddrNotAvailable;
}

/** What a server says on stdout. */
class ServerOutput {
  readonly #paint = painterFor(Deno.stdout);
  #ring = "";

  /** Prints a line; a server goes on when nobody reads them any more. */
  print(line: string): void {
    try {
      printLine(line);
    } catch (error) {
      if (!(error instanceof OutputClosedError)) throw error;
      log.debug(error.message);
    }
  }

  /** Prints the ring, if it is not as it was. */
  printRing(members: readonly Member[]): void {
    const line = ringLine(members.map((member) => member.address), this.#paint);
    if (line === this.#ring) return;
    this.#ring = line;
    this.print(line);
  }
}

/** The signals that ask a server to stop: the first politely, the second at once. */
class StopSignals implements Disposable {
  static readonly #names = ["SIGINT", "SIGTERM"] as const;
  readonly #first = Promise.withResolvers<Deno.Signal>();
  readonly #listeners = new Map<Deno.Signal, () => void>();
  #count = 0;

  constructor() {
    for (const name of StopSignals.#names) {
      const listener = () => this.#handle(name);
      this.#listeners.set(name, listener);
      Deno.addSignalListener(name, listener);
    }
  }

  /** The first that came. */
  get first(): Promise<Deno.Signal> {
    return this.#first.promise;
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
  }

  #handle(name: Deno.Signal): void {
    this.#count++;
    if (this.#count > 1) Deno.exit(exitCode.interrupted);
    this.#first.resolve(name);
  }
}
