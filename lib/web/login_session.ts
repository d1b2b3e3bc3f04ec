/**
 * Login sessions: what a browser that has logged in shows from then on, in a cookie (RFC 6265).
 *
 * Nothing is kept of them: a session is its end and a proof by the ring's secret, so it is good at every
 * server, and ends with the secret.
 */
import { randomBytes } from "node:crypto";
import type { Secret } from "../protocol/secret.ts";

/** How long a session lasts, in seconds: a week. */
export const sessionSeconds = 7 * 24 * 3600;

const cookieName = "ring_session";
const purpose = "ring session";

/** Scripts do not get it, and other sites do not send it. */
const attributes = "Path=/; HttpOnly; SameSite=Strict";

/**
 * What sets the cookie of a new session; `now` is milliseconds since 1970. One that was begun with HTTPS is not
 * sent in plain text.
 */
export function startSession(
  secret: Secret,
  { now, isEncrypted }: { now: number; isEncrypted: boolean },
): string {
  const end = String(Math.floor(now / 1000) + sessionSeconds);
  const nonce = randomBytes(16).toString("hex");
  const secure = isEncrypted ? "; Secure" : "";
  const value = `${end}.${nonce}.${secret.prove(purpose, [end, nonce])}`;
  return `${cookieName}=${value}; Max-Age=${sessionSeconds}; ${attributes}${secure}`;
}

/** What has the browser forget its session. */
export const endSession = `${cookieName}=; Max-Age=0; ${attributes}`;

/** Whether the cookies of a request have a session that has not ended. */
export function hasSession(cookies: string | undefined, secret: Secret, now: number): boolean {
  return (cookies ?? "").split(";").some((cookie) => {
    const [, end = "", nonce = "", proof = ""] =
      /^\s*ring_session=([0-9]{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})\s*$/.exec(cookie) ?? [];
    return Number(end) * 1000 > now && secret.verifies(proof, purpose, [end, nonce]);
  });
}
