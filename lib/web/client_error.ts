/** Client errors: what is answered to bytes that are no request, or to a request that never ends. */
import { STATUS_CODES } from "node:http";
import { allow } from "./cors.ts";

const details: ReadonlyMap<number, string> = new Map([
  [400, "This is not a request of HTTP/1.1"],
  [405, "This server is no proxy"],
  [408, "The header of the request did not come in time"],
  [413, "The extensions of a chunk are too long"],
  [431, "The header of the request is too long"],
]);

/** An answer to what is no request, as bytes of HTTP/1.1. */
export function refusalOf(error: Error): string {
  return encode(statusOf("code" in error ? error.code : undefined));
}

/** The answer to a CONNECT: this is no proxy. */
export const tunnelRefusal = encode(405, [`Allow: ${allow}`]);

function encode(status: number, fields: readonly string[] = []): string {
  const title = STATUS_CODES[status] ?? "Error";
  const body = JSON.stringify({ status, title, detail: details.get(status) });
  return [
    `HTTP/1.1 ${status} ${title}`,
    "Content-Type: application/problem+json",
    `Content-Length: ${body.length}`,
    "X-Content-Type-Options: nosniff",
    ...fields,
    "Connection: close",
    "",
    body,
  ].join("\r\n");
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
