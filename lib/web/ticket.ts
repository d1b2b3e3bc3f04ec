/**
 * Tickets: what the page of one server shows to the others, to hear what they see.
 *
 * A browser asks them for the page of one server, wherever that was opened, and so without a session of
 * theirs. Whoever may read the status of one server gets a ticket with it, and that is good for listening
 * at any, and for nothing else.
 */
import type { Secret } from "../protocol/secret.ts";
import { isProof, makeProof } from "./timed_proof.ts";

/** How long a ticket is good for, in seconds; it is in a URL, which more may see than should. */
export const ticketSeconds = 3600;

const purpose = "ring ticket";

/** A new ticket; `now` is milliseconds since 1970. */
export function issueTicket(secret: Secret, now: number): string {
  return makeProof(secret, { purpose, seconds: ticketSeconds, now });
}

/** Whether a text is a ticket that is still good. */
export function isTicket(text: string, secret: Secret, now: number): boolean {
  return isProof(text, secret, { purpose, now });
}
