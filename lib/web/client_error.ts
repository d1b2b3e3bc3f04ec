/** Client errors: what is answered to bytes that are no request, or to a request that never ends. */
import { METHODS, STATUS_CODES } from "node:http";
import { allow } from "./cors.ts";

const lineFeed = 0x0a;

/** The longest line of a request that is looked at, in bytes: what is longer is refused as that. */
const lineBytesMax = 16 * 1024;

const details: ReadonlyMap<number, string> = new Map([
  [400, "This is not a request of HTTP/1.1"],
  [408, "The header of the request did not come in time"],
  [413, "The extensions of a chunk are too long"],
  [431, "The header of the request is too long"],
]);

/** An answer to what is no request. */
export interface ErrorAnswer {
  readonly status: number;
  /** All of it, as HTTP/1.1 has it. */
  readonly bytes: string;
}

/** The answer to a CONNECT: this is no proxy. */
export const tunnelRefusal = refuseMethod("This server is no proxy");

/** The answer to a body that cannot be read, or has broken off. */
export const bodyRefusal = encode(400, "The body of the request cannot be read to its end");

/** The answer to what the parser has found to be no request. */
export function refusalOf(error: Error): ErrorAnswer {
  if (hasUnknownMethod(error)) return refuseMethod("No file is to be had by this method");
  const status = statusOf("code" in error ? error.code : undefined);
  return encode(status, details.get(status));
}

/**
 * Whether the line at which the parser stopped is that of a request, but for its method: the parser knows
 * those that are registered, and does not say what it was that it did not know.
 */
function hasUnknownMethod(error: Error): boolean {
  if (!("rawPacket" in error && "bytesParsed" in error)) return false;
  const { rawPacket, bytesParsed } = error;
  if (!(rawPacket instanceof Uint8Array) || typeof bytesParsed !== "number") return false;
  const start = rawPacket.lastIndexOf(lineFeed, bytesParsed) + 1;
  const line = new TextDecoder("latin1").decode(rawPacket.subarray(start, start + lineBytesMax));
  const [, method] = /^([\w!#$%&'*+.^`|~-]+) [!-~]+ HTTP\/1\.\d\r\n/.exec(line) ?? [];
  return method !== undefined && !METHODS.includes(method);
}

function refuseMethod(detail: string): ErrorAnswer {
  return encode(405, detail, [`Allow: ${allow}`]);
}

function encode(status: number, detail = "", fields: readonly string[] = []): ErrorAnswer {
  const title = STATUS_CODES[status] ?? "Error";
  const body = JSON.stringify({ status, title, detail });
  const bytes = [
    `HTTP/1.1 ${status} ${title}`,
    "Content-Type: application/problem+json",
    `Content-Length: ${body.length}`,
    "X-Content-Type-Options: nosniff",
    ...fields,
    "Connection: close",
    "",
    body,
  ].join("\r\n");
  return { status, bytes };
}

function statusOf(code: unknown): number {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return 431;
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return 408;
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return 413;
    default:
      return 400;
  }
}
