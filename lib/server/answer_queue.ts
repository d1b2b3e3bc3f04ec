/**
 * The answers that are due on one connection: requests are worked on at the same time, and answered in
 * the order in which they came.
 *
 * An answer is added as a promise when its request comes. Whoever adds one waits while many are due, and
 * reads nothing further meanwhile: what a client sends ahead then fills its own socket.
 */
import type { FrameConnection } from "../protocol/connection.ts";
import { encodeAnswer } from "../protocol/encode.ts";
import type { FetchAnswer } from "../ring/message.ts";
import type { ClientAnswer } from "../ring/request.ts";
import type { BodyReader } from "../storage/store.ts";

/** How many requests of one connection are worked on at the same time. */
export const pipelineMax = 128;

/** How many large bodies one connection may hold open; each is an open file. */
export const openBodiesMax = 8;

/** An answer, and the body that follows it, open. */
export interface Reply {
  readonly answer: ClientAnswer | FetchAnswer;
  readonly body?: BodyReader;
}

/** Sends the answers of one connection, and closes their bodies. */
export class AnswerQueue {
  readonly #connection: FrameConnection;
  /** Settled when everything up to the last answer has been handed to the connection. */
  #sent: Promise<void> = Promise.resolve();
  #due = 0;
  #openBodies = 0;
  /** Has whoever waits for room look again. */
  #wake: () => void = () => {};

  constructor(connection: FrameConnection) {
    this.#connection = connection;
  }

  /** Whether no answer is due. */
  get isEmpty(): boolean {
    return this.#due === 0;
  }

  /** Has an answer sent when it is there and its turn has come; waits only while many are due. */
  async add(reply: Reply | Promise<Reply>): Promise<void> {
    this.#due++;
    const before = this.#sent;
    const held = Promise.resolve(reply).then((reply) => this.#hold(reply));
    this.#sent = this.#deliver(held, before).finally(() => {
      this.#due--;
      this.#wake();
    });
    // Whoever receives finds out that the connection has broken.
    this.#sent.catch(() => {});
    while (this.#due >= pipelineMax || this.#openBodies >= openBodiesMax) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /**
   * Waits until all that were added have been handed to the connection.
   * @throws What the promise of an answer rejects with, and what the connection throws.
   */
  flush(): Promise<void> {
    return this.#sent;
  }

  #hold(reply: Reply): Reply {
    if (isFile(reply.body)) this.#openBodies++;
    return reply;
  }

  /** Sends a reply after those before it; closes its body also when that cannot be done. */
  async #deliver(held: Promise<Reply>, before: Promise<void>): Promise<void> {
    const { answer, body } = await held;
    try {
      await before;
      await this.#send(answer, body);
    } finally {
      if (isFile(body)) this.#openBodies--;
      body?.close();
    }
  }

  async #send(answer: Reply["answer"], body: BodyReader | undefined): Promise<void> {
    const head = encodeAnswer(answer);
    if (body === undefined) return await this.#connection.send(head);
    if (body.bytes !== undefined) return await this.#connection.send(head, body.bytes);
    this.#connection.send(head).catch(() => {});
    await this.#connection.sendBody(body.size, body.chunks());
  }
}

/** Whether a body is a large one, read from an open file. */
function isFile(body: BodyReader | undefined): boolean {
  return body !== undefined && body.bytes === undefined;
}
