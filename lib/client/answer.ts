/** Answers against the requests that they answer. */
import { quoteText } from "../protocol/quote.ts";
import type { ClientAnswer, ClientRequest, FileAnswer } from "../ring/request.ts";
import { kindOfStatus, RingError } from "./ring_error.ts";

/** HTTP's: the outcome is unknown, which is not that it could not be done. */
const unknownStatus = 504;

/** What a request is to do, for messages: `get "index.html"`. */
export function describe(request: ClientRequest): string {
  const verb = request.type.toLowerCase();
  if ("item" in request) return `${verb} ${quoteText(request.item)}`;
  switch (request.type) {
    case "LEAVE":
      return "make the server leave";
    case "FORGET":
      return `forget ${quoteText(request.member)}`;
    case "GC":
      return "drop the tombstones";
    case "VERIFY":
      return "verify what the server holds";
    default:
      return `ask for the ${verb}`;
  }
}

/** The answer to a request about a file, if it says that it is done. */
export function asFileAnswer(answer: ClientAnswer, request: ClientRequest): FileAnswer {
  const matches = answer.type === request.type && "item" in answer && "item" in request &&
    answer.item === request.item;
  if (!matches || answer.status >= 400) throw refusal(answer, request);
  return answer;
}

/** What a server found when it checked all that it holds. */
export interface Verified {
  /** How many records were checked, tombstones too. */
  readonly checked: number;
  /** The names of what was damaged: the first of them. */
  readonly damaged: readonly string[];
  readonly damagedCount: number;
  /** The names of what was damaged and could not be repaired: the first of them. */
  readonly lost: readonly string[];
  readonly lostCount: number;
}

/** The answer to a VERIFY, if it says that it is done. */
export function asVerified(answer: ClientAnswer, request: ClientRequest): Verified {
  if (answer.type !== "VERIFY" || answer.checked === undefined) throw refusal(answer, request);
  const { checked, damaged = [], damagedCount = 0, lost = [], lostCount = 0 } = answer;
  return { checked, damaged, damagedCount, lost, lostCount };
}

/** What to throw for an answer that is not what was asked for. */
export function refusal(answer: ClientAnswer, request: ClientRequest): RingError {
  const status = answer.status;
  if (status < 400) {
    return new RingError(
      "failed",
      `Cannot ${describe(request)}: the server answered another request`,
    );
  }
  const reason = ("error" in answer ? answer.error : undefined) ?? `the server answered ${status}`;
  // A server's sentence may say it all, or only why.
  const message = reason.startsWith("Cannot ") || status === unknownStatus
    ? reason
    : `Cannot ${describe(request)}: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`;
  return new RingError(kindOfStatus(status), message);
}
