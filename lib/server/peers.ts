/**
 * Peers: the connections that this server keeps open to others, one to each address.
 *
 * Sending never waits: a message goes out if and when the connection is there. What cannot be sent is
 * lost, and the core is told that the address is unreachable; it decides what to do about it.
 *
 * A connection on which answers are due and nothing comes is closed (`silence.ts`), and the next
 * message opens a new one. Silence is no news to the core, which has its own deadlines.
 */
import type { FrameConnection } from "../protocol/connection.ts";
import { SendQueueFullError } from "../protocol/send_queue.ts";
import { decodeReply } from "../protocol/decode.ts";
import { encodeMessage } from "../protocol/encode.ts";
import { HandshakeError, unprovenStatus } from "../protocol/handshake.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import { logger } from "../log.ts";
import type { Address } from "../ring/address.ts";
import type { MemberMessage } from "../ring/message.ts";
import { describeMessage } from "./describe.ts";
import type { Refusals } from "../web/refusals.ts";
import type { Dialler } from "./dialler.ts";
import { SilenceWatch } from "./silence.ts";
import type { TimedStream } from "./timed_stream.ts";

/** How many bytes wait while a connection is being opened; what is over is lost, as on a bad link. */
export const connectingBytesMax = 8 * 1024 * 1024;

/** After how long a connection that nothing goes through is closed, in milliseconds. */
export const peerIdleMs = 30_000;

/** After how many looks, one a second, at which an answer is due and nothing has come, it is closed. */
const silentLooksMax = 3;

/** What a message without a body is reckoned to take, in bytes. */
const messageBytes = 1024;

const log = logger("message");

/** What {@linkcode Peers} tells. */
export interface PeersOptions {
  readonly dialler: Dialler;
  readonly onMessage: (message: MemberMessage) => void;
  readonly onUnreachable: (address: Address, reason: "refused" | "closed") => void;
  /** A server has not proven to belong to the ring, or says, in a sentence, that this one has not. */
  readonly onDistrust: (address: Address, text: string) => void;
  readonly refusals: Refusals;
}

/** What is answered at once, on the connection on which it came. */
const answered: ReadonlySet<MemberMessage["type"]> = new Set([
  "INSERT",
  "CHECK",
  "UPDATE",
  "FORWARD",
  "COMPARE",
]);

interface OpenPeer {
  readonly state: "open";
  readonly connection: FrameConnection;
  readonly stream: TimedStream;
  readonly silence: SilenceWatch;
}

type Peer =
  | { readonly state: "connecting"; readonly queue: MemberMessage[]; bytes: number }
  | OpenPeer;

/** The connections to other servers. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #peers = new Map<Address, Peer>();
  #closed = false;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  /** Sends a message to the server at an address, without waiting. */
  send(address: Address, message: MemberMessage): void {
    if (this.#closed) return;
    log.debug(() => `sent ${describeMessage(message)} to ${address}`);
    const peer = this.#peers.get(address) ?? this.#open(address);
    if (peer.state === "open") return tell(peer, message);
    const bytes = bytesOf(message);
    if (peer.bytes + bytes > connectingBytesMax) return this.#options.refusals.note("send_queue");
    peer.bytes += bytes;
    peer.queue.push(message);
  }

  /** Closes the connections that nothing has gone through for long. */
  sweep(): void {
    for (const [address, peer] of this.#peers) {
      if (peer.state === "open" && peer.stream.stillForMs > peerIdleMs) this.#drop(address, peer);
    }
  }

  /** Closes all connections. */
  close(): void {
    this.#closed = true;
    for (const [address, peer] of this.#peers) this.#drop(address, peer);
  }

  #open(address: Address): Peer {
    const peer: Peer = { state: "connecting", queue: [], bytes: 0 };
    this.#peers.set(address, peer);
    this.#options.dialler.dial(address).then(
      ({ connection, stream }) => this.#begin(address, { connection, stream, queue: peer.queue }),
      (error) => this.#fail(address, error),
    );
    return peer;
  }

  #begin(
    address: Address,
    { connection, stream, queue }: {
      connection: FrameConnection;
      stream: TimedStream;
      queue: readonly MemberMessage[];
    },
  ): void {
    if (this.#closed) return connection.close();
    const silence = new SilenceWatch(connection, {
      looksMax: silentLooksMax,
      onSilence: () => {
        log.debug(() => `closed the connection to ${address}: no answer`);
        this.#drop(address, peer);
      },
    });
    const peer: OpenPeer = { state: "open", connection, stream, silence };
    this.#peers.set(address, peer);
    for (const message of queue) tell(peer, message);
    this.#receive(address, peer).catch((error) => {
      if (error instanceof SendQueueFullError) this.#options.refusals.note("send_queue");
      log.debug(() => `lost the connection to ${address}: ${String(error)}`);
    }).finally(() => {
      silence.stop();
      connection.close();
      if (this.#peers.get(address) !== peer) return;
      this.#peers.delete(address);
      this.#options.onUnreachable(address, "closed");
    });
  }

  async #receive(address: Address, { connection }: OpenPeer): Promise<void> {
    for (
      let received = await connection.receive();
      received !== undefined;
      received = await connection.receive()
    ) {
      const reply = decodeReply(received.value, received.size);
      if (reply.type === "ERROR") {
        if (reply.status === unprovenStatus) this.#options.onDistrust(address, reply.error);
        throw new ProtocolError(400, reply.error);
      }
      if (reply.type === "FETCH") throw new ProtocolError(400, "An answer to no FETCH");
      if (received.size !== undefined) throw new ProtocolError(400, "A body where none is due");
      log.debug(() => `received ${describeMessage(reply)} from ${address}`);
      this.#options.onMessage(reply);
    }
  }

  #fail(address: Address, error: unknown): void {
    this.#peers.delete(address);
    if (this.#closed) return;
    log.debug(() => `cannot connect to ${address}: ${String(error)}`);
    if (error instanceof HandshakeError) this.#options.onDistrust(address, error.message);
    // Anything but a refusal is silence: a host that is down, a link that is cut, a time that is over.
    if (error instanceof Deno.errors.ConnectionRefused) {
      this.#options.onUnreachable(address, "refused");
    }
  }

  #drop(address: Address, peer: Peer): void {
    this.#peers.delete(address);
    if (peer.state === "connecting") return;
    peer.silence.stop();
    peer.connection.close();
  }
}

/** Sends a message on an open connection. */
function tell({ connection, silence }: OpenPeer, message: MemberMessage): void {
  post(connection, message);
  if (answered.has(message.type)) silence.expect();
}

/** About how many bytes a message takes: that of a small file's body, and some for the rest. */
function bytesOf(message: MemberMessage): number {
  const body = message.type === "FORWARD" ? message.body?.length ?? 0 : 0;
  return messageBytes + body;
}

/** Queues a message on a connection; should that break, its reader finds out. */
export function post(connection: FrameConnection, message: MemberMessage): void {
  const { head, body } = encodeMessage(message);
  const pieces = body === undefined ? [head] : [head, body];
  const sent = canWait(message) ? connection.sendLater(...pieces) : connection.send(...pieces);
  sent.catch(() => {});
}

/**
 * Whether nobody waits for a message, unless something is lost: for an acknowledgement of a hop, and for a
 * WRITE that goes back to its creator, which counts REPORTs.
 */
function canWait(message: MemberMessage): boolean {
  if (message.type === "ACK") return true;
  return message.type === "FORWARD" && message.errand.type === "WRITE" &&
    message.circle.creator === message.to;
}
