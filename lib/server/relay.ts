/**
 * A relay: passes a large body on to the next server while it still arrives.
 *
 * It does its best and no more: when no server takes the body, or one stands still, the relay gives
 * up, and whoever misses the body fetches it when its record comes. So a slow or stopped server holds
 * up nobody else.
 */
import type { FrameConnection } from "../protocol/connection.ts";
import { encodeRequest } from "../protocol/encode.ts";
import { logger } from "../log.ts";
import type { Member } from "../ring/member.ts";
import type { BodyMessage } from "../ring/message.ts";
import type { Dialler } from "./dialler.ts";

/** How long the next server may take no bytes before the relay gives it up, in milliseconds. */
const relayStallMs = 3000;

const log = logger("message");

/** What is relayed; the receiver is chosen when the relay opens. */
export type RelayedBody = Omit<BodyMessage, "to">;

/** Passes one body on. */
export class Relay {
  readonly #dialler: Dialler;
  readonly #opened: Promise<FrameConnection | undefined>;
  #ended = false;

  /** Opens a connection to the first of the members that can be reached, which come in order. */
  constructor(dialler: Dialler, members: readonly Member[], body: RelayedBody) {
    this.#dialler = dialler;
    this.#opened = this.#open(members, body);
  }

  /** Passes a chunk on; resolves when there is room for the next. Never rejects. */
  async push(chunk: Uint8Array): Promise<void> {
    const connection = await this.#opened;
    if (connection === undefined || connection.closed) return;
    if (!await isDoneInTime(connection.send(chunk))) connection.close();
  }

  /** The body is complete: closes the connection when all of it is sent. Never rejects. */
  async end(): Promise<void> {
    const connection = await this.#opened;
    if (connection === undefined) return;
    await isDoneInTime(connection.flush());
    connection.close();
  }

  /** The body will not be complete: the next server is to forget what it has of it. */
  async abort(): Promise<void> {
    this.#ended = true;
    (await this.#opened)?.close();
  }

  async #open(
    members: readonly Member[],
    body: RelayedBody,
  ): Promise<FrameConnection | undefined> {
    for (const { id, address } of members) {
      if (this.#ended) return undefined;
      try {
        const { connection } = await this.#dialler.dial(address);
        log.debug(() => `sent BODY of ${body.size} bytes to ${address}`);
        connection.send(encodeRequest({ ...body, to: id })).catch(() => {});
        return connection;
      } catch (error) {
        log.debug(() => `cannot send BODY to ${address}: ${String(error)}`);
      }
    }
    return undefined;
  }
}

/** Whether sending was done, and in time; how it fails does not matter here. */
async function isDoneInTime(sent: Promise<void>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), relayStallMs);
  });
  const done = sent.then(() => true, () => false);
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
