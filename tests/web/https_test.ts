/** The web server over TLS, and what it says to whoever speaks plain HTTP to it. */
import { once } from "node:events";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Secret } from "../../lib/protocol/secret.ts";
import { isEncrypted } from "../../lib/web/client_socket.ts";
import { Site } from "../../lib/web/site.ts";
import { Traffic } from "../../lib/web/traffic.ts";
import { type Handler, WebServer } from "../../lib/web/web_server.ts";
import { eventually } from "../eventually.ts";
import { Authority, needsOpenssl } from "../tls/authority.ts";
import { ask, encodeRequest, HttpConnection } from "./exchange.ts";
import { FakeBackend } from "./fake_backend.ts";

/** A web server with TLS, closed at the end of its scope. */
class Fixture implements AsyncDisposable {
  readonly traffic = new Traffic();

  private constructor(readonly web: WebServer, readonly authority: Authority) {}

  static async open(handler: Handler): Promise<Fixture> {
    const authority = await Authority.create();
    const credentials = await authority.credentials("a");
    const options = { ip: "127.0.0.1", port: 0, firstPort: 0, credentials };
    const fixture = new Fixture(await WebServer.listen(options), authority);
    fixture.web.serve(handler, fixture.traffic);
    return fixture;
  }

  connect(): Promise<HttpConnection> {
    return HttpConnection.openTls(this.web.port, this.authority.certificate);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.web.close();
    await this.authority[Symbol.asyncDispose]();
  }
}

/** Answers with what was asked and sent. */
const echo: Handler = async (request, response) => {
  let bytes = 0;
  for await (const chunk of request) bytes += chunk.length;
  const text = `${request.url} ${bytes} ${isEncrypted(request)}`;
  response.writeHead(200, { "Content-Length": text.length }).end(text);
};

Deno.test({
  name: "requests are answered over TLS, pipelined too, until the client has said all it wants to",
  ...needsOpenssl,
  fn: async () => {
    await using fixture = await Fixture.open(echo);
    using connection = await fixture.connect();
    for (const target of ["/1", "/2", "/3"]) {
      await connection.send(encodeRequest({ method: "POST", target, body: "abc" }));
    }
    await connection.endSending();
    for (const target of ["/1", "/2", "/3"]) {
      assertEquals((await connection.receive("POST")).text, `${target} 3 true`);
    }
    assert(await connection.isEnded());
  },
});

Deno.test({
  name: "plain HTTP is answered by where HTTPS is, whatever is asked, and nothing else",
  ...needsOpenssl,
  fn: async () => {
    await using fixture = await Fixture.open(echo);
    const { port } = fixture.web;
    const headers = { "Host": "ring.example:8043" };
    for (const method of ["GET", "PUT", "DELETE"]) {
      const answer = await ask(port, { method, target: "/a%20b?c=d", headers });
      assertEquals(answer.status, 308);
      assertEquals(answer.header("location"), "https://ring.example:8043/a%20b?c=d");
      assertEquals(answer.header("connection"), "close");
    }
    // What cannot be led anywhere is told so.
    using old = await HttpConnection.open(port);
    await old.send("GET / HTTP/1.0\r\n\r\n");
    assertEquals((await old.receive()).status, 400);
    assertEquals((await ask(port, { target: "http://a/b", headers })).status, 400);
  },
});

Deno.test({
  name: "an upload waits for whoever takes it, and does not fill the memory",
  ...needsOpenssl,
  fn: async () => {
    const { promise: mayRead, resolve: letRead } = Promise.withResolvers<void>();
    await using fixture = await Fixture.open(async (request, response) => {
      await mayRead;
      await echo(request, response);
    });
    using connection = await fixture.connect();
    const size = 64 * 1024 * 1024;
    await connection.send(`PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    let sent = 0;
    const chunk = new Uint8Array(64 * 1024);
    const sending = (async () => {
      for (; sent < size; sent += chunk.length) await connection.send(chunk);
    })();
    let stalledAt = -1;
    while (stalledAt !== sent) {
      stalledAt = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert(sent < size / 2, `${sent} bytes were taken that nobody had asked for`);
    letRead();
    await sending;
    assertEquals((await connection.receive("PUT")).text, `/a ${size} true`);
  },
});

Deno.test({
  name: "a client that reads nothing is not sent more than fits on the way",
  ...needsOpenssl,
  fn: async () => {
    const size = 64 * 1024 * 1024;
    let written = 0;
    await using fixture = await Fixture.open(async (_request, response) => {
      response.writeHead(200, { "Content-Length": size });
      const closed = once(response, "close");
      const chunk = new Uint8Array(64 * 1024);
      for (; written < size && !response.destroyed; written += chunk.length) {
        if (response.write(chunk)) continue;
        await Promise.race([once(response, "drain"), closed]);
      }
      response.end();
    });
    using connection = await fixture.connect();
    await connection.send(encodeRequest({ target: "/" }));
    let stalledAt = -1;
    while (stalledAt !== written || written === 0) {
      stalledAt = written;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert(written < size / 2, `${written} bytes were written`);
  },
});

Deno.test({
  name: "a server closes although clients have said nothing, or not all of a handshake",
  ...needsOpenssl,
  fn: async () => {
    await using fixture = await Fixture.open(echo);
    const open = () => Deno.connect({ hostname: "127.0.0.1", port: fixture.web.port });
    const [silent, begun] = await Promise.all([open(), open()]);
    await begun.write(new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
    // Who came after them is served.
    using connection = await fixture.connect();
    assertEquals((await connection.ask({ target: "/" })).text, "/ 0 true");
    await fixture.web.close();
    for (const conn of [silent, begun]) {
      assertEquals(await conn.read(new Uint8Array(1)).catch(() => null), null);
      conn.close();
    }
  },
});

Deno.test({
  name:
    "a header that does not come in 10 s is answered by 408, and the door stays open for others",
  ...needsOpenssl,
  fn: async () => {
    await using fixture = await Fixture.open(echo);
    using slow = await fixture.connect();
    await slow.send("GET / HT");
    // Nor may a handshake take longer, of which this is the beginning.
    using begun = await HttpConnection.open(fixture.web.port);
    await begun.send(new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
    await eventually(() => fixture.traffic.connections === 1);
    // A timer of the test's would be as long as the answer may take.
    await eventually(() => fixture.traffic.connections === 0, {
      what: "the slow client to be closed",
      withinMs: 15_000,
    });
    assertEquals((await slow.receive()).status, 408);
    assert(await begun.isEnded());
    assertEquals(fixture.traffic.refusals.counts.get("silence"), 1);
    // The door has knocked meanwhile; had nobody heard that, there would be 16 connections at the most.
    const others = await Promise.all(Array.from({ length: 40 }, () => fixture.connect()));
    for (const other of others) {
      assertEquals((await other.ask({ target: "/" })).text, "/ 0 true");
      other.close();
    }
  },
});

Deno.test({
  name: "over TLS a session's cookie is Secure, and pages that came in plain text may not write",
  ...needsOpenssl,
  fn: async () => {
    const text = Secret.generate();
    const site = new Site(new FakeBackend(), { secret: new Secret(text) });
    await using fixture = await Fixture.open((...exchange) => site.handle(...exchange, "whole"));
    using connection = await fixture.connect();
    const host = "ring.example";
    const login = (origin: string) =>
      connection.ask({
        method: "POST",
        target: "/_ring/login",
        headers: {
          "Host": host,
          "Origin": origin,
          "Content-Type": "application/x-www-form-urlencoded",
        },
        body: `secret=${text}`,
      });
    assertEquals((await login(`http://${host}`)).status, 403);
    const answer = await login(`https://${host}`);
    assertEquals(answer.status, 303);
    assertMatch(answer.header("set-cookie") ?? "", /; HttpOnly; SameSite=Strict; Secure$/);
  },
});
