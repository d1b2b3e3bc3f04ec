/** A site that listens on free ports, over a fake backend. */
import type { Side } from "../../lib/web/side.ts";
import { Site } from "../../lib/web/site.ts";
import type { WebOptions } from "../../lib/web/web_options.ts";
import { WebServer } from "../../lib/web/web_server.ts";
import { ask, type HttpAnswer, HttpConnection, type HttpRequest } from "./exchange.ts";
import { FakeBackend } from "./fake_backend.ts";

/** A site under test; closed at the end of its scope, with `await using`. */
export interface OpenSite {
  readonly backend: FakeBackend;
  readonly site: Site;
  /** Where the files are. */
  readonly port: number;
  /** Where `/_ring/` is: at the same port, unless it has one of its own. */
  readonly ringPort: number;
  /** Sends one request on a connection of its own; a text is the target of a GET. */
  ask(request: HttpRequest | string): Promise<HttpAnswer>;
  /** Sends one to where `/_ring/` is. */
  askRing(request: HttpRequest | string): Promise<HttpAnswer>;
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
  const sides: readonly Side[] = options.ringHttpPort === undefined ? ["whole"] : ["files", "ring"];
  const webs = await Promise.all(
    sides.map(() => WebServer.listen({ ip: "127.0.0.1", port: 0, firstPort: 0 })),
  );
  const [port = 0, ringPort = port] = webs.map(({ port }) => port);
  backend.files = `http://127.0.0.1:${port}/`;
  backend.web = `http://127.0.0.1:${ringPort}/`;
  const site = new Site(backend, options);
  webs.forEach((web, index) => {
    const side = sides[index] ?? "whole";
    web.serve((...exchange) => site.handle(...exchange, side), backend.activity.traffic);
  });
  return {
    backend,
    site,
    port,
    ringPort,
    ask: (request) => ask(port, request),
    askRing: (request) => ask(ringPort, request),
    connect: () => HttpConnection.open(port),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(webs.map((web) => web.close()));
    },
  };
}
