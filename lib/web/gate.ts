/**
 * The gate: who may do what over HTTP.
 *
 * In a ring with a secret, writing takes it, and with `--private` reading too: as a token (RFC 6750), or by a
 * session that was begun with it. With or without a secret, pages of other sites cannot write: a browser
 * says whose page it is that asks, and programs that say nothing of the kind are no browsers. Where no
 * secret is asked for, a site might still have its own name point to this server, and so make its page look
 * like ours: such a name is not answered to.
 */
import type { IncomingMessage } from "node:http";
import type { Secret } from "../protocol/secret.ts";
import { Attempts, attemptsMs } from "./attempts.ts";
import { isEncrypted } from "./client_socket.ts";
import { hasSession } from "./login_session.ts";
import { originFor } from "./origin.ts";
import { prefersHtml, type Problem } from "./problem.ts";
import type { Side } from "./side.ts";

/** What is asked for. */
export type Intent = "read" | "write";

/** Where a browser logs in. */
export const loginPath = "/_ring/login";

/** What {@linkcode Gate} is made of. */
export interface GateOptions {
  readonly secret?: Secret;
  /** Whether reading takes the secret too. */
  readonly isPrivate?: boolean;
  /** The origin whose pages may write files, or `*`. */
  readonly cors?: string;
  /** Where others find what is under `/_ring/`, as `http://host:port/`. */
  readonly web: string;
}

/** Names that nobody can have point to a machine of others: those that no public name server answers for. */
const privateName = /^[^.]+$|\.(localhost|local|internal|home\.arpa)$/;

/** An address, as it stands in a URL. */
const ipAddress = /^(\d+\.){3}\d+$|^\[/;

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
  refusalOf(request: IncomingMessage, intent: Intent, side: Side): Problem | undefined {
    const problem = intent === "write" ? this.foreignness(request, side) : undefined;
    if (problem !== undefined) return problem;
    const { secret } = this.#options;
    if (secret === undefined || (intent === "read" && this.isOpen)) return undefined;
    const takesSession = side !== "files" || intent === "read";
    if (takesSession && hasSession(request.headers.cookie, secret, Date.now())) return undefined;
    const token = tokenOf(request.headers.authorization);
    if (token !== undefined) return this.judgeSecret(request, token);
    return takesSession ? this.#askToLogIn(request, side) : unauthorized();
  }

  /** Why a write may not be done, whatever is known of the secret: the page of another site asks for it. */
  foreignness(request: IncomingMessage, side: Side): Problem | undefined {
    if (side !== "ring" && this.#isAllowed(request)) return undefined;
    if (isForeign(request)) {
      return { status: 403, detail: "Pages of other sites may not write here" };
    }
    if (this.#options.secret !== undefined || this.#isKnownAs(request)) return undefined;
    return {
      status: 403,
      detail:
        "Without a secret, pages may write only where this server is found by its IP address or a " +
        "name of its own: another name may have been made to point here",
    };
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
    return { ...unauthorized(), detail: "This is not the ring's secret" };
  }

  /** Whether it is a page that the operator lets write. */
  #isAllowed({ headers: { origin } }: IncomingMessage): boolean {
    const { cors } = this.#options;
    return cors === "*" || (cors !== undefined && origin === cors);
  }

  /** Whether a browser, if it is one, asks for this server by a name that nobody else can give it. */
  #isKnownAs({ headers }: IncomingMessage): boolean {
    const { origin, host = "", "sec-fetch-site": site } = headers;
    if (origin === undefined && site === undefined) return true;
    const url = `http://${host}`;
    const name = URL.canParse(url) ? new URL(url).hostname : "";
    const own = new URL(this.#options.web).hostname;
    return ipAddress.test(name) || privateName.test(name) || name === own;
  }

  /** Asks for the secret where a session would do: tells a browser where to begin one. */
  #askToLogIn(request: IncomingMessage, side: Side): Problem {
    if (!prefersHtml(request)) return unauthorized();
    const origin = side === "files" ? originFor(request, this.#options.web) : "";
    const detail = `This takes the ring's secret: log in at ${origin}${loginPath}`;
    return { ...unauthorized(), detail };
  }
}

/**
 * Whether the page of another site asks. What a browser says of it itself counts (Fetch Metadata), also
 * behind a proxy that changes the host; where it says nothing, as to a server without TLS, its page must
 * have the host that was asked for (the Fetch standard, section "Origin header").
 */
function isForeign(request: IncomingMessage): boolean {
  const { origin, host = "", "sec-fetch-site": site } = request.headers;
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  if (origin === undefined) return false;
  // A page that came in plain text may be anybody's.
  if (isEncrypted(request) && origin.startsWith("http:")) return true;
  return hostOf(origin) !== host;
}

function unauthorized(): Problem {
  const detail = "This takes the ring's secret: send it as Authorization: Bearer";
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
