/** The fixture of the web server's tests: one that listens, and what it does with requests. */
import type { Admission } from "../../lib/web/admission.ts";
import { Traffic } from "../../lib/web/traffic.ts";
import { type Handler, WebServer } from "../../lib/web/web_server.ts";
import { HttpConnection } from "./exchange.ts";

/** A web server under test, closed at the end of its scope. */
export class Fixture implements AsyncDisposable {
  readonly traffic = new Traffic();
  private constructor(readonly web: WebServer) {}

  static async open(
    handler: Handler,
    options: { stallMs?: number; idleMs?: number; admission?: Admission } = {},
  ): Promise<Fixture> {
    const fixture = new Fixture(
      await WebServer.listen({ ip: "127.0.0.1", port: 0, firstPort: 0, ...options }),
    );
    fixture.web.serve(handler, fixture.traffic);
    return fixture;
  }

  connect(): Promise<HttpConnection> {
    return HttpConnection.open(this.web.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.web.close();
  }
}

/** Answers with what was asked and sent, if there still is somebody. */
export const echo: Handler = async (request, response) => {
  if (request.destroyed) return;
  let bytes = 0;
  for await (const chunk of request) bytes += chunk.length;
  const text = `${request.url} ${bytes}`;
  response.writeHead(200, { "Content-Length": text.length }).end(text);
};

/** Answers like `echo`, when it may. */
export function echoAfter(gate: Promise<void>): Handler {
  return async (request, response) => {
    await gate;
    await echo(request, response);
  };
}
