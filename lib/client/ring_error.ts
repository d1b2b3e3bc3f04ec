/** Why a request to the ring did not do what was asked. */

/** What a caller can tell apart. */
export type RingErrorKind =
  /** No server answered, or the ring cannot do it now (503). A write did not happen; try again. */
  | "unavailable"
  /** There is no such file (404). */
  | "notFound"
  /** It cannot be done as asked; trying again will not help. */
  | "failed"
  /** The connection broke, or the ring timed out (504), when a write was under way: it may be stored. */
  | "unknown";

/** A request failed. The message is one sentence. */
export class RingError extends Error {
  override readonly name = "RingError";
  constructor(readonly kind: RingErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** What the status of an answer, 400 or above, means for the caller. */
export function kindOfStatus(status: number): RingErrorKind {
  switch (status) {
    case 404:
      return "notFound";
    case 503:
      return "unavailable";
    case 504:
      return "unknown";
    default:
      return "failed";
  }
}
