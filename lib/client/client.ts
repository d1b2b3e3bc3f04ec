/**
 * The client library: what programs, and `ring client`, use to talk to a server of a ring.
 *
 * One client is one connection. Requests may overlap: they go through a pipeline (`pipeline.ts`), which
 * also says how long they may take.
 */
import { createHash } from "node:crypto";
import { FrameConnection } from "../protocol/connection.ts";
import type { Credentials } from "../protocol/credentials.ts";
import { greet, HandshakeError, type Party } from "../protocol/handshake.ts";
import type { Secret } from "../protocol/secret.ts";
import { secure } from "../protocol/tls_stream.ts";
import { quoteText } from "../protocol/quote.ts";
import { type Address, parseAddress } from "../ring/address.ts";
import { type FileRecord, inlineBytesMax } from "../ring/file_record.ts";
import type { ClientRequest, FileAnswer, MemberAnswer, StatusAnswer } from "../ring/request.ts";
import { asFileAnswer, asVerified, describe, refusal, type Verified } from "./answer.ts";
import { Pipeline } from "./pipeline.ts";
import { connectReason } from "./reason.ts";
import { RingError } from "./ring_error.ts";
import { Upload } from "./upload.ts";

/** How to connect. */
export interface ConnectOptions {
  /**
   * The longest wait, in milliseconds, for the connection, for the server to take the next bytes of a
   * body, for an answer, and for its next bytes. The answer to a PUT, a DELETE or a GET may take as much
   * longer as the ring gives itself for it: a write is answered when every live server has it, and a
   * silent one is waited for until the others call it dead.
   */
  readonly timeoutMs: number;
  /** The longest wait for the connection alone, if that is shorter. */
  readonly connectMs?: number;
  /** The ring's secret, if it has one. */
  readonly secret?: Secret;
  /** What to encrypt with; absent, nothing is encrypted. */
  readonly credentials?: Credentials;
}

/** What to put. */
export interface PutOptions {
  /** Bytes in the body. */
  readonly size: number;
  /**
   * The body. Of an iterable, each chunk is sent before the next is asked for, so its memory can be
   * used again; bytes are sent together with the request, which is faster for small files.
   */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** Found from the name if absent. */
  readonly contentType?: string;
}

/** The answer to a GET, and the file. */
export interface Download {
  readonly answer: FileAnswer & { readonly size: number; readonly sha256: string };
  /**
   * The bytes, once. Iterate to the end, where the hash is verified: only then are they what was put.
   * To leave early closes the client. Answers to later requests wait until it is read.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * A connection to one server of a ring.
 *
 * @example
 * ```ts ignore
 * const client = await RingClient.connect("127.0.1.1:4043", { timeoutMs: 10_000 });
 * try {
 *   const body = new TextEncoder().encode("Hello");
 *   const { copies } = await client.put("hello.txt", { size: body.length, body });
 * } finally {
 *   client.close();
 * }
 * ```
 */
export class RingClient {
  readonly #pipeline: Pipeline;

  private constructor(readonly address: Address, pipeline: Pipeline) {
    this.#pipeline = pipeline;
  }

  /**
   * Connects to the server at `address`.
   *
   * @throws {RingError} `unavailable` if no server can be reached there; `failed` if it is not to be believed,
   * or says that of us.
   * @throws {Deno.errors.NotCapable} if this program may not connect there.
   */
  static async connect(address: Address, options: ConnectOptions): Promise<RingClient> {
    const { timeoutMs, connectMs = timeoutMs } = options;
    const target = parseAddress(address);
    if (target === undefined) throw new TypeError(`Not an address: ${quoteText(address)}`);
    const tooLate = new AbortController();
    const timer = setTimeout(() => tooLate.abort(), connectMs);
    try {
      const conn = await Deno.connect({
        hostname: target.host,
        port: target.port,
        signal: tooLate.signal,
      });
      conn.setNoDelay(true);
      const { credentials, secret } = options;
      const { signal } = tooLate;
      const { stream, endPoint } = await secure(conn, { credentials, host: target.host, signal });
      const connection = new FrameConnection(stream);
      const party = { id: "", ...(endPoint === undefined ? {} : { endPoint }) };
      if (secret !== undefined) await greetInTime(connection, { secret, ...party }, { signal });
      return new RingClient(address, new Pipeline({ connection, address, timeoutMs }));
    } catch (cause) {
      if (cause instanceof HandshakeError && !tooLate.signal.aborted) {
        throw new RingError("failed", `Cannot ask the server at ${address}: ${cause.message}`, {
          cause,
        });
      }
      if (cause instanceof Deno.errors.NotCapable) throw cause;
      const reason = tooLate.signal.aborted
        ? `no answer within ${connectMs / 1000} s`
        : connectReason(cause);
      throw new RingError("unavailable", `Cannot reach a server at ${address}: ${reason}`, {
        cause,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Whether the connection is gone: every request fails from now on. */
  get closed(): boolean {
    return this.#pipeline.closed;
  }

  /**
   * Puts a file; returns when every live server has it on disk.
   *
   * @throws {RingError} `unknown` if it was sent and no answer came; and what the body's source throws.
   */
  async put(name: string, options: PutOptions): Promise<FileAnswer> {
    const { size, body, contentType } = options;
    const type = contentType === undefined ? {} : { contentType };
    const request: ClientRequest = { type: "PUT", item: name, size, ...type };
    const upload = body instanceof Uint8Array && body.length <= inlineBytesMax
      ? assertSize(body, size)
      : new Upload(size, body instanceof Uint8Array ? pieces(body) : body);
    const answer = asFileAnswer(await this.#pipeline.ask(request, upload), request);
    const sent = upload instanceof Upload ? upload.digest() : sha256(upload);
    if (answer.sha256 === undefined || answer.sha256 === sent) return answer;
    throw new RingError("failed", `Cannot ${describe(request)}: the server stored other bytes`);
  }

  /**
   * Gets a file: first what is known of it, then, as they are read, its bytes.
   *
   * @throws {RingError} `notFound` if there is none of that name; from the body, `failed` if its hash is
   * wrong at the end, and `unavailable` if the connection breaks.
   */
  async get(name: string): Promise<Download> {
    const request: ClientRequest = { type: "GET", item: name };
    const answer = asFileAnswer(await this.#pipeline.ask(request), request);
    const { size, sha256 } = answer;
    if (size === undefined || sha256 === undefined) {
      throw this.#pipeline.abandon(request, "the server sent a file without saying its hash");
    }
    return { answer: { ...answer, size, sha256 }, body: this.#pipeline.body(request, sha256) };
  }

  /**
   * Deletes a file; returns when no live server has it any more.
   *
   * @throws {RingError} `notFound` if there is none of that name; `unknown` if no answer came.
   */
  async delete(name: string): Promise<FileAnswer> {
    const request: ClientRequest = { type: "DELETE", item: name };
    return asFileAnswer(await this.#pipeline.ask(request), request);
  }

  /** The files whose names begin with `prefix`, in the order of their names, fetched page by page. */
  async *list(prefix = ""): AsyncGenerator<FileRecord, void, void> {
    let after: string | undefined = "";
    while (after !== undefined) {
      const request: ClientRequest = { type: "LIST", prefix, after };
      const answer = await this.#pipeline.ask(request);
      if (answer.type !== "LIST") throw refusal(answer, request);
      yield* answer.files;
      if (answer.next === after) throw new RingError("failed", "Cannot list: a page came twice");
      after = answer.next;
    }
  }

  /** The ring as this server sees it, and what it holds. */
  async status(): Promise<StatusAnswer> {
    const request: ClientRequest = { type: "STATUS" };
    const answer = await this.#pipeline.ask(request);
    if (answer.type !== "STATUS") throw refusal(answer, request);
    return answer;
  }

  /** Asks the server to leave the ring and stop. */
  async leave(): Promise<void> {
    await this.#order({ type: "LEAVE" });
  }

  /**
   * Asks to take a member off the list that is gone for good, and returns which it was; `member` is its
   * address, or the first digits of its id.
   */
  forget(member: string): Promise<MemberAnswer> {
    return this.#order({ type: "FORGET", member });
  }

  /**
   * Asks to drop the tombstones that no server can be without, on all servers; returns how many this
   * server had.
   *
   * @throws {RingError} `failed` if a server is missing, or differs; `unknown` if not all have answered.
   */
  async collect(): Promise<number> {
    const request: ClientRequest = { type: "GC" };
    const answer = await this.#pipeline.ask(request);
    if (answer.type === "GC" && answer.dropped !== undefined) return answer.dropped;
    throw refusal(answer, request);
  }

  /**
   * Has the server read and check all that it holds, and repair it. That takes as long as it takes, and
   * nothing comes meanwhile: ask for the status, on another connection, whether the server still lives.
   */
  async verify(): Promise<Verified> {
    const request: ClientRequest = { type: "VERIFY" };
    return asVerified(await this.#pipeline.ask(request), request);
  }

  async #order(request: ClientRequest & { type: "LEAVE" | "FORGET" }): Promise<MemberAnswer> {
    const answer = await this.#pipeline.ask(request);
    if (answer.type === request.type && answer.status === 200) return answer;
    throw refusal(answer, request);
  }

  /** Closes the connection; what is under way fails. Harmless when it is closed. */
  close(): void {
    this.#pipeline.close();
  }
}

/** Proves to know the ring's secret, before anything is asked; closes if the signal comes before. */
async function greetInTime(
  connection: FrameConnection,
  party: Party,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const close = () => connection.close();
  signal.addEventListener("abort", close);
  try {
    await greet(connection, party);
  } catch (error) {
    close();
    throw error;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

function assertSize(body: Uint8Array, size: number): Uint8Array {
  if (body.length === size) return body;
  throw new TypeError(`The body has ${body.length} bytes, and not ${size}`);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += inlineBytesMax) {
    yield bytes.subarray(at, at + inlineBytesMax);
  }
}
