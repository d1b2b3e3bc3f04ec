/**
 * A stream that TLS encrypts, on another stream.
 *
 * `node:tls` does it, on both sides, and not `Deno.listenTls` and `Deno.connectTls`: those cannot ask for the
 * certificate of a client, nor use another certificate without listening anew, when whoever connects at
 * that moment is refused, which in a ring is proof of death; they cannot be told to give up; and they trust
 * the authorities of browsers beside a given one, not instead of it.
 *
 * In Deno 2.9 `node:tls` reads from a socket whether or not anybody takes what comes, and calls a write done
 * before the socket has taken it, so a slow reader on either side would fill the memory. Both is mended
 * here, by what is below: a `ByteDuplex` that can be held, and says when it is drained.
 */
import type { Buffer } from "node:buffer";
import { isIP } from "node:net";
import {
  connect,
  type ConnectionOptions,
  createServer,
  type PeerCertificate,
  type TLSSocket,
} from "node:tls";
import { ByteDuplex } from "./byte_duplex.ts";
import { type ByteStream, ConnectionError } from "./byte_stream.ts";
import type { Credentials } from "./credentials.ts";
import { HandshakeError } from "./handshake_error.ts";
import { SocketStream } from "./socket_stream.ts";
import { acceptReason, connectReason, UnauthorizedError } from "./tls_reason.ts";

/** An encrypted stream. */
export class TlsStream extends SocketStream {
  readonly #below: ByteDuplex;
  #hasReceived = false;

  /** Takes over the socket, whose handshake is over, and closes it. */
  constructor(socket: TLSSocket, below: ByteDuplex) {
    super(socket);
    this.#below = below;
  }

  override async write(bytes: Uint8Array): Promise<number> {
    const count = await super.write(bytes);
    await this.#below.drained();
    return count;
  }

  override close(): void {
    // What a listener says of its own after the handshake (RFC 8446, section 4.6.1) may lie there unread.
    if (!this.#hasReceived) this.#below.destroyGently();
    super.close();
  }

  protected override onReadable(): void {
    this.#below.hold();
  }

  protected override take(): Uint8Array | undefined {
    const bytes = super.take();
    if (bytes === undefined) this.#below.release();
    else this.#hasReceived = true;
    return bytes;
  }
}

/** An encrypted stream on a connection that was opened to here. */
export interface Accepted {
  readonly stream: TlsStream;
  /** Whether the other side has shown a certificate of the authority; nobody has, where there is none. */
  readonly isCertified: boolean;
  /** Whether it has shown a certificate at all, to who asked for one. */
  readonly hasCertificate: boolean;
}

/** What {@linkcode acceptTls} is told. */
export interface AcceptOptions {
  readonly credentials: Credentials;
  /** Whether to ask for the other side's certificate, where there is an authority to judge it by. */
  readonly asksForCertificate: boolean;
}

/**
 * Encrypts a connection that was opened to here. How long that may take is the caller's to say: it closes
 * what is below.
 *
 * @throws {HandshakeError} if that cannot be done; the connection is closed then.
 * @throws {ConnectionError} when the connection is closed.
 */
export function acceptTls(below: ByteDuplex, options: AcceptOptions): Promise<Accepted> {
  const { credentials: { certificate, key, authority }, asksForCertificate } = options;
  const requestCert = asksForCertificate && authority !== undefined;
  return new Promise((resolve, reject) => {
    const breakOff = () => {
      below.destroy();
      reject(new HandshakeError("It has broken off the TLS handshake: does it trust this server?"));
    };
    // A server for one connection, which is handed to it: so it has the certificate of now.
    const server = createServer({
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
      ...(authority === undefined ? {} : { ca: authority }),
      requestCert,
      // Whoever is not let in is told so, in words, by what comes next.
      rejectUnauthorized: false,
      allowHalfOpen: true,
    }, (socket) => {
      // In Deno those are authorized too who were not asked.
      const isCertified = requestCert && socket.authorized;
      // In Deno there may be none, not even an empty one.
      const shown: Partial<PeerCertificate> = socket.getPeerCertificate() ?? {};
      const hasCertificate = shown.fingerprint256 !== undefined;
      below.off("end", breakOff);
      resolve({ stream: new TlsStream(socket, below), isCertified, hasCertificate });
    });
    below.once("end", breakOff);
    server.on("tlsClientError", (error) => {
      below.destroy();
      reject(new HandshakeError(acceptReason(error), { cause: error }));
    });
    below.once("close", () => reject(new ConnectionError("the connection was closed meanwhile")));
    server.emit("connection", below);
  });
}

/** An encrypted stream on a connection that was opened from here. */
export interface Connected {
  readonly stream: TlsStream;
  /** The SHA-256 of the other side's certificate. */
  readonly endPoint: string;
}

/** What {@linkcode connectTls} is told. */
export interface SecureOptions {
  readonly credentials: Credentials;
  /** The host that was dialled, which the certificate has to be for. */
  readonly host: string;
}

/**
 * Encrypts a connection that was opened from here, once the other side has shown a certificate for the host
 * that is of the authority; without one, of any that browsers trust.
 *
 * @throws {HandshakeError} if that cannot be done; the connection is closed then.
 * @throws {ConnectionError} when the connection ends.
 */
export function connectTls(
  below: ByteDuplex,
  { credentials, host }: SecureOptions,
): Promise<Connected> {
  const { certificate, key, authority } = credentials;
  return new Promise((resolve, reject) => {
    const options: ConnectionOptions & { allowHalfOpen: boolean } = {
      socket: below,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
      ...(authority === undefined ? {} : { ca: authority }),
      // Judged when the handshake is over, which is when it can be said why: see below.
      rejectUnauthorized: false,
      allowHalfOpen: true,
    };
    const socket = connect(options);
    const fail = (cause: Error) => {
      const reason = connectReason(cause, { socket, host, hasAuthority: authority !== undefined });
      // Whatever else it says is of no account any more.
      socket.on("error", () => {});
      socket.destroy();
      below.destroy();
      reject(
        reason === undefined
          ? new ConnectionError(`the TLS handshake broke off: ${cause.message}`, { cause })
          : new HandshakeError(reason, { cause }),
      );
    };
    const close = () => fail(new ConnectionError("the server ended the connection"));
    socket.once("error", fail);
    socket.once("end", close);
    below.once("close", close);
    if (below.destroyed) close();
    socket.once("secureConnect", () => {
      // Nothing has been sent yet, and nothing is to whoever has not proven to be the host.
      if (!socket.authorized) return fail(new UnauthorizedError(socket.authorizationError));
      socket.off("error", fail);
      socket.off("end", close);
      below.off("close", close);
      const endPoint = socket.getPeerCertificate().fingerprint256;
      resolve({ stream: new TlsStream(socket, below), endPoint });
    });
  });
}

/** A connection that was opened from here, encrypted or not. */
export type Opened = { readonly stream: ByteStream; readonly endPoint?: string };

/**
 * Encrypts a connection that was opened from here, if there are credentials to do it with, until `signal` says
 * that it takes too long.
 *
 * @throws {HandshakeError} if that cannot be done; the connection is closed then.
 */
export async function secure(
  conn: Deno.TcpConn,
  { credentials, host, signal }: {
    credentials: Credentials | undefined;
    host: string;
    signal: AbortSignal;
  },
): Promise<Opened> {
  if (credentials === undefined) return { stream: conn };
  const below = new ByteDuplex(conn);
  const close = () => below.destroy();
  if (signal.aborted) close();
  signal.addEventListener("abort", close);
  try {
    return await inTurn(credentials, () => connectTls(below, { credentials, host }));
  } catch (cause) {
    // It has said nothing against us: that is silence.
    if (signal.aborted) throw new ConnectionError("the TLS handshake took too long", { cause });
    throw cause;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

let turn: Promise<unknown> = Promise.resolve();

/**
 * Does handshakes without credentials of our own one after the other: for these, Deno 2.9 keeps what it finds
 * out about a certificate in one place, where that of another connection would be taken for it.
 */
function inTurn<T>(
  { certificate, authority }: Credentials,
  handshake: () => Promise<T>,
): Promise<T> {
  if (certificate !== undefined || authority !== undefined) return handshake();
  const done = turn.then(handshake);
  turn = done.catch(() => {});
  return done;
}

/** The first byte of a record of TLS that begins a handshake (RFC 8446, section 5.1). */
const handshakeRecord = 0x16;

/** Whether what was received first is the beginning of TLS. */
export function beginsTls(bytes: Uint8Array | Buffer): boolean {
  return bytes[0] === handshakeRecord;
}
