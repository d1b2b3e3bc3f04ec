/** A site that listens on a free port, over a fake backend. */
import { Site } from "../../lib/web/site.ts";
import type { WebOptions } from "../../lib/web/web_options.ts";
import { WebServer } from "../../lib/web/web_server.ts";
import { ask, type HttpAnswer, HttpConnection, type HttpRequest } from "./exchange.ts";
import { FakeBackend } from "./fake_backend.ts";

/** A site under test; closed at the end of its scope, with `await using`. */
export interface OpenSite {
  readonly backend: FakeBackend;
  readonly site: Site;
  readonly port: number;
  /** Sends one request on a connection of its own; a text is the target of a GET. */
  ask(request: HttpRequest | string): Promise<HttpAnswer>;
  /** Opens a connection. */
  connect(): Promise<HttpConnection>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens a site, with `files` in its store. */
export async function openSite(
  options: WebOptions = {},
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<OpenSite> {
  const backend = new FakeBackend();
  for (const [name, content] of Object.entries(files)) backend.put(name, content);
  const web = await WebServer.listen({ ip: "127.0.0.1", port: 0, firstPort: 0 });
  const { port } = web;
  backend.web = `http://127.0.0.1:${port}/`;
  const site = new Site(backend, options);
  web.serve((request, response) => site.handle(request, response), backend.activity.traffic);
  return {
    backend,
    site,
    port,
    ask: (request) => ask(port, request),
    connect: () => HttpConnection.open(port),
    [Symbol.asyncDispose]: () => web.close(),
  };
}
