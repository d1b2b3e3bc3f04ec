/**
 * Timed proofs: texts by which a server of the ring lets their bearer do one thing for a while.
 *
 * Nothing is kept of them: each is its end and a proof by the ring's secret, so it is good at every server,
 * and ends with the secret.
 */
import { randomBytes } from "node:crypto";
import type { Secret } from "../protocol/secret.ts";

/** What a proof is for; one for something else is none. */
export type Purpose = "ring session" | "ring ticket";

/** A proof that is good for so many seconds from `now`, in milliseconds since 1970. */
export function makeProof(
  secret: Secret,
  { purpose, seconds, now }: { purpose: Purpose; seconds: number; now: number },
): string {
  const end = String(Math.floor(now / 1000) + seconds);
  const nonce = randomBytes(16).toString("hex");
  return `${end}.${nonce}.${secret.prove(purpose, [end, nonce])}`;
}

/** Whether a text is a proof for this purpose that has not ended. */
export function isProof(
  text: string,
  secret: Secret,
  { purpose, now }: { purpose: Purpose; now: number },
): boolean {
  const [, end = "", nonce = "", proof = ""] =
    /^([0-9]{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})$/.exec(text) ?? [];
  return Number(end) * 1000 > now && secret.verifies(proof, purpose, [end, nonce]);
}
