/** The body of a request, as it comes: no faster than it is read, and never more than is allowed. */
import type { IncomingMessage } from "node:http";

/** A body cannot be had whole; nothing is to be made of the part. */
export class BodyError extends Error {
  override readonly name = "BodyError";
  constructor(
    /** Whether it has more bytes than are taken, or less than were promised. */
    readonly kind: "tooLarge" | "broken",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * The chunks of a body. The rest of one that is not read to its end is left in the connection.
 *
 * @throws {BodyError} When it has more than `bytesMax` bytes, or breaks off.
 */
export async function* readBody(
  request: IncomingMessage,
  { size, bytesMax }: { size: number | undefined; bytesMax: number },
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw new BodyError("tooLarge", `More than ${bytesMax} bytes came`);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof BodyError) throw error;
    throw new BodyError("broken", `The body broke off after ${bytes} bytes`, { cause: error });
  }
  if (!request.complete || (size !== undefined && bytes !== size)) {
    throw new BodyError("broken", `The body broke off after ${bytes} of ${size} bytes`);
  }
}
