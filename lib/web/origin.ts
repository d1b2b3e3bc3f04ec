/** Origins: where a client finds another port of this server. */
import type { IncomingMessage } from "node:http";

/**
 * The origin of `url`, one of this server's, at the host by which the client has found the server: it may
 * have a session there.
 */
export function originFor({ headers: { host = "" } }: IncomingMessage, url: string): string {
  const found = new URL(url);
  const asked = `http://${host}`;
  if (URL.canParse(asked)) found.hostname = new URL(asked).hostname;
  return found.origin;
}
