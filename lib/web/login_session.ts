/** Login sessions: what a browser that has logged in shows from then on, in a cookie (RFC 6265). */
import type { Secret } from "../protocol/secret.ts";
import { isProof, makeProof } from "./timed_proof.ts";

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
  const value = makeProof(secret, { purpose, seconds: sessionSeconds, now });
  const secure = isEncrypted ? "; Secure" : "";
  return `${cookieName}=${value}; Max-Age=${sessionSeconds}; ${attributes}${secure}`;
}

/** What has the browser forget its session. */
export const endSession = `${cookieName}=; Max-Age=0; ${attributes}`;

/** Whether the cookies of a request have a session that has not ended. */
export function hasSession(cookies: string | undefined, secret: Secret, now: number): boolean {
  return (cookies ?? "").split(";").some((cookie) => {
    const [name, value = ""] = cookie.trim().split("=", 2);
    return name === cookieName && isProof(value, secret, { purpose, now });
  });
}
