/** `ring client --put`: one file or many, eight at a time. */
import type { RingClient } from "../client/client.ts";
import { nameError } from "../protocol/name.ts";
import { quoteText } from "../protocol/quote.ts";
import type { FileAnswer } from "../ring/request.ts";
import { type ClientAction, standardStream } from "./client_flags.ts";
import { exitCode } from "./exit_code.ts";
import { describeFailure, type Failure, failureJson } from "./failure.ts";
import { LocalError, localFailure } from "./local_error.ts";
import { findLocalFiles } from "./local_files.ts";
import { countText, OutputClosedError, sizeText } from "./output.ts";
import type { Progress } from "./progress.ts";
import { openFile, openStdin, type PutSource } from "./put_source.ts";
import type { Outcome, Session } from "./session.ts";

/** How many files are under way at once, each on a connection of its own. */
const putsMax = 8;

/** A file to put, and how to read it. */
interface Task {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly open: () => Promise<PutSource>;
}

/** Puts what the paths name; a failure of one file is reported, and the others go on. */
export async function putFiles(
  session: Session,
  action: ClientAction & { type: "put" },
): Promise<Outcome> {
  const run = new PutRun(session);
  const tasks = await findTasks(action, { session, run });
  const totalBytes = tasks.reduce((sum, task) => sum + task.size, 0);
  const progress = session.progress("put", { totalBytes });
  const queue = tasks.values();
  const workers = tasks.slice(0, putsMax).map(() => run.work(queue, progress));
  try {
    await Promise.all(workers);
  } finally {
    progress.clear();
  }
  return run.conclude(tasks.length);
}

async function findTasks(
  { paths, name }: ClientAction & { type: "put" },
  { session, run }: { session: Session; run: PutRun },
): Promise<Task[]> {
  if (name !== undefined && paths[0] === standardStream) {
    const source = await openStdin();
    return [{ path: standardStream, name, size: source.size, open: () => Promise.resolve(source) }];
  }
  const found = await findLocalFiles(paths, name);
  for (const sentence of found.skipped) session.note(sentence);
  for (const { path, error } of found.failures) run.fail(error, { path });
  if (found.files.length + found.failures.length === 0) session.note("There is no file to put");
  return found.files.map((file) => ({ ...file, open: () => openFile(file.path) }));
}

/** One run of `--put`, and what it has come to. */
class PutRun {
  readonly #session: Session;
  readonly #files: Record<string, unknown>[] = [];
  readonly #failures: Failure[] = [];
  #putBytes = 0;
  #putCount = 0;
  /** Why no server can be reached, if none can: the files that are left are not tried. */
  #unreachable: Failure | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Takes one task after the other, until there is none, or no server can be reached. */
  async work(queue: Iterator<Task, unknown>, progress: Progress): Promise<void> {
    let client: RingClient | undefined;
    try {
      for (let next = queue.next(); next.done !== true; next = queue.next()) {
        if (client === undefined || client.closed) client = await this.#connect();
        if (client === undefined) return;
        await this.#put(client, { task: next.value, progress });
      }
    } finally {
      client?.close();
    }
  }

  /** Notes, and says, that a file was not put. */
  fail(error: unknown, { path, name }: { path: string; name?: string }): void {
    if (error instanceof OutputClosedError) throw error;
    const failure = describeFailure(error);
    this.#failures.push(failure);
    this.#files.push({
      ...(name === undefined ? {} : { name }),
      path,
      error: failureJson(failure),
    });
    this.#session.note(failure.message);
  }

  /** The end of the run, of which `taskCount` files were found. */
  conclude(taskCount: number): Outcome {
    const unreachable = this.#unreachable;
    const json = { command: "put", files: this.#files };
    const put = countText(this.#putCount, ["file", "files"]);
    if (this.#putCount > 1) this.#session.print(`${put}, ${sizeText(this.#putBytes)}`);
    if (unreachable !== undefined) {
      this.#session.note(unreachable.message);
      return { exitCode: unreachable.exitCode, json: { ...json, error: failureJson(unreachable) } };
    }
    const [failure] = this.#failures;
    if (failure === undefined) return { exitCode: exitCode.done, json };
    // The exit code says why, if nothing was put and all failed alike; else only that not all is put.
    const isAlike = this.#failures.every((other) => other.exitCode === failure.exitCode);
    const says = isAlike && this.#failures.length === taskCount;
    return { exitCode: says ? failure.exitCode : exitCode.failed, json };
  }

  /** A connection, or `undefined` if no server can be reached. */
  async #connect(): Promise<RingClient | undefined> {
    if (this.#unreachable !== undefined) return undefined;
    try {
      return await this.#session.connect();
    } catch (error) {
      this.#unreachable ??= describeFailure(error);
      return undefined;
    }
  }

  async #put(
    client: RingClient,
    { task, progress }: { task: Task; progress: Progress },
  ): Promise<void> {
    try {
      this.#succeed(await putFile(client, { task, progress }), task);
    } catch (error) {
      this.fail(error, task);
    }
  }

  #succeed({ answer, size }: { answer: FileAnswer; size: number }, { name, path }: Task): void {
    const { status, copies, sha256, stamp } = answer;
    this.#putCount++;
    this.#putBytes += size;
    this.#files.push({ name, path, size, status, copies, sha256, stamp });
    this.#session.print(`put ${name} ${sizeText(size)}${copiesText(copies)}`);
  }
}

/** How many copies there are, as the end of a line. */
function copiesText(copies: number | undefined): string {
  return copies === undefined ? "" : `, ${countText(copies, ["copy", "copies"])}`;
}

async function putFile(
  client: RingClient,
  { task, progress }: { task: Task; progress: Progress },
): Promise<{ answer: FileAnswer; size: number }> {
  const { name, path } = task;
  const invalid = nameError(name);
  if (invalid !== undefined) throw new LocalError(invalid);
  try {
    using source = await task.open();
    const { size } = source;
    const body = source.body instanceof Uint8Array ? source.body : counted(source.body, progress);
    const answer = await client.put(name, { size, body });
    if (source.body instanceof Uint8Array) progress.add(size);
    return { answer, size };
  } catch (cause) {
    throw localFailure(cause, `read ${quoteText(path)}`);
  }
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  progress: Progress,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of chunks) {
    yield chunk;
    progress.add(chunk.length);
  }
}
