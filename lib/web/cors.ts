/**
 * Cross-origin requests: lets the pages of one other origin, or of all, read and write files, if the operator
 * says so (`--cors`; the Fetch standard, section "CORS protocol").
 */
import type { IncomingMessage, ServerResponse } from "node:http";

/** What may be asked of a file, and of all. */
export const allow = "GET, HEAD, PUT, DELETE, OPTIONS";

/** What may be asked of what is only to be read. */
export const allowReading = "GET, HEAD, OPTIONS";

/** How long a browser may keep the answer to a preflight, in seconds: a day. */
const preflightSeconds = 86_400;

const exposed = [
  ...["Accept-Ranges", "Content-Encoding", "Content-Length", "Content-Range", "ETag"],
  ...["Last-Modified", "Location", "Repr-Digest", "Retry-After", "Ring-Copies"],
].join(", ");

const requestFields = [
  ...[
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
  ],
  ...["If-Unmodified-Since", "Range"],
].join(", ");

/** Says in the answer, whatever it will be, that the pages of `origin` may read it. */
export function allowOrigin(response: ServerResponse, origin: string): void {
  response.setHeader("Access-Control-Allow-Origin", origin);
  response.setHeader("Access-Control-Expose-Headers", exposed);
}

/** Answers an OPTIONS; if it is a browser's question before a request, says what it may ask. */
export function answerOptions(
  request: IncomingMessage,
  response: ServerResponse,
  origin: string | undefined,
): void {
  const isPreflight = origin !== undefined &&
    request.headers["access-control-request-method"] !== undefined;
  response.writeHead(204, {
    "Allow": allow,
    "X-Content-Type-Options": "nosniff",
    ...(isPreflight
      ? {
        "Access-Control-Allow-Methods": allow,
        "Access-Control-Allow-Headers": requestFields,
        "Access-Control-Max-Age": String(preflightSeconds),
      }
      : {}),
  });
  response.end();
}

/** Answers an OPTIONS of what is only to be read; pages of other origins get no leave by it. */
export function answerReadingOptions(response: ServerResponse): void {
  response.writeHead(204, { "Allow": allowReading, "X-Content-Type-Options": "nosniff" });
  response.end();
}
