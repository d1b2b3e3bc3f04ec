/** A file exchange: a request about one file, and the answer to it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FileRecord } from "../ring/file_record.ts";
import type { FileAnswer } from "../ring/request.ts";
import type { Ask } from "../ring/step.ts";
import type { Backend, Refusal } from "./backend.ts";
import { type Coding, codings, sidecarEndings } from "./coding.ts";
import { isConditional, judge, type Validators } from "./conditional.ts";
import { isSidecarOf } from "./file_cache.ts";
import { modifiedMillis } from "./last_modified.ts";
import { sendProblem } from "./problem.ts";
import { codedEtag } from "./representation.ts";
import type { Turns } from "./turns.ts";

/** A request about one file. */
export interface FileExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The name of the file, decoded and valid. */
  readonly name: string;
  /** The conditional writes of this web front. */
  readonly turns: Turns;
}

/** When a client may ask again that was told to, in seconds. */
const retryAfterSeconds = "1";

/** Answers with what the ring or this server says of a write that was not done, or may not have been. */
export function sendRefusal(
  { request, response }: FileExchange,
  { status, error }: Refusal | Pick<FileAnswer, "status" | "error">,
): void {
  sendProblem(request, response, {
    status,
    ...(error === undefined ? {} : { detail: error }),
    ...(status === 503 ? { headers: { "Retry-After": retryAfterSeconds } } : {}),
  });
}

/** The entity tag of a file as it was put. */
export function entityTag(sha256: string): string {
  return `"${sha256}"`;
}

/**
 * Asks the ring for a write if the conditions of the request hold (RFC 9110, section 13.2), or else answers
 * with 412 and returns `undefined`. Conditional writes of one name take turns, so that of two which cannot
 * both be meant one is refused. That holds at one server: the ring knows no conditions, so of two at
 * different servers at the same time both may be done, and the newer stamp wins.
 */
export async function requestIfHolds(
  backend: Backend,
  exchange: FileExchange,
  ask: Ask,
): Promise<FileAnswer | undefined> {
  const { request, name, turns } = exchange;
  const write = async () => (await backend.request(ask)).answer;
  if (!isConditional(request.headers)) return await write();
  return await turns.take(
    name,
    async () => await holdsConditions(backend, exchange) ? await write() : undefined,
  );
}

/** Whether the conditions of a write hold as the file is now; answers with 412 if they do not. */
export async function holdsConditions(backend: Backend, exchange: FileExchange): Promise<boolean> {
  const { request, response, name } = exchange;
  if (!isConditional(request.headers)) return true;
  const found = await findFile(backend, name);
  if (found.status !== 200 && found.status !== 404) {
    sendRefusal(exchange, found);
    return false;
  }
  const current = found.current;
  if (judge(request.headers, { current, isRead: false }) === "proceed") return true;
  const detail = current === undefined
    ? "There is no such file"
    : `The file is another one: its ETag is ${current.etags[0]}`;
  sendProblem(request, response, { status: 412, detail });
  return false;
}

/** The records of a file's compressed forms. */
type Sidecars = Readonly<Partial<Record<Coding, FileRecord>>>;

interface Found {
  /** 200, 404, or why it is not known. */
  readonly status: number;
  readonly error?: string;
  readonly current?: Validators;
}

/** The file as the ring has it now. */
async function findFile(backend: Backend, name: string): Promise<Found> {
  const record = backend.isCurrent ? backend.look(name) : undefined;
  if (record?.deleted) return { status: 404 };
  if (record !== undefined) {
    const current = validatorsOf(record, findSidecars(backend, record));
    return { status: 200, current };
  }
  const { answer, body } = await backend.request({ type: "GET", item: name });
  body?.close();
  const { status, error, sha256, stamp, size = 0, contentType = "" } = answer;
  if (status === 200 && sha256 !== undefined && stamp !== undefined) {
    return { status, current: validatorsOf({ name, sha256, stamp, size, contentType }) };
  }
  return { status, ...(error === undefined ? {} : { error }) };
}

/** Who has a file in a compressed form, and its tag, means this file as well. */
function validatorsOf(record: FileRecord, sidecars: Sidecars = {}): Validators {
  const { sha256, stamp } = record;
  const coded = codings.map((coding) => codedEtag(sidecars[coding] ?? record, coding));
  return { etags: [entityTag(sha256), ...coded], modified: modifiedMillis(stamp) };
}

/** The compressed forms that are served instead of a file. */
function findSidecars(backend: Backend, record: FileRecord): Sidecars {
  const sidecars: { -readonly [coding in keyof Sidecars]: Sidecars[coding] } = {};
  for (const coding of codings) {
    const sidecar = backend.look(record.name + sidecarEndings[coding]);
    if (sidecar === undefined || sidecar.deleted) continue;
    if (isSidecarOf(sidecar, record)) sidecars[coding] = sidecar;
  }
  return sidecars;
}
