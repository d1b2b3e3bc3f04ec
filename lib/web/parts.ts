/** Parts of a file in one answer: `multipart/byteranges` (RFC 9110, section 14.6). */
import type { BodyRange, BodyReader } from "../storage/store.ts";
import type { Representation } from "./representation.ts";
import { formatContentRange } from "./ranges.ts";

const encoder = new TextEncoder();

/** How many digits of the hash stand in the boundary: 128 bits. */
const boundaryDigits = 32;

/** The body of an answer with several parts. */
export class Parts {
  /** Bytes. */
  readonly size: number;
  readonly contentType: string;
  readonly #parts: readonly { readonly range: BodyRange; readonly heading: Uint8Array }[];
  readonly #end: Uint8Array;

  /** `parts` of a file in that order. */
  constructor(ranges: readonly BodyRange[], { etag, contentType, size }: Representation) {
    // A file that has its own hash in it cannot be made, so what separates the parts is in none of them.
    const boundary = `ring-${etag.slice(1, 1 + boundaryDigits)}`;
    this.contentType = `multipart/byteranges; boundary=${boundary}`;
    this.#parts = ranges.map((range, index) => ({
      range,
      heading: encoder.encode(
        `${index === 0 ? "" : "\r\n"}--${boundary}\r\nContent-Type: ${contentType}\r\n` +
          `Content-Range: ${formatContentRange(range, size)}\r\n\r\n`,
      ),
    }));
    this.#end = encoder.encode(`\r\n--${boundary}--\r\n`);
    this.size = this.#parts.reduce(
      (sum, { range, heading }) => sum + heading.length + range.end - range.start,
      this.#end.length,
    );
  }

  /** The body, read from the file. */
  async *chunks(reader: Pick<BodyReader, "chunks">): AsyncGenerator<Uint8Array> {
    for (const { range, heading } of this.#parts) {
      yield heading;
      yield* reader.chunks(range);
    }
    yield this.#end;
  }
}
