/**
 * A pipeline: requests on one connection to a server, each sent at once, and answered in their order.
 *
 * So each request waits for its turn to receive. A turn ends with the answer, or, when a body follows it,
 * with the end of that body.
 *
 * Time is limited by progress: a transfer may take as long as it needs while bytes move. When a wait is
 * too long, the connection is closed, as nobody can say which answer would come next; every request
 * under way then fails, each with its own sentence.
 */
import { createHash } from "node:crypto";
import { logger } from "../log.ts";
import { ConnectionError, type FrameConnection } from "../protocol/connection.ts";
import { decodeAnswer } from "../protocol/decode.ts";
import { encodeRequest } from "../protocol/encode.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import type { Address } from "../ring/address.ts";
import type { ClientAnswer, ClientRequest } from "../ring/request.ts";
import { describe } from "./answer.ts";
import { answerMsMax } from "./limit.ts";
import { reasonOf } from "./reason.ts";
import { RingError } from "./ring_error.ts";
import { Upload } from "./upload.ts";
import { Watchdog } from "./watchdog.ts";

/** What {@linkcode Pipeline} is made of. */
export interface PipelineOptions {
  readonly connection: FrameConnection;
  /** The server at the other end, for messages. */
  readonly address: Address;
  /** The longest wait, in milliseconds; `limit.ts` says what may take longer. */
  readonly timeoutMs: number;
}

const log = logger("client");

/** The requests and answers of one connection. */
export class Pipeline {
  readonly #connection: FrameConnection;
  readonly #address: Address;
  readonly #timeoutMs: number;
  readonly #watchdog = new Watchdog((milliseconds) => this.#expire(milliseconds));
  /** Resolved when everything that was asked before is answered. */
  #answered: Promise<void> = Promise.resolve();
  /** Ends the turn of the request that receives now, so that the next can. */
  #endTurn: () => void = () => {};
  /** Why the connection was closed. */
  #reason: string | undefined;

  constructor({ connection, address, timeoutMs }: PipelineOptions) {
    this.#connection = connection;
    this.#address = address;
    this.#timeoutMs = timeoutMs;
  }

  /** Whether the connection is gone: every request fails from now on. */
  get closed(): boolean {
    return this.#connection.closed;
  }

  /**
   * Sends a request, and waits for its answer. If a body follows the answer, it is to be received by
   * {@linkcode body}: the turn goes on until then.
   *
   * @throws {RingError} `unknown` if what was sent may have been done, and no answer came; `unavailable`
   * if it was not. And what the source of the upload throws.
   */
  async ask(request: ClientRequest, upload?: Uint8Array | Upload): Promise<ClientAnswer> {
    if (this.closed) throw this.#failed(request, { unsent: true });
    const before = this.#answered;
    const turn = Promise.withResolvers<void>();
    this.#answered = turn.promise;
    const sent = this.#send(request, upload);
    await before;
    this.#endTurn = turn.resolve;
    try {
      const { answer, hasBody } = await this.#receive(sent, answerMsMax(request, this.#timeoutMs));
      const early = upload instanceof Upload && !upload.complete;
      if (early) this.close("the server answered before it had the whole file");
      if (!hasBody) this.#endTurn();
      return answer;
    } catch (error) {
      this.close(reasonOf(error));
      if (!(upload instanceof Upload)) throw this.#failed(request, { cause: error });
      if (upload.failure !== undefined) throw upload.failure.error;
      throw this.#failed(request, { cause: error, unsent: !upload.complete });
    }
  }

  /**
   * The body of the answer to `request`, which was received last; who leaves it early closes the
   * connection.
   *
   * @throws {RingError} `failed` if its SHA-256 is not `expected`, and `unavailable` if it does not come.
   */
  async *body(request: ClientRequest, expected: string): AsyncGenerator<Uint8Array, void, void> {
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
      const reason = cut ? "the connection ended before the file did" : reasonOf(cause);
      throw this.abandon(request, reason, { cause });
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

  /** Closes because of what has come, or has not, and returns what to throw for the request. */
  abandon(request: ClientRequest, reason: string, options: ErrorOptions = {}): RingError {
    this.close(reason);
    return this.#failed(request, options);
  }

  /** Closes for a reason, of which the first counts, and lets those who wait for their turn fail. */
  close(reason = "the client was closed"): void {
    this.#reason ??= reason;
    this.#connection.close();
    this.#endTurn();
  }

  /** Queues a request and its body; the promise is for the body to be sent, and never rejects. */
  #send(request: ClientRequest, upload: Uint8Array | Upload | undefined): Promise<void> {
    log.debug(() => `to ${this.#address}: ${JSON.stringify(request)}`);
    const head = encodeRequest(request);
    // Failures reach whoever receives the answer.
    if (upload instanceof Upload) {
      const watchdog = new Watchdog((milliseconds) => this.#expire(milliseconds));
      const chunks = upload.chunks(watchdog, this.#timeoutMs);
      void this.#connection.send(head);
      return this.#connection.sendBody(upload.size, chunks).catch(() => {});
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
      log.debug(() => `from ${this.#address}: ${JSON.stringify(received.value)}`);
      const answer = decodeAnswer(received.value, received.size);
      return { answer, hasBody: received.size !== undefined };
    } finally {
      waiting = false;
      this.#watchdog.stop();
    }
  }

  #expire(milliseconds: number): void {
    this.close(`nothing came or went for ${Math.round(milliseconds) / 1000} s`);
  }

  /** What to throw for a request that the closed connection leaves without an answer. */
  #failed(
    request: ClientRequest,
    { unsent = false, ...options }: ErrorOptions & { unsent?: boolean } = {},
  ): RingError {
    const reason = this.#reason ?? "the connection is closed";
    const writes = request.type === "PUT" || request.type === "DELETE";
    const outcome = writes && !unsent ? "unknown" : "unavailable";
    const text = `Cannot ${describe(request)} at ${this.#address}: ${reason}`;
    const hint = outcome === "unknown" ? "; it may have been done or not" : "";
    return new RingError(outcome, `${text}${hint}`, options);
  }
}
