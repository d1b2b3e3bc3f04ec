/** Why a handshake of TLS has failed, in a sentence that says what to do. */
import type { PeerCertificate, TLSSocket } from "node:tls";
import { ConnectionError } from "./byte_stream.ts";
import { dayOf } from "./credentials.ts";

/** What `node:tls` says when what it gets is no TLS. */
const notTlsCode = "ERR_SSL_WRONG_VERSION_NUMBER";
const wrongHostCode = "ERR_TLS_CERT_ALTNAME_INVALID";

/** The codes of a certificate whose authority is not known. */
const unknownAuthority: ReadonlySet<unknown> = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
]);

/** The certificate of the server that was dialled is not good; the code says why. */
export class UnauthorizedError extends Error {
  override readonly name = "UnauthorizedError";
  readonly code: string;

  /** `node:tls` gives the code for the error that it speaks of. */
  constructor(reason: unknown) {
    super(String(reason));
    this.code = String(reason);
  }
}

/** Why the server that was dialled is not believed; `undefined` if the connection has only ended. */
export function connectReason(
  error: Error,
  { socket, host, hasAuthority }: { socket: TLSSocket; host: string; hasAuthority: boolean },
): string | undefined {
  const code = codeOf(error);
  // In Deno there may be none, not even an empty one.
  const shown: Partial<PeerCertificate> = socket.getPeerCertificate() ?? {};
  const { valid_from: from, valid_to: to, subjectaltname: hosts } = shown;
  if (code === notTlsCode) {
    return "The server does not speak TLS: start it with --tls-cert and --tls-key, or leave TLS out here";
  }
  if (error instanceof ConnectionError || code === "ECONNRESET") return undefined;
  if (code === wrongHostCode) {
    return `The server's certificate is for ${
      hosts || "no host"
    }, and not for ${host}: make one that is`;
  }
  if (to !== undefined && new Date(to).getTime() < Date.now()) {
    return `The server's certificate expired on ${dayOf(new Date(to))}: renew it there`;
  }
  if (from !== undefined && new Date(from).getTime() > Date.now()) {
    return `The server's certificate is not valid before ${
      dayOf(new Date(from))
    }: is the clock right?`;
  }
  if (unknownAuthority.has(code)) {
    return hasAuthority
      ? "The server's certificate is not of the authority that --tls-ca names"
      : "The server's certificate is of no known authority: name the ring's with --tls-ca";
  }
  return `The TLS handshake with the server has failed: ${error.message}`;
}

/** Why whoever has dialled this server cannot be talked to. */
export function acceptReason(error: Error): string {
  // What the other side says: node:tls only passes it on.
  if (/\bfatal alert: (UnknownCA|BadCertificate|Certificate\w+)/.test(error.message)) {
    return "It does not take this server's certificate: is it of the authority that it trusts, " +
      "for the host that it dials, and not expired?";
  }
  return `The TLS handshake has failed: ${error.message}`;
}

function codeOf(error: Error): unknown {
  return "code" in error ? error.code : undefined;
}
