/**
 * The handshake: how the two ends of a connection prove to each other that they know the ring's secret,
 * before anything else is said.
 *
 *     dialler   -> {"type":"HELLO","nonce":N1,"id":D}
 *     listener  -> {"type":"HELLO","nonce":N2,"id":L,"proof":HMAC("ring listener", N1, N2, D, L)}
 *     dialler   -> {"type":"PROOF","proof":HMAC("ring dialler", N1, N2, D, L)}, and its first message
 *
 * Each side has chosen one of the nonces, at random, so a proof that was heard before proves nothing; the
 * purposes differ, so a proof does not serve the one that it was given to. Either proof lets whoever gets it
 * try guesses at home, so the secret has to be a random one (`ring secret`). The ids are those of servers;
 * a client has none, and says "". The idea is that of SCRAM (RFC 5802).
 *
 * It says who is at the other end when a connection begins. What is said afterwards it neither encrypts nor
 * signs: on a network where others can read or change what passes, that takes TLS (`tls_stream.ts`), which
 * goes first. Then the SHA-256 of the listener's certificate is a fifth thing that the proofs speak of
 * (`tls-server-end-point` of RFC 5929), so nobody between the two can pass them on, whatever certificate
 * it has.
 */
import { randomBytes } from "node:crypto";
import { ConnectionError, type FrameConnection } from "./connection.ts";
import { encodeFrame, type JsonObject } from "./frame.ts";
import { HandshakeError } from "./handshake_error.ts";
import { ProtocolError } from "./protocol_error.ts";
import type { Secret } from "./secret.ts";

export { HandshakeError } from "./handshake_error.ts";

/** How long a handshake may take, in milliseconds. */
export const handshakeMs = 5000;

/**
 * The most bytes of a frame before who sends it has proven to belong: what there is in a handshake has a
 * third of that. So many connections of strangers take no more memory than they would without a word.
 */
export const helloBytesMax = 1024;

const nonceBytes = 32;
const idLengthMax = 64;

/** The status of an answer to whoever has not proven to belong to the ring. */
export const unprovenStatus = 401;

/** The status of a frame that is too long. */
const tooLongStatus = 413;

/** One end of a handshake. */
export interface Party {
  readonly secret: Secret;
  /** The id of a server; empty for a client. */
  readonly id: string;
  /** The SHA-256 of the listener's certificate, where TLS encrypts the connection. */
  readonly endPoint?: string;
}

/**
 * Proves to belong to the ring, on a connection that was opened from here, once the other side has.
 *
 * @throws {HandshakeError} if it cannot, or the other side says that we do not.
 * @throws {ConnectionError} when the connection ends, or the other side does not listen now.
 */
export async function greet(connection: FrameConnection, party: Party): Promise<void> {
  const { secret, id } = party;
  const nonce = makeNonce();
  send(connection, { type: "HELLO", nonce, id });
  const hello = await receive(connection);
  if (hello.type === "ERROR" && typeof hello.error === "string") {
    if (hello.status === unprovenStatus) throw new HandshakeError(hello.error);
    // It may be full, for example, and will listen later.
    throw new ConnectionError(hello.error);
  }
  const facts = factsOf({ nonce, id }, helloOf(hello), party);
  if (!isProof(hello, secret, { purpose: listenerPurpose, facts })) {
    throw new HandshakeError("The server does not know this ring's secret");
  }
  send(connection, { type: "PROOF", proof: secret.prove(diallerPurpose, facts) });
}

/**
 * Has the other side prove that it belongs to the ring, on a connection that was opened to here.
 *
 * @throws {ProtocolError} 401 if it does not.
 * @throws {ConnectionError} when the connection ends.
 */
export async function welcome(connection: FrameConnection, party: Party): Promise<void> {
  const { secret, id } = party;
  const hello = await receiveFromStranger(connection);
  if (hello.type !== "HELLO") throw unproven(needsSecret);
  const nonce = makeNonce();
  const facts = factsOf(helloOf(hello), { nonce, id }, party);
  send(connection, { type: "HELLO", nonce, id, proof: secret.prove(listenerPurpose, facts) });
  const proof = await receiveFromStranger(connection);
  if (proof.type !== "PROOF" || !isProof(proof, secret, { purpose: diallerPurpose, facts })) {
    throw unproven("This ring has another secret than the one that was used");
  }
}

/** Whether a first message is that of a handshake, which is not for a server that has no secret. */
export function assertNoHello({ type }: JsonObject): void {
  if (type !== "HELLO") return;
  throw unproven("This server has no secret: start it with --secret-file, or leave that out here");
}

const needsSecret = "This ring has a secret: give the file that it is in with --secret-file";
const listenerPurpose = "ring listener";
const diallerPurpose = "ring dialler";

interface Hello {
  readonly nonce: string;
  readonly id: string;
}

function factsOf(dialler: Hello, listener: Hello, { endPoint }: Party): readonly string[] {
  const facts = [dialler.nonce, listener.nonce, dialler.id, listener.id];
  return endPoint === undefined ? facts : [...facts, endPoint];
}

function helloOf({ type, nonce, id }: JsonObject): Hello {
  const isHello = type === "HELLO" && typeof nonce === "string" && /^[0-9a-f]{64}$/.test(nonce) &&
    typeof id === "string" && id.length <= idLengthMax;
  if (!isHello) throw new ProtocolError(400, "Cannot read HELLO: it needs a nonce and an id");
  return { nonce, id };
}

function isProof(
  { proof }: JsonObject,
  secret: Secret,
  { purpose, facts }: { purpose: string; facts: readonly string[] },
): boolean {
  return typeof proof === "string" && secret.verifies(proof, purpose, facts);
}

function makeNonce(): string {
  return randomBytes(nonceBytes).toString("hex");
}

function send(connection: FrameConnection, message: JsonObject): void {
  // Whoever receives finds out that the connection has broken.
  connection.send(encodeFrame(message)).catch(() => {});
}

/** As `receive`; what is too long is none of a handshake, but may be what is said where there is none. */
async function receiveFromStranger(connection: FrameConnection): Promise<JsonObject> {
  try {
    return await receive(connection, helloBytesMax);
  } catch (error) {
    if (error instanceof ProtocolError && error.status === tooLongStatus) {
      throw unproven(needsSecret);
    }
    throw error;
  }
}

async function receive(connection: FrameConnection, bytesMax?: number): Promise<JsonObject> {
  const received = await connection.receive(bytesMax);
  if (received === undefined) throw new ConnectionError("the other side closed the connection");
  const { value, size } = received;
  const isHandshake = value.type === "HELLO" || value.type === "PROOF";
  if (size === undefined || !isHandshake) return value;
  throw new ProtocolError(
    400,
    `Cannot take the ${size} bytes after a ${value.type}: it has no body`,
  );
}

function unproven(text: string): ProtocolError {
  return new ProtocolError(unprovenStatus, text);
}
