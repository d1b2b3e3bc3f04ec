/**
 * A client's socket, as `node:http` is given it by a web front that speaks TLS.
 *
 * Not `node:https`, as in Deno 2.9 that reads from its sockets whether or not anybody takes what comes: a
 * large file that is put faster than it can be stored would fill the memory (`tls_stream.ts`).
 *
 * Who speaks plain HTTP is seen by the first byte, and served as well, to be told where HTTPS is: on the same
 * port, so that a link of old leads on, and nobody has to open another.
 */
import type { Socket } from "node:net";
import { ByteDuplex } from "../protocol/byte_duplex.ts";
import { type ByteStream, ConnectionError } from "../protocol/byte_stream.ts";
import type { Credentials } from "../protocol/credentials.ts";
import { SocketStream } from "../protocol/socket_stream.ts";
import { acceptTls, beginsTls } from "../protocol/tls_stream.ts";

/** How long a handshake may take, in milliseconds: as long as a header. */
const tlsHandshakeMs = 10_000;

/** How much is read to see whether it is TLS that begins, in bytes. */
const firstBytesMax = 4096;

/** A socket, with what `node:http` and the web front ask of one. */
export class ClientSocket extends ByteDuplex {
  /** Whether TLS encrypts it. */
  readonly encrypted: boolean;
  readonly remoteAddress: string;
  readonly remotePort: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(stream: ByteStream, { begun, encrypted, socket }: {
    begun?: Uint8Array;
    encrypted: boolean;
    socket: Socket;
  }) {
    super(stream, begun);
    this.encrypted = encrypted;
    this.remoteAddress = socket.remoteAddress ?? "";
    this.remotePort = socket.remotePort ?? 0;
    this.once("close", () => clearTimeout(this.#timer));
  }

  /** Closes once what was written has gone out. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** Has "timeout" emitted when the time is over; 0 for not at all. */
  setTimeout(milliseconds: number, listener?: () => void): this {
    clearTimeout(this.#timer);
    if (listener !== undefined) this.once("timeout", listener);
    if (milliseconds === 0 || this.destroyed) return this;
    this.#timer = setTimeout(() => this.emit("timeout"), milliseconds);
    return this;
  }

  /** It is the socket below that has a delay. */
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }
}

/**
 * Encrypts a socket that a client has connected to, if the client does.
 *
 * @param onSilence Called when the client takes too long for that, before the socket is closed.
 * @throws {HandshakeError} if that cannot be done; the socket is closed then.
 * @throws {ConnectionError} if nothing comes.
 */
export async function openClientSocket(
  socket: Socket,
  credentials: Credentials,
  onSilence: () => void,
): Promise<ClientSocket> {
  socket.setNoDelay(true);
  const stream = new SocketStream(socket);
  const timer = setTimeout(() => {
    onSilence();
    stream.close();
  }, tlsHandshakeMs);
  try {
    const begun = await firstBytes(stream);
    if (!beginsTls(begun)) return new ClientSocket(stream, { begun, encrypted: false, socket });
    const options = { credentials, asksForCertificate: false };
    const accepted = await acceptTls(new ByteDuplex(stream, begun), options);
    return new ClientSocket(accepted.stream, { encrypted: true, socket });
  } catch (error) {
    stream.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a request came encrypted. */
export function isEncrypted({ socket }: { readonly socket: object }): boolean {
  return "encrypted" in socket && socket.encrypted === true;
}

async function firstBytes(stream: ByteStream): Promise<Uint8Array> {
  const buffer = new Uint8Array(firstBytesMax);
  const count = await stream.read(buffer);
  if (count === null) throw new ConnectionError("the client closed the connection");
  return buffer.subarray(0, count);
}
