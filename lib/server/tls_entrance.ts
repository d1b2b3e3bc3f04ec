/** The entrance of a server that speaks TLS only: a connection that was opened to it, from its first byte on. */
import { ByteDuplex } from "../protocol/byte_duplex.ts";
import { type ByteStream, ConnectionError } from "../protocol/byte_stream.ts";
import type { Credentials } from "../protocol/credentials.ts";
import { unprovenStatus } from "../protocol/handshake.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import { acceptTls, beginsTls } from "../protocol/tls_stream.ts";

/** How much is read to see whether it is TLS that begins, in bytes. */
const firstBytesMax = 1024;

/** A stream that is encrypted once `enter` has been called; until then it can only say why it is not. */
export class TlsEntrance implements ByteStream {
  readonly #credentials: Credentials;
  #stream: ByteStream;
  /** Closes the connection, whoever has it now: it may be closed once only. */
  #close: () => void;

  constructor(stream: ByteStream, credentials: Credentials) {
    this.#stream = stream;
    this.#close = () => stream.close();
    this.#credentials = credentials;
  }

  /** The SHA-256 of the certificate that is shown. */
  get endPoint(): string | undefined {
    return this.#credentials.endPoint;
  }

  /**
   * Begins to encrypt.
   *
   * @throws {ProtocolError} 401, to be answered, if the other side speaks no TLS, or shows no certificate of
   * the authority where there is one.
   * @throws {HandshakeError} if TLS fails.
   * @throws {ConnectionError} when the connection ends.
   */
  async enter(): Promise<void> {
    const begun = await this.#begin();
    if (!beginsTls(begun)) {
      throw new ProtocolError(
        unprovenStatus,
        "This ring speaks TLS: name its authority with --tls-ca (a server its own certificate too, " +
          "with --tls-cert and --tls-key)",
      );
    }
    const credentials = this.#credentials;
    const options = { credentials, asksForCertificate: true };
    const below = new ByteDuplex(this.#stream, begun);
    this.#close = () => below.destroy();
    const accepted = await acceptTls(below, options);
    this.#stream = accepted.stream;
    this.#close = () => accepted.stream.close();
    if (credentials.authority === undefined || accepted.isCertified) return;
    throw new ProtocolError(
      unprovenStatus,
      accepted.hasCertificate
        ? "This ring does not take the certificate that was shown: is it of its authority, not " +
          "expired, and for clients too, if it says what it is for (extendedKeyUsage)?"
        : "This ring wants a certificate of its authority: give one with --tls-cert and --tls-key",
    );
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#stream.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#stream.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#stream.closeWrite?.() ?? Promise.resolve();
  }

  close(): void {
    this.#close();
  }

  async #begin(): Promise<Uint8Array> {
    const buffer = new Uint8Array(firstBytesMax);
    let count: number | null;
    try {
      count = await this.#stream.read(buffer);
    } catch (cause) {
      throw new ConnectionError("the connection has failed before its first byte", { cause });
    }
    if (count === null) throw new ConnectionError("the other side closed the connection");
    return buffer.subarray(0, count);
  }
}
