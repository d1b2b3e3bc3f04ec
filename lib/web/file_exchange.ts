/** A file exchange: a request about one file, and the answer to it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FileRecord } from "../ring/file_record.ts";
import type { FileAnswer } from "../ring/message.ts";
import type { Backend, Refusal } from "./backend.ts";
import { codings } from "./coding.ts";
import { isConditional, judge, type Validators } from "./conditional.ts";
import { modifiedMillis } from "./last_modified.ts";
import { sendProblem } from "./problem.ts";
import { codedEtag } from "./representation.ts";

/** A request about one file. */
export interface FileExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The name of the file, decoded and valid. */
  readonly name: string;
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
 * Whether the conditions of a write hold (RFC 9110, section 13.2); answers with 412 if they do not. The file
 * may change between this and the write: the ring knows no conditions.
 */
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
  if (record !== undefined) return { status: 200, current: validatorsOf(record) };
  const { answer, body } = await backend.request({ type: "GET", item: name });
  body?.close();
  const { status, error, sha256, stamp, size = 0, contentType = "" } = answer;
  if (status === 200 && sha256 !== undefined && stamp !== undefined) {
    return { status, current: validatorsOf({ name, sha256, stamp, size, contentType }) };
  }
  return { status, ...(error === undefined ? {} : { error }) };
}

/** Who has a file in a compressed form, and its tag, means this file as well. */
function validatorsOf(record: FileRecord): Validators {
  const { sha256, stamp } = record;
  const etags = [entityTag(sha256), ...codings.map((coding) => codedEtag(record, coding))];
  return { etags, modified: modifiedMillis(stamp) };
}
