/**
 * The client library: what programs, and `ring client`, use to talk to a server of a ring.
 *
 * One client is one connection. Requests may overlap: each is sent at once, and answers come in the
 * order of the requests, so each request waits for its turn to receive. A turn ends with the answer,
 * or, when a body follows it, with the end of that body.
 *
 * Time is limited by progress: a transfer may take as long as it needs while bytes move. When a wait is
 * too long, the connection is closed, as nobody can say which answer would come next; every request
 * under way then fails, each with its own sentence.
 */
import { createHash } from "node:crypto";
import { logger } from "../log.ts";
import { type ByteStream, ConnectionError, FrameConnection } from "../protocol/connection.ts";
import type { Credentials } from "../protocol/credentials.ts";
import { decodeAnswer } from "../protocol/decode.ts";
import { encodeRequest } from "../protocol/encode.ts";
import { greet, HandshakeError, type Party } from "../protocol/handshake.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import type { Secret } from "../protocol/secret.ts";
import { secure } from "../protocol/tls_stream.ts";
import { quoteText } from "../protocol/quote.ts";
import { type Address, parseAddress } from "../ring/address.ts";
import { type FileRecord, inlineBytesMax } from "../ring/file_record.ts";
import type {
  ClientAnswer,
  ClientRequest,
  FileAnswer,
  MemberAnswer,
  StatusAnswer,
} from "../ring/request.ts";
import { asFileAnswer, asVerified, describe, refusal, type Verified } from "./answer.ts";
import { connectReason, reasonOf } from "./reason.ts";
import { answerMsMax } from "./limit.ts";
import { RingError } from "./ring_error.ts";
import { Upload } from "./upload.ts";
import { Watchdog } from "./watchdog.ts";

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

const log = logger("client");

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
  readonly #connection: FrameConnection;
  readonly #timeoutMs: number;
  readonly #watchdog = new Watchdog((milliseconds) => this.#expire(milliseconds));
  /** Resolved when everything that was asked before is answered. */
  #answered: Promise<void> = Promise.resolve();
  /** Ends the turn of the request that receives now, so that the next can. */
  #endTurn: () => void = () => {};
  /** Why the connection was closed. */
  #reason: string | undefined;

  private constructor(readonly address: Address, stream: ByteStream, timeoutMs: number) {
    this.#connection = new FrameConnection(stream);
    this.#timeoutMs = timeoutMs;
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
      const client = new RingClient(address, stream, timeoutMs);
      const party = { id: "", ...(endPoint === undefined ? {} : { endPoint }) };
      if (secret !== undefined) await client.#greet({ secret, ...party }, signal);
      return client;
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

  /** Proves to know the ring's secret, before anything is asked. */
  async #greet(party: Party, signal: AbortSignal): Promise<void> {
    const close = () => this.close();
    signal.addEventListener("abort", close);
    try {
      await greet(this.#connection, party);
    } catch (error) {
      close();
      throw error;
    } finally {
      signal.removeEventListener("abort", close);
    }
  }

  /** Whether the connection is gone: every request fails from now on. */
  get closed(): boolean {
    return this.#connection.closed;
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
      : new Upload({
        size,
        source: body instanceof Uint8Array ? pieces(body) : body,
        watchdog: new Watchdog((milliseconds) => this.#expire(milliseconds)),
        timeoutMs: this.#timeoutMs,
      });
    const answer = asFileAnswer(await this.#ask(request, upload), request);
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
    const answer = asFileAnswer(await this.#ask(request), request);
    const { size, sha256 } = answer;
    if (size === undefined || sha256 === undefined) {
      this.#close("the server sent a file without saying its hash");
      throw this.#failed(request);
    }
    return { answer: { ...answer, size, sha256 }, body: this.#body(request, sha256) };
  }

  /**
   * Deletes a file; returns when no live server has it any more.
   *
   * @throws {RingError} `notFound` if there is none of that name; `unknown` if no answer came.
   */
  async delete(name: string): Promise<FileAnswer> {
    const request: ClientRequest = { type: "DELETE", item: name };
    return asFileAnswer(await this.#ask(request), request);
  }

  /** The files whose names begin with `prefix`, in the order of their names, fetched page by page. */
  async *list(prefix = ""): AsyncGenerator<FileRecord, void, void> {
    let after: string | undefined = "";
    while (after !== undefined) {
      const request: ClientRequest = { type: "LIST", prefix, after };
      const answer = await this.#ask(request);
      if (answer.type !== "LIST") throw refusal(answer, request);
      yield* answer.files;
      if (answer.next === after) throw new RingError("failed", "Cannot list: a page came twice");
      after = answer.next;
    }
  }

  /** The ring as this server sees it, and what it holds. */
  async status(): Promise<StatusAnswer> {
    const request: ClientRequest = { type: "STATUS" };
    const answer = await this.#ask(request);
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
    const answer = await this.#ask(request);
    if (answer.type === "GC" && answer.dropped !== undefined) return answer.dropped;
    throw refusal(answer, request);
  }

  /**
   * Has the server read and check all that it holds, and repair it. That takes as long as it takes, and
   * nothing comes meanwhile: ask for the status, on another connection, whether the server still lives.
   */
  async verify(): Promise<Verified> {
    const request: ClientRequest = { type: "VERIFY" };
    return asVerified(await this.#ask(request), request);
  }

  async #order(request: ClientRequest & { type: "LEAVE" | "FORGET" }): Promise<MemberAnswer> {
    const answer = await this.#ask(request);
    if (answer.type === request.type && answer.status === 200) return answer;
    throw refusal(answer, request);
  }

  /** Closes the connection; what is under way fails. Harmless when it is closed. */
  close(): void {
    this.#close("the client was closed");
  }

  /**
   * Sends a request, and waits for its answer. A body that follows the answer is still to be received:
   * the turn goes on until `#endTurn` is called.
   */
  async #ask(request: ClientRequest, upload?: Uint8Array | Upload): Promise<ClientAnswer> {
    if (this.closed) throw this.#failed(request, { unsent: true });
    const before = this.#answered;
    const turn = Promise.withResolvers<void>();
    this.#answered = turn.promise;
    const sent = this.#send(request, upload);
    await before;
    this.#endTurn = turn.resolve;
    try {
      const { answer, hasBody } = await this.#receive(
        sent,
        answerMsMax(request, this.#timeoutMs),
      );
      const early = upload instanceof Upload && !upload.complete;
      if (early) this.#close("the server answered before it had the whole file");
      if (!hasBody) this.#endTurn();
      return answer;
    } catch (error) {
      this.#close(reasonOf(error));
      if (!(upload instanceof Upload)) throw this.#failed(request, { cause: error });
      if (upload.failure !== undefined) throw upload.failure.error;
      throw this.#failed(request, { cause: error, unsent: !upload.complete });
    }
  }

  /** Queues a request and its body; the promise is for the body to be sent, and never rejects. */
  #send(request: ClientRequest, upload: Uint8Array | Upload | undefined): Promise<void> {
    log.debug(() => `to ${this.address}: ${JSON.stringify(request)}`);
    const head = encodeRequest(request);
    // Failures reach whoever receives the answer.
    if (upload instanceof Upload) {
      void this.#connection.send(head);
      return this.#connection.sendBody(upload.size, upload.chunks()).catch(() => {});
    }
    void this.#connection.send(head, ...(upload === undefined ? [] : [upload]));
    return Promise.resolve();
  }

  /** Receives an answer; the time limit, if there is one, counts from when the request is sent. */
  async #receive(
    sent: Promise<void>,
    limitMs: number | undefined,
  ): Promise<{ answer: ClientAnswer; hasBody: boolean }> {
    let waiting = true;
    void sent.then(() => {
      if (waiting && limitMs !== undefined) this.#watchdog.start(limitMs);
    });
    try {
      const received = await this.#connection.receive();
      if (received === undefined) throw new ConnectionError("the server closed the connection");
      log.debug(() => `from ${this.address}: ${JSON.stringify(received.value)}`);
      const answer = decodeAnswer(received.value, received.size);
      return { answer, hasBody: received.size !== undefined };
    } finally {
      waiting = false;
      this.#watchdog.stop();
    }
  }

  /** The body of the answer received last. */
  async *#body(request: ClientRequest, expected: string): AsyncGenerator<Uint8Array, void, void> {
    const hash = createHash("sha256");
    const chunks = this.#connection.body();
    let complete = false;
    try {
      for (;;) {
        this.#watchdog.start(this.#timeoutMs);
        const { done, value } = await chunks.next();
        this.#watchdog.stop();
        if (done) break;
        hash.update(value);
        yield value;
      }
      complete = true;
    } catch (cause) {
      const cut = cause instanceof ProtocolError;
      this.#close(cut ? "the connection ended before the file did" : reasonOf(cause));
      throw this.#failed(request, { cause });
    } finally {
      this.#watchdog.stop();
      if (complete) this.#endTurn();
      else this.close();
    }
    if (hash.digest("hex") === expected) return;
    throw new RingError(
      "failed",
      `Cannot ${describe(request)}: the bytes that came do not have the SHA-256 ${expected}`,
    );
  }

  #expire(milliseconds: number): void {
    this.#close(`nothing came or went for ${Math.round(milliseconds) / 1000} s`);
  }

  /** Closes for a reason, of which the first counts, and lets those who wait for their turn fail. */
  #close(reason: string): void {
    this.#reason ??= reason;
    this.#connection.close();
    this.#endTurn();
  }

  /** What to throw for a request that the closed connection leaves without an answer. */
  #failed(
    request: ClientRequest,
    { unsent = false, ...options }: ErrorOptions & { unsent?: boolean } = {},
  ): RingError {
    const reason = this.#reason ?? "the connection is closed";
    const writes = request.type === "PUT" || request.type === "DELETE";
    const outcome = writes && !unsent ? "unknown" : "unavailable";
    const text = `Cannot ${describe(request)} at ${this.address}: ${reason}`;
    const hint = outcome === "unknown" ? "; it may have been done or not" : "";
    return new RingError(outcome, `${text}${hint}`, options);
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
