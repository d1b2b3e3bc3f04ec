/** Refusals: what a client is told that this server cannot serve now. */
import type { Incoming } from "../protocol/decode.ts";
import type { ClientAnswer } from "../ring/request.ts";
import { isPassing } from "../storage/disk_error.ts";
import { StoreFullError } from "../storage/store.ts";

/** The answer to a PUT when the disk is full. */
export const noRoom = {
  status: 507,
  error: "There is no room left on this server's disk",
} as const;

/** The answer to a PUT when the server holds as much as it may. */
const quotaReached = {
  status: 507,
  error: "This server holds as much as it may (--max-bytes, --max-files), and has no room left",
} as const;

/** Why a PUT is refused for want of room, before its body is read; `undefined` if there is room. */
export function roomRefusal(
  lack: "disk" | "quota" | undefined,
): { status: 507; error: string } | undefined {
  return lack === undefined ? undefined : lack === "disk" ? noRoom : quotaReached;
}

/** What a server that stops tells whoever asks for something new. */
export const stoppingRefusal = {
  status: 503,
  error: "This server is leaving the ring; ask another",
} as const;

/** What to answer when the store cannot take a body now, but is not broken. */
export function storeRefusal(error: unknown): { status: 503 | 507; error: string } | undefined {
  if (error instanceof StoreFullError) return noRoom;
  if (!isPassing(error)) return undefined;
  return { status: 503, error: "This server has too many open files; try again" };
}

/**
 * What a server that stops answers to a request of a client; `undefined` for what it takes to its end:
 * the messages of other servers, and whoever asks how it is.
 */
export function stoppingAnswer(message: Incoming): ClientAnswer | undefined {
  switch (message.type) {
    case "GET":
    case "PUT":
    case "DELETE":
      return { type: message.type, item: message.item, ...stoppingRefusal };
    case "LIST":
    case "FORGET":
    case "GC":
    case "VERIFY":
      return { type: "ERROR", ...stoppingRefusal };
    default:
      return undefined;
  }
}
