/**
 * What the other side of a connection did wrong. Whoever reads from a connection catches this, answers
 * with `status` and the message, and closes the connection: after a bad frame nobody knows where the
 * next one begins.
 */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";

  /** `status` is HTTP's: 400 for what is malformed, 413 for what is over a limit, 401 for a stranger. */
  constructor(readonly status: 400 | 401 | 413, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}
