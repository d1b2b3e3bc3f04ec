/** How long an answer may take. */
import { collectTimeoutMs, surveyPauseMs, surveysMax } from "../ring/collector.ts";
import { findTimeoutMs } from "../ring/finder.ts";
import type { ClientRequest } from "../ring/request.ts";
import { transferRateMin, writeTimeoutMs } from "../ring/replication.ts";

/** How long the ring gives itself to drop tombstones, in milliseconds. */
const collectMsMax = surveysMax * (collectTimeoutMs + surveyPauseMs) + collectTimeoutMs;

/**
 * The longest wait for the answer to a request, in milliseconds, when nothing else may take longer
 * than `timeoutMs`; `undefined` if it is not limited.
 */
export function answerMsMax(request: ClientRequest, timeoutMs: number): number | undefined {
  switch (request.type) {
    case "PUT":
      return timeoutMs + writeTimeoutMs + request.size / transferRateMin;
    case "DELETE":
      return timeoutMs + writeTimeoutMs;
    case "GC":
      return timeoutMs + collectMsMax;
    case "GET":
      return timeoutMs + findTimeoutMs;
    case "LIST":
    case "STATUS":
    case "LEAVE":
    case "FORGET":
      return timeoutMs;
    case "VERIFY":
      return undefined;
  }
}
