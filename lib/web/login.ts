/** The login: a form that takes the ring's secret, and gives the browser a session for it. Works without scripts. */
import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Secret } from "../protocol/secret.ts";
import { isEncrypted } from "./client_socket.ts";
import type { Gate } from "./gate.ts";
import { endSession, hasSession, startSession } from "./login_session.ts";
import { escapeHtml, type Problem, sendProblem } from "./problem.ts";
import { BodyError, readBody } from "./request_body.ts";
import type { Exchange } from "./send_body.ts";

/** The longest form, in bytes. */
const formBytesMax = 8192;

/** Where a browser goes when it has logged in or out. */
const pagePath = "/_ring/";

const contentSecurityPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** Logs browsers in and out. */
export class Login {
  readonly #gate: Gate;
  readonly #secret: Secret | undefined;

  constructor(gate: Gate, secret: Secret | undefined) {
    this.#gate = gate;
    this.#secret = secret;
  }

  /** Answers a request for `path`, without a slash before it; `false` if it is not the login's. */
  async handle(exchange: Exchange, path: string): Promise<boolean> {
    const { request, response } = exchange;
    if (this.#secret === undefined || !/^_ring\/log(in|out)$/.test(path)) return false;
    const isIn = path === "_ring/login";
    if (isIn && (request.method === "GET" || request.method === "HEAD")) {
      const isKnown = hasSession(request.headers.cookie, this.#secret, Date.now());
      if (isKnown) send(exchange, 200, sessionHtml);
      else sendForm(exchange, 200, "");
    } else if (request.method !== "POST") {
      const headers = { "Allow": isIn ? "GET, HEAD, POST" : "POST" };
      sendProblem(request, response, { status: 405, headers });
    } else await this.#post(exchange, isIn ? this.#secret : undefined);
    return true;
  }

  /** Logs in if there is a secret to know, and else out. */
  async #post(exchange: Exchange, secret: Secret | undefined): Promise<void> {
    const { request, response } = exchange;
    const form = await readForm(request);
    const problem = form instanceof URLSearchParams ? this.#judge(request, form, secret) : form;
    if (problem?.status === 401) return sendForm(exchange, 401, "That is not the ring's secret.");
    if (problem !== undefined) return sendProblem(request, response, problem);
    const cookie = secret === undefined
      ? endSession
      : startSession(secret, { now: Date.now(), isEncrypted: isPageEncrypted(request) });
    response.writeHead(303, { "Location": pagePath, "Set-Cookie": cookie, "Content-Length": "0" });
    response.end();
  }

  #judge(
    request: IncomingMessage,
    form: URLSearchParams,
    secret: Secret | undefined,
  ): Problem | undefined {
    // Whose pages may write files may not log in for that: this form is the ring's.
    const problem = this.#gate.foreignness(request, "ring");
    if (problem !== undefined || secret === undefined) return problem;
    return this.#gate.judgeSecret(request, (form.get("secret") ?? "").trim());
  }
}

/** Whether the browser has its page by HTTPS: from here, or from a proxy that speaks plain HTTP to here. */
function isPageEncrypted(request: IncomingMessage): boolean {
  return isEncrypted(request) || (request.headers.origin ?? "").startsWith("https:");
}

/** What a form says, or why it cannot be read. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams | Problem> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of readBody(request, { size: undefined, bytesMax: formBytesMax })) {
      chunks.push(chunk);
    }
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    return { status: error.kind === "tooLarge" ? 413 : 400, detail: "The form cannot be read" };
  }
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

function sendForm(exchange: Exchange, status: number, error: string): void {
  send(exchange, status, formHtml(error));
}

function send({ request, response }: Exchange, status: number, html: string): void {
  const body = new TextEncoder().encode(html);
  response.writeHead(status, {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Length": String(body.length),
    "Content-Security-Policy": contentSecurityPolicy,
    "Cache-Control": "no-store",
    // Under no-referrer a browser would not say whose form it is.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** What who has a session gets instead of the form. */
const sessionHtml = pageHtml(
  "Logged in to the ring",
  `<form method="post" action="/_ring/logout">
<h1>You are logged in</h1>
<p>This browser may write to the ring for up to a week. <a href="/_ring/">Back to the ring</a></p>
<p><button>Log out</button></p>
</form>
`,
);

function formHtml(error: string): string {
  return pageHtml(
    "Log in to the ring",
    `<form method="post" action="/_ring/login">
<h1>Log in to the ring</h1>
<p><label for="secret">The ring's secret, from the file that its servers were started with</label></p>
<p><input id="secret" name="secret" type="password" autocomplete="current-password" required autofocus></p>
<p role="alert">${escapeHtml(error)}</p>
<p><button>Log in</button></p>
</form>
`,
  );
}

function pageHtml(title: string, form: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="stylesheet" href="/_ring/page.css">
<link rel="stylesheet" href="/_ring/panels.css">
<main class="login">
${form}</main>
</html>
`;
}
