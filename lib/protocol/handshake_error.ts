/** The other end has not proven to belong to the ring, or says that this one has not. */
export class HandshakeError extends Error {
  override readonly name = "HandshakeError";
}
