/**
 * PUT of a file (RFC 9110, section 9.3.4): what can be refused is refused before the body is read, and a body
 * that breaks off stores nothing.
 *
 * The body goes to the disk as it comes and is never held whole in memory: the next chunk is read when the
 * one before is stored, and so the client sends no faster than the disk and the ring take it.
 */
import { hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { contentTypeOf } from "../protocol/content_type.ts";
import { inlineBytesMax } from "../ring/file_record.ts";
import type { FileAnswer } from "../ring/request.ts";
import type { Backend } from "./backend.ts";
import { BodyError, readBody, readWhole } from "./request_body.ts";
import {
  entityTag,
  type FileExchange,
  holdsConditions,
  requestIfHolds,
  sendRefusal,
} from "./file_exchange.ts";
import { formatHttpDate, modifiedMillis } from "./last_modified.ts";
import { type Problem, sendProblem } from "./problem.ts";
import { encodeName } from "./request_target.ts";
import { fileBytesDefault, type WebOptions } from "./web_options.ts";

/** The longest content type that is taken from a request. */
const contentTypeLengthMax = 128;

const unknownType = "application/octet-stream";

/** What the body of a PUT has become: here, or in the store. */
interface Stored {
  readonly sha256: string;
  readonly size: number;
  readonly body?: Uint8Array;
  readonly upload?: string;
}

/** Puts a file, and answers with 201, 204, or why that was not done. Never rejects. */
export async function putFile(
  backend: Backend,
  options: WebOptions,
  exchange: FileExchange,
): Promise<void> {
  const { request, response, name } = exchange;
  const bytesMax = options.fileBytesMax ?? fileBytesDefault;
  const problem = whyRefused(request, bytesMax);
  if (problem !== undefined) return sendProblem(request, response, problem);
  const refusal = backend.putRefusal(name, sizeOf(request));
  if (refusal !== undefined) return sendRefusal(exchange, refusal);
  // Judged once more when the body is there: this one may save the client to send it.
  if (!await holdsConditions(backend, exchange)) return;
  if (expectsContinue(request)) response.writeContinue();
  const stored = await receive(backend, exchange, bytesMax);
  if (stored === undefined) return;
  const contentType = typeOf(request, name);
  const ask = { type: "PUT", item: name, contentType, ...stored } as const;
  const answer = await requestIfHolds(backend, exchange, ask);
  if (answer === undefined) return;
  if (answer.status !== 200 && answer.status !== 201) return sendRefusal(exchange, answer);
  sendStored(exchange, answer);
}

/** Why a PUT cannot be served, whatever its body is. */
function whyRefused({ headers }: IncomingMessage, bytesMax: number): Problem | undefined {
  if (headers["content-range"] !== undefined) {
    // It would store a part as the whole (RFC 9110, section 14.5).
    return { status: 400, detail: "A file can only be put as a whole: leave out Content-Range" };
  }
  if (headers["content-encoding"] !== undefined) {
    return { status: 415, detail: "A file is put as it is: leave out Content-Encoding" };
  }
  if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) {
    // Such a request has no body. An empty file is to be meant, not to come of a client's mistake.
    return { status: 411, detail: "A file is put with Content-Length, or in chunks" };
  }
  if (Number(headers["content-length"] ?? 0) > bytesMax) return tooLarge(bytesMax);
  return undefined;
}

/** An HTTP/1.0 client that expects it is not waited for (RFC 9110, section 10.1.1). */
function expectsContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.expect?.toLowerCase() === "100-continue" && httpVersion !== "1.0";
}

/** Takes the body; if that cannot be done, answers why, and returns `undefined`. */
async function receive(
  backend: Backend,
  exchange: FileExchange,
  bytesMax: number,
): Promise<Stored | undefined> {
  const { request, response } = exchange;
  try {
    return await store(backend, request, bytesMax);
  } catch (error) {
    if (error instanceof BodyError) {
      if (error.kind === "tooLarge") sendProblem(request, response, tooLarge(bytesMax));
      else response.destroy();
      return undefined;
    }
    const refusal = backend.receiveRefusal(error);
    // What is neither the client's fault nor the disk's lack of room, the site answers.
    if (refusal === undefined) throw error;
    sendRefusal(exchange, refusal);
    return undefined;
  }
}

/** A small body travels with its record; a larger one goes ahead, as it comes. */
async function store(
  backend: Backend,
  request: IncomingMessage,
  bytesMax: number,
): Promise<Stored> {
  const size = sizeOf(request);
  if (size !== undefined && size <= inlineBytesMax) return inline(await readWhole(request, size));
  const chunks = readBody(request, { size, bytesMax });
  if (size !== undefined) return await backend.receive(chunks, size);
  const start = await take(chunks, inlineBytesMax);
  if (start.isWhole) return inline(new Uint8Array(Buffer.concat(start.chunks)));
  return await backend.receive(joined(start.chunks, chunks));
}

/** How many bytes the client says that it sends. */
function sizeOf({ headers }: IncomingMessage): number | undefined {
  const length = headers["content-length"];
  return length === undefined ? undefined : Number(length);
}

/** Takes chunks until they are more than so many bytes, or all there are. */
async function take(
  chunks: AsyncIterator<Uint8Array>,
  bytesMax: number,
): Promise<{ chunks: Uint8Array[]; isWhole: boolean }> {
  const taken: Uint8Array[] = [];
  for (let bytes = 0; bytes <= bytesMax;) {
    const next = await chunks.next();
    if (next.done) return { chunks: taken, isWhole: true };
    taken.push(next.value);
    bytes += next.value.length;
  }
  return { chunks: taken, isWhole: false };
}

/** Ends the source too when whoever reads gives up. */
async function* joined(
  start: readonly Uint8Array[],
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* start;
  yield* rest;
}

function inline(body: Uint8Array): Stored {
  return { sha256: hash("sha256", body, "hex"), size: body.length, body };
}

/** By its name, so that it is the same however the file was put; by the request where that tells nothing. */
function typeOf({ headers }: IncomingMessage, name: string): string {
  const byName = contentTypeOf(name);
  const given = headers["content-type"];
  const isUsable = given !== undefined && given.length <= contentTypeLengthMax &&
    /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+ *(;[\x20-\x7e]*)?$/.test(given);
  return byName === unknownType && isUsable ? given : byName;
}

function sendStored({ response, name }: FileExchange, answer: FileAnswer): void {
  const { status, sha256 = "", stamp, copies } = answer;
  response.writeHead(status === 201 ? 201 : 204, {
    "ETag": entityTag(sha256),
    "X-Content-Type-Options": "nosniff",
    ...(stamp === undefined ? {} : { "Last-Modified": formatHttpDate(modifiedMillis(stamp)) }),
    ...(copies === undefined ? {} : { "Ring-Copies": String(copies) }),
    ...(status === 201 ? { "Location": encodeName(name), "Content-Length": "0" } : {}),
  });
  response.end();
}

function tooLarge(bytesMax: number): Problem {
  return { status: 413, detail: `The file is larger than the ${bytesMax} bytes that are taken` };
}
