/** What went wrong with a connection, for messages. */
import { ConnectionError } from "../protocol/connection.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";

/** Why a connection could not be made, in a few words. */
export function connectReason(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "nobody listens there";
  return messageOf(error);
}

/** Why a connection broke, in a few words. */
export function reasonOf(error: unknown): string {
  if (error instanceof ProtocolError) return `its answer makes no sense: ${error.message}`;
  if (error instanceof ConnectionError && error.cause !== undefined) return messageOf(error.cause);
  return messageOf(error);
}

/** What an error says, in lower case, and without the number that the system gives it. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const text = message.replace(/ \(os error \d+\)/, "");
  return text.charAt(0).toLowerCase() + text.slice(1);
}
