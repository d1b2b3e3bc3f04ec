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
 * A whole body of a size that was told, for a small one: without an iterator, which takes longer.
 *
 * @throws {BodyError} When it breaks off.
 */
export function readWhole(request: IncomingMessage, size: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const body = new Uint8Array(size);
    let filled = 0;
    let isOver = false;
    const breakOff = (cause?: unknown) => {
      const message = `The body broke off after ${filled} of ${size} bytes`;
      reject(new BodyError("broken", message, { cause }));
    };
    request.on("data", (chunk: Uint8Array) => {
      // HTTP's parser takes no more than was told.
      body.set(chunk, filled);
      filled += chunk.length;
    });
    request.on("end", () => {
      isOver = true;
      if (filled === size) resolve(body);
      else breakOff();
    });
    request.on("error", breakOff);
    request.on("close", () => {
      if (!isOver) breakOff();
    });
  });
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
