/**
 * The gate: who may do what over HTTP.
 *
 * In a ring with a secret, writing takes it, and with `--private` reading too: as a token (RFC 6750), or by a
 * session that was begun with it. With or without a secret, pages of other sites cannot write: a browser
 * says whose page it is that asks, and programs that say nothing of the kind are no browsers.
 */
import type { IncomingMessage } from "node:http";
import type { Secret } from "../protocol/secret.ts";
import { Attempts, attemptsMs } from "./attempts.ts";
import { isEncrypted } from "./client_socket.ts";
import { hasSession } from "./login_session.ts";
import { prefersHtml, type Problem } from "./problem.ts";

/** What is asked for. */
export type Intent = "read" | "write";

/** Where a browser logs in. */
export const loginPath = "/_ring/login";

/** What {@linkcode Gate} is made of. */
export interface GateOptions {
  readonly secret?: Secret;
  /** Whether reading takes the secret too. */
  readonly isPrivate?: boolean;
  /** The origin whose pages may write, or `*`. */
  readonly cors?: string;
}

/** Judges the requests of one web front. */
export class Gate {
  readonly #options: GateOptions;
  readonly #attempts = new Attempts();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Whether everybody may read. */
  get isOpen(): boolean {
    const { secret, isPrivate = false } = this.#options;
    return secret === undefined || !isPrivate;
  }

  /** Why a request may not be done; `undefined` if it may. */
  refusalOf(request: IncomingMessage, intent: Intent): Problem | undefined {
    const problem = intent === "write" ? this.foreignness(request) : undefined;
    if (problem !== undefined) return problem;
    const { secret } = this.#options;
    if (secret === undefined || (intent === "read" && this.isOpen)) return undefined;
    if (hasSession(request.headers.cookie, secret, Date.now())) return undefined;
    const token = tokenOf(request.headers.authorization);
    return token === undefined ? unauthorized(request) : this.judgeSecret(request, token);
  }

  /** Why a write may not be done, whatever is known of the secret: the page of another site asks for it. */
  foreignness(request: IncomingMessage): Problem | undefined {
    if (!this.#isForeign(request)) return undefined;
    return { status: 403, detail: "Pages of other sites may not write here" };
  }

  /** Why a secret that was sent is not taken: it is wrong, or there were too many wrong ones. */
  judgeSecret(request: IncomingMessage, text: string): Problem | undefined {
    const client = request.socket.remoteAddress ?? "";
    const now = performance.now();
    if (this.#attempts.areTooMany(client, now)) {
      const headers = { "Retry-After": String(attemptsMs / 1000) };
      return { status: 429, detail: "Too many wrong secrets; wait a minute", headers };
    }
    if (this.#options.secret?.is(text)) return undefined;
    this.#attempts.noteWrong(client, now);
    return { ...unauthorized(request), detail: "This is not the ring's secret" };
  }

  /** Whether the page of another site asks (Fetch Metadata; the Fetch standard, section "Origin header"). */
  #isForeign(request: IncomingMessage): boolean {
    const { origin, host = "", "sec-fetch-site": site } = request.headers;
    const { cors } = this.#options;
    if (cors === "*" || (cors !== undefined && origin === cors)) return false;
    // A page that came in plain text may be anybody's.
    if (isEncrypted(request) && origin?.startsWith("http:")) return true;
    if (origin !== undefined) return hostOf(origin) !== host;
    return site !== undefined && site !== "same-origin" && site !== "none";
  }
}

function unauthorized(request: IncomingMessage): Problem {
  const detail = prefersHtml(request)
    ? `This takes the ring's secret: log in at ${loginPath}`
    : "This takes the ring's secret: send it as Authorization: Bearer";
  return { status: 401, detail, headers: { "WWW-Authenticate": 'Bearer realm="ring"' } };
}

/** The token of an `Authorization` (RFC 6750, section 2.1); `undefined` if it has none. */
function tokenOf(authorization: string | undefined): string | undefined {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? "")?.[1];
}

/** The host and port of an origin; of `null`, and of what is none, nothing that a host is equal to. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
