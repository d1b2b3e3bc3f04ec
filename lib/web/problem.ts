/**
 * Problems: answers that say what is wrong, as RFC 9457 has it (`application/problem+json`), or as a small page
 * where a browser asks.
 *
 * A client may still be sending the body of a request that is refused. If the connection were closed at
 * once, what arrives after that would make the system reset it, and the client would lose the answer
 * (RFC 9112, section 9.6): so some of the rest is read, and thrown away, first.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { queryOf } from "./request_target.ts";

/** How much of a body that nobody wants is read, in bytes, and for how long, in milliseconds. */
const lingerBytesMax = 1024 * 1024;
const lingerMs = 1000;

/** The largest body that is skipped so that the connection can be used again, in bytes. */
const skippedBytesMax = 64 * 1024;

const encoder = new TextEncoder();

/** What went wrong. */
export interface Problem {
  readonly status: number;
  /** The status in words; HTTP's if absent. */
  readonly title?: string;
  /** What went wrong this time, in one sentence. */
  readonly detail?: string;
  /** Further header fields. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Answers with a problem. A 503 says that one may try again in a second, unless `headers` say otherwise.
 * If an answer has begun already, the connection is cut: what was sent must not look whole. Never throws.
 */
export function sendProblem(
  request: IncomingMessage,
  response: ServerResponse,
  problem: Problem,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const isUnread = mayBringMuch(request);
  const body = encoder.encode(bodyOf(request, problem));
  response.writeHead(problem.status, {
    "Content-Type": prefersHtml(request) ? "text/html; charset=utf-8" : "application/problem+json",
    "Content-Length": String(body.length),
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Vary": "Accept",
    ...(problem.status === 503 ? { "Retry-After": "1" } : {}),
    ...(isUnread ? { "Connection": "close" } : {}),
    ...problem.headers,
  });
  if (request.method === "HEAD") response.flushHeaders();
  else response.write(body);
  if (isUnread) linger(request, response);
  else response.end();
  // What is left of a small body is skipped, and the connection can be used again.
  if (!isUnread) request.resume();
}

/** Says to whoever speaks plain HTTP to a server of HTTPS to ask again, at the same port. */
export function redirectToHttps(request: IncomingMessage, response: ServerResponse): void {
  const { headers: { host }, url = "" } = request;
  if (host === undefined || !url.startsWith("/")) {
    return sendProblem(request, response, { status: 400, detail: "This server speaks HTTPS" });
  }
  const location = `https://${host}${printable(url)}`;
  const headers = { "Location": location, "Connection": "close" };
  sendProblem(request, response, { status: 308, detail: `It is at ${location}`, headers });
}

/** Says at which path to find what was asked for; the query is the client's, and stays. */
export function redirect(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): void {
  const location = path + printable(queryOf(request.url));
  const headers = { "Location": location };
  sendProblem(request, response, { status: 308, detail: `It is at ${location}`, headers });
}

/** What a client should have encoded in a query, encoded: a header field has no other characters. */
function printable(query: string): string {
  return query.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
}

/** Whether a request's accept header puts HTML first: a browser's does, curl's does not. */
export function prefersHtml(request: IncomingMessage): boolean {
  const first = (request.headers.accept ?? "").split(",", 1)[0] ?? "";
  return /^\s*(text\/html|application\/xhtml\+xml)\s*(;|$)/i.test(first);
}

/** Text as it stands in HTML, also within quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Whether the rest of the body is not worth waiting for, or may never come as it was not asked for. */
function mayBringMuch(request: IncomingMessage): boolean {
  if (request.readableEnded) return false;
  const { "content-length": length, "transfer-encoding": coding, expect } = request.headers;
  if (coding !== undefined) return true;
  const bytes = Number(length ?? 0);
  return bytes > skippedBytesMax || (bytes > 0 && expect !== undefined);
}

/** Ends the answer once the client has stopped sending, or has sent and waited enough. */
function linger(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  const timer = setTimeout(end, lingerMs);
  function end(): void {
    clearTimeout(timer);
    request.off("data", count);
    for (const event of endings) request.off(event, end);
    response.end();
  }
  function count(chunk: Uint8Array): void {
    bytes += chunk.length;
    if (bytes > lingerBytesMax) end();
  }
  const endings = ["end", "close", "error", "aborted"];
  for (const event of endings) request.on(event, end);
  request.on("data", count);
}

function bodyOf(request: IncomingMessage, problem: Problem): string {
  const { status, title = STATUS_CODES[status] ?? "Problem", detail } = problem;
  if (prefersHtml(request)) return page({ status, title, detail });
  return JSON.stringify({ title, status, ...(detail === undefined ? {} : { detail }) }) + "\n";
}

function page(
  { status, title, detail }: { status: number; title: string; detail: string | undefined },
): string {
  const heading = escapeHtml(`${status} ${title}`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${heading}</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }</style>
<h1>${heading}</h1>
${detail === undefined ? "" : `<p>${escapeHtml(detail)}</p>\n`}</html>
`;
}
