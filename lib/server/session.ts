/**
 * A session: one connection that was opened to this server, by a client or by another server.
 *
 * Requests may be pipelined: they are worked on at the same time, and answered in order
 * (`answer_queue.ts`). Messages of other servers go to the core at once, and what it replies goes out at
 * once.
 */
import { logger } from "../log.ts";
import { ConnectionError, type FrameConnection, type Received } from "../protocol/connection.ts";
import { SendQueueFullError } from "../protocol/send_queue.ts";
import { contentTypeOf } from "../protocol/content_type.ts";
import { decodeIncoming, type Incoming, withBody } from "../protocol/decode.ts";
import { encodeAnswer } from "../protocol/encode.ts";
import {
  assertNoHello,
  HandshakeError,
  handshakeMs,
  unprovenStatus,
  welcome,
} from "../protocol/handshake.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import type { Secret } from "../protocol/secret.ts";
import { inlineBytesMax, pageRecordsMax } from "../ring/file_record.ts";
import type { BodyMessage, FetchMessage, Forward, MemberMessage } from "../ring/message.ts";
import type { ClientAnswer, ClientRequest } from "../ring/request.ts";
import type { MemberId } from "../ring/member.ts";
import type { Ask, Link } from "../ring/step.ts";
import { sha256Of } from "../storage/body.ts";
import { isPassing } from "../storage/disk_error.ts";
import { BodyDamagedError, type Store } from "../storage/store.ts";
import { AnswerQueue, type Reply } from "./answer_queue.ts";
import { describeMessage } from "./describe.ts";
import type { Bound, Refusals } from "../web/refusals.ts";
import type { Driver } from "./driver.ts";
import { post } from "./peers.ts";
import { roomRefusal, stoppingAnswer, storeRefusal } from "./refusal.ts";
import type { StrangerLog } from "./stranger_log.ts";
import type { TimedStream } from "./timed_stream.ts";
import type { TlsEntrance } from "./tls_entrance.ts";
import type { Uploads } from "./uploads.ts";
import { stallMs } from "./watchdog.ts";

/** How long a connection may be silent, in milliseconds. */
const sessionIdleMs = 300_000;

/** How long a LIST waits for a server that is joining, and how often it looks, in milliseconds. */
const listWaitMs = 5000;
const listLookMs = 20;

/** How much of what a client still sends is read after it was refused, so that it sees why. */
const lingerBytesMax = 1024 * 1024;
const lingerMs = 1000;

const log = logger("message");

/** What {@linkcode Session} is made of. */
export interface SessionOptions {
  readonly connection: FrameConnection;
  readonly stream: TimedStream;
  /** Who is at the other end, for the log. */
  readonly remote: string;
  /** What the other side has to know; absent, everybody may speak. */
  readonly secret: Secret | undefined;
  /** Below the connection, where it is to be encrypted. */
  readonly entrance: TlsEntrance | undefined;
  readonly strangers: StrangerLog;
  readonly refusals: Refusals;
  readonly driver: Driver;
  readonly store: Store;
  readonly uploads: Uploads;
  readonly status: () => ClientAnswer;
  readonly forget: (member: string) => ClientAnswer;
  readonly verify: () => Promise<ClientAnswer>;
  /** Whether the server finishes what is under way, and takes no more requests of clients. */
  readonly isStopping: () => boolean;
  /** Called when a client asks the server to leave; what is under way is finished. */
  readonly leave: () => void;
  /** The disk failed. */
  readonly onFatal: (error: unknown) => void;
}

/** One connection that was opened to this server. */
export class Session {
  readonly #options: SessionOptions;
  readonly #link: Link;
  readonly #answers: AnswerQueue;
  #receivingBody = false;
  /** When the handshake has to be over, in milliseconds of `performance.now()`; none is under way at 0. */
  #provenBy = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { connection, driver } = options;
    this.#answers = new AnswerQueue(connection);
    this.#link = driver.openLink((message) => {
      const to = "to" in message ? message.to : undefined;
      log.debug(() => `sent ${describeMessage(message)} to ${this.#party(to)}`);
      post(connection, message);
    });
  }

  /** Serves the connection until it ends. Never rejects. */
  async run(): Promise<void> {
    const { connection, driver, remote, refusals, onFatal } = this.#options;
    try {
      await this.#prove();
      await this.#serve();
      await this.#answers.flush();
      await connection.flush();
    } catch (error) {
      if (error instanceof SendQueueFullError) refusals.note("send_queue");
      if (error instanceof ProtocolError) await this.#refuse(error);
      else if (error instanceof HandshakeError) this.#noteRefused("stranger", error);
      else if (!(error instanceof ConnectionError || error instanceof BodyDamagedError)) {
        onFatal(error);
      }
      log.debug(() => `lost the connection from ${remote}: ${String(error)}`);
    } finally {
      driver.closeLink(this.#link);
      connection.close();
    }
  }

  /** Whether nothing has moved for longer than it may. */
  isStuck(): boolean {
    const { stream, connection } = this.#options;
    if (this.#provenBy > 0) return performance.now() > this.#provenBy;
    if (stream.isWriting || this.#receivingBody) return stream.stillForMs > stallMs;
    if (!this.#answers.isEmpty) return false;
    return stream.stillForMs > (connection.isMidFrame ? stallMs : sessionIdleMs);
  }

  /** Whether a request is being worked on. */
  get isBusy(): boolean {
    return !this.#answers.isEmpty || this.#receivingBody;
  }

  close(): void {
    this.#options.connection.close();
  }

  /** Has the other side prove that it belongs to the ring. */
  async #prove(): Promise<void> {
    const { connection, entrance, secret, store } = this.#options;
    if (entrance === undefined && secret === undefined) return;
    this.#provenBy = performance.now() + handshakeMs;
    await entrance?.enter();
    if (secret !== undefined) {
      const endPoint = entrance?.endPoint;
      const party = { secret, id: store.id };
      await welcome(connection, endPoint === undefined ? party : { ...party, endPoint });
    }
    this.#provenBy = 0;
  }

  async #serve(): Promise<void> {
    const { connection } = this.#options;
    for (
      let received = await connection.receive();
      received !== undefined;
      received = await connection.receive()
    ) {
      assertNoHello(received.value);
      const message = decodeIncoming(received.value, received.size);
      const from = "from" in message ? message.from : undefined;
      log.debug(() => `received ${describeMessage(message)} from ${this.#party(from)}`);
      await this.#take(message, received);
    }
  }

  /** Who is at the other end: a member by its address, anybody else by that of the connection. */
  #party(member: MemberId | undefined): string {
    const { driver, remote } = this.#options;
    return driver.node.members.find(({ id }) => id === member)?.address ?? remote;
  }

  /** Takes a message with its body, if it has one; does not wait for what follows from it. */
  async #take(message: Incoming, received: Received): Promise<void> {
    const refusal = this.#options.isStopping() ? stoppingAnswer(message) : undefined;
    if (refusal !== undefined) return await this.#answerUnread(refusal);
    switch (message.type) {
      case "GET":
      case "DELETE":
        return await this.#ask(message);
      case "PUT":
        return await this.#put(message);
      case "LIST":
        return await this.#answers.add(this.#list(message));
      case "STATUS":
        return await this.#answers.add({ answer: this.#options.status() });
      case "FORGET":
        return await this.#answers.add({ answer: this.#options.forget(message.member) });
      case "GC":
        return await this.#answers.add(answerOf(this.#options.driver.collect()));
      case "VERIFY":
        return await this.#answers.add(answerOf(this.#options.verify()));
      case "LEAVE":
        await this.#answers.add({ answer: { type: "LEAVE", status: 200 } });
        return this.#options.leave();
      case "BODY":
        return await this.#takeBody(message);
      case "FETCH":
        return await this.#answers.add(this.#open(message));
      case "FORWARD": {
        if (received.size === undefined) return this.#hand(message);
        return this.#hand(verified(withBody(message, await this.#readBody())));
      }
      default:
        return this.#hand(message);
    }
  }

  #hand(message: MemberMessage): void {
    this.#options.driver.handle({ type: "message", link: this.#link, message });
  }

  #ask(ask: Ask): Promise<void> {
    return this.#answers.add(this.#options.driver.request(ask));
  }

  async #put(message: Extract<ClientRequest, { type: "PUT" }>): Promise<void> {
    const { item, size } = message;
    const contentType = message.contentType ?? contentTypeOf(item);
    const ask = { type: "PUT", item, size, contentType } as const;
    const { driver, store, uploads, refusals } = this.#options;
    const refuse = (refusal: { status: number; error: string }) =>
      this.#answerUnread({ type: "PUT", item, ...refusal });
    const lack = roomRefusal(store.lacksRoomFor(item, size));
    if (lack !== undefined) {
      refusals.note("room");
      return await refuse(lack);
    }
    if (size <= inlineBytesMax) {
      const body = await this.#readBody();
      const sha256 = sha256Of(body);
      return await this.#ask({ ...ask, sha256, body });
    }
    const refusal = driver.node.putRefusal;
    if (refusal !== undefined) return await refuse({ status: 503, error: refusal });
    const upload = uploads.name();
    try {
      const { sha256 } = await this.#receiveBody({ name: upload, size, visited: [] });
      return await this.#ask({ ...ask, sha256, upload });
    } catch (error) {
      const refusal = storeRefusal(error);
      if (refusal === undefined) throw error;
      await refuse(refusal);
    }
  }

  /** Answers a request whose body is not wanted (any more), and lets the client finish sending it. */
  async #answerUnread(answer: ClientAnswer): Promise<void> {
    await this.#answers.add({ answer });
    await this.#options.connection.skipBody();
  }

  /** Another server's large body: stored, and passed on. */
  async #takeBody({ upload, visited, size, from, to }: BodyMessage): Promise<void> {
    const { store, driver } = this.#options;
    const isMember = driver.node.members.some(({ id }) => id === from);
    if (to !== store.id || !isMember) {
      throw new ConnectionError("Cannot take a body: of a stranger, or for another server");
    }
    try {
      await this.#receiveBody({ name: upload, size, visited: [...visited, from] });
    } catch (error) {
      const refusal = storeRefusal(error);
      if (refusal === undefined) throw error;
      log.warn(() => `Cannot store a body of ${size} bytes: ${refusal.error}`);
      // What is left of the body is not read; its record will come, and then it is fetched.
      throw new ConnectionError(`Cannot take a body: ${refusal.error}`, { cause: error });
    }
  }

  async #receiveBody(upload: Parameters<Uploads["receive"]>[1]): Promise<{ sha256: string }> {
    const { connection, uploads } = this.#options;
    this.#receivingBody = true;
    try {
      return await uploads.receive(connection.body(), upload);
    } finally {
      this.#receivingBody = false;
    }
  }

  async #readBody(): Promise<Uint8Array> {
    this.#receivingBody = true;
    try {
      return await this.#options.connection.readBody(inlineBytesMax);
    } finally {
      this.#receivingBody = false;
    }
  }

  /** Lists what is here, once this server holds everything; for a while, that is waited for. */
  async #list({ prefix, after }: Extract<ClientRequest, { type: "LIST" }>): Promise<Reply> {
    const { node } = this.#options.driver;
    const end = performance.now() + listWaitMs;
    while (!node.isCurrent && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, listLookMs));
    }
    if (!node.isCurrent) {
      const error = "This server does not hold every file yet; ask another, or try again";
      return { answer: { type: "ERROR", status: 503, error } };
    }
    const options = { prefix, after, limit: pageRecordsMax + 1, tombstones: false };
    const found = this.#options.store.scan(options);
    const files = found.slice(0, pageRecordsMax);
    const next = found.length > pageRecordsMax ? files.at(-1)?.name : undefined;
    const answer = { type: "LIST", status: 200, files } as const;
    return { answer: next === undefined ? answer : { ...answer, next } };
  }

  #open({ sha256 }: FetchMessage): Reply {
    try {
      const body = this.#options.store.openBody(sha256);
      if (body !== undefined) {
        return { answer: { type: "FETCH", status: 200, sha256, size: body.size }, body };
      }
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
    const error = "This server has no body with this hash";
    return { answer: { type: "FETCH", status: 404, sha256, error } };
  }

  /** Counts and logs why the other side is not listened to any more. */
  #noteRefused(bound: Bound, { message }: Error): void {
    const { remote, strangers, refusals } = this.#options;
    refusals.note(bound);
    strangers.note(remote, message);
  }

  /** Answers what is no message, after everything before it, and lets the other side read why. */
  async #refuse(error: ProtocolError): Promise<void> {
    const { connection } = this.#options;
    this.#noteRefused(error.status === unprovenStatus ? "stranger" : "frame", error);
    let linger: ReturnType<typeof setTimeout> | undefined;
    try {
      await this.#answers.flush();
      const answer = { type: "ERROR", status: error.status, error: error.message } as const;
      linger = setTimeout(() => connection.close(), lingerMs);
      await connection.send(encodeAnswer(answer));
      await connection.closeWrite();
      await connection.drain(lingerBytesMax);
    } catch (failure) {
      if (!(failure instanceof ConnectionError)) throw failure;
    } finally {
      clearTimeout(linger);
    }
  }
}

/** Another server's word for a hash is not enough: a wrong one would be stored under it. */
function verified(message: Forward): Forward {
  const { errand, body } = message;
  if (errand.type === "WRITE" && body !== undefined && sha256Of(body) !== errand.record.sha256) {
    throw new ProtocolError(400, "The body of a FORWARD has another hash than its record says");
  }
  return message;
}

/** What is sent when this answer is there. */
async function answerOf(answer: Promise<ClientAnswer>): Promise<Reply> {
  return { answer: await answer };
}
