import { connect } from "node:net";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Admission, connectionsDefault } from "../../lib/web/admission.ts";
import { type Handler, WebServer } from "../../lib/web/web_server.ts";
import { Traffic } from "../../lib/web/traffic.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { encodeRequest, HttpConnection } from "./exchange.ts";

/** A web server under test, closed at the end of its scope. */
class Fixture implements AsyncDisposable {
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
const echo: Handler = async (request, response) => {
  if (request.destroyed) return;
  let bytes = 0;
  for await (const chunk of request) bytes += chunk.length;
  const text = `${request.url} ${bytes}`;
  response.writeHead(200, { "Content-Length": text.length }).end(text);
};

Deno.test({
  name: "pipelined requests are worked on one after the other, and answered in order",
  ...needs("net"),
  fn: async () => {
    let underWay = 0;
    await using fixture = await Fixture.open(async (request, response) => {
      assertEquals(++underWay, 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      underWay--;
      await echo(request, response);
    });
    using connection = await fixture.connect();
    const targets = Array.from({ length: 10 }, (_, index) => `/${index}`);
    for (const target of targets) {
      await connection.send(encodeRequest({ method: "POST", target, body: "abc" }));
    }
    for (const target of targets) {
      assertEquals((await connection.receive("POST")).text, `${target} 3`);
    }
  },
});

Deno.test({
  name: "a flood of pipelined requests closes its connection, and no other",
  ...needs("net"),
  fn: async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    await using fixture = await Fixture.open(async (request, response) => {
      if (request.url === "/flood") await gate;
      await echo(request, response);
    });
    using other = await fixture.connect();
    using flood = await fixture.connect();
    const request = new TextDecoder().decode(encodeRequest({ target: "/flood" }));
    await flood.send(request.repeat(400));
    assert(await flood.isEnded());
    assertEquals((await other.ask({ target: "/other" })).text, "/other 0");
    open();
  },
});

Deno.test({
  name: "HTTP/1.0 is answered, and its connection kept only if the client asks",
  ...needs("net"),
  fn: async () => {
    await using fixture = await Fixture.open(echo);
    using closing = await fixture.connect();
    await closing.send("GET /a HTTP/1.0\r\n\r\n");
    assertEquals((await closing.receive()).header("connection"), "close");
    assert(await closing.isEnded());
    using kept = await fixture.connect();
    for (const target of ["/b", "/c"]) {
      await kept.send(`GET ${target} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`);
      assertEquals((await kept.receive()).text, `${target} 0`);
    }
  },
});

const noRequests: [string, string, number][] = [
  ["garbage", "hello\r\n\r\n", 400],
  ["a header field without a colon", "GET / HTTP/1.1\r\nHost: a\r\nx y\r\n\r\n", 400],
  [
    "two lengths",
    "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
    400,
  ],
  [
    "a length and a coding",
    "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    400,
  ],
  ["a NUL in its target", "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["no Host", "GET / HTTP/1.1\r\n\r\n", 400],
  ["two fields Host", "GET / HTTP/1.1\r\nHost: a\r\nHOST: a\r\n\r\n", 400],
  ["a Host that is none", "GET / HTTP/1.1\r\nHost: a b/c\r\n\r\n", 400],
  ["two fields Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400],
  ["101 fields", `GET / HTTP/1.1\r\nHost: a\r\n${"X: x\r\n".repeat(100)}\r\n`, 431],
  [
    "a coding that is not understood",
    "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    501,
  ],
  ["another version of HTTP", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505],
  ["a tunnel as its aim", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 405],
  ["a long header", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(17_000)}\r\n\r\n`, 431],
];
for (const [what, bytes, status] of noRequests) {
  Deno.test({
    name: `what has ${what} is answered by ${status}, and the connection closed`,
    ...needs("net"),
    fn: async () => {
      await using fixture = await Fixture.open(echo);
      using connection = await fixture.connect();
      await connection.send(bytes);
      const answer = await connection.receive();
      assertEquals([answer.status, answer.header("connection")], [status, "close"]);
      assertEquals(answer.header("content-type"), "application/problem+json");
      assertEquals(answer.header("x-content-type-options"), "nosniff");
      assert(await connection.isEnded());
      using other = await fixture.connect();
      assertEquals((await other.ask({ target: "/" })).status, 200);
    },
  });
}

Deno.test({
  name: "what the parser refuses is counted by its status, and a broken body by its method",
  ...needs("net"),
  fn: async () => {
    await using fixture = await Fixture.open((request, response) =>
      echo(request, response).catch(() => {})
    );
    const refused = [
      "hello\r\n\r\n",
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(17_000)}\r\n\r\n`,
      "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n\r\nhello\r\n\r\n",
      "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nBREW / HTTP/1.1\r\n\r\n",
    ];
    for (const bytes of refused) {
      using connection = await fixture.connect();
      await connection.send(bytes);
      while (await connection.read() !== undefined);
    }
    await eventually(() => fixture.traffic.connections === 0, { what: "the connections to end" });
    assertEquals(Object.fromEntries(fixture.traffic.answered), {
      "OTHER 400": 2,
      "OTHER 431": 1,
      "OTHER 405": 1,
      "GET 200": 1,
      "PUT 400": 1,
    });
  },
});

const unknownMethods: [string, string][] = [
  ["BREW", ""],
  ["FOO", ""],
  ["get", ""],
  ["GETX", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
];
for (const [method, before] of unknownMethods) {
  Deno.test({
    name: `${method}, a method nobody knows, is answered by 405${before && ", after a request"}`,
    ...needs("net"),
    fn: async () => {
      await using fixture = await Fixture.open(echo);
      using connection = await fixture.connect();
      await connection.send(`${before}${method} /a HTTP/1.1\r\nHost: a\r\n\r\n`);
      if (before !== "") assertEquals((await connection.receive()).status, 200);
      const answer = await connection.receive();
      assertEquals([answer.status, answer.header("connection")], [405, "close"]);
      assertEquals(answer.header("allow"), "GET, HEAD, PUT, DELETE, OPTIONS");
      assertEquals(answer.header("content-type"), "application/problem+json");
      assert(await connection.isEnded());
    },
  });
}

Deno.test({
  name: "a client that resets its connection after a CONNECT harms nobody",
  ...needs("net"),
  fn: async () => {
    await using fixture = await Fixture.open(echo);
    const socket = connect(fixture.web.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n");
    await eventually(() => socket.bytesRead > 0, { what: "the answer" });
    socket.resetAndDestroy();
    await eventually(() => fixture.traffic.connections === 0, { what: "the end" });
    using other = await fixture.connect();
    assertEquals((await other.ask({ target: "/" })).status, 200);
  },
});

Deno.test({
  name: "a header of 100 fields is seen to its last one",
  ...needs("net"),
  fn: async () => {
    await using fixture = await Fixture.open(async (request, response) => {
      await Promise.resolve();
      response.end(request.headers["last"]);
    });
    using connection = await fixture.connect();
    const fields = "X: x\r\n".repeat(98);
    await connection.send(`GET / HTTP/1.1\r\nHost: a\r\n${fields}Last: seen\r\n\r\n`);
    assertEquals((await connection.receive()).text, "seen");
  },
});

Deno.test({
  name: "an expectation that nobody knows is left out of account",
  ...needs("net"),
  fn: async () => {
    await using fixture = await Fixture.open(echo);
    using connection = await fixture.connect();
    const headers = { "Expect": "much" };
    assertEquals((await connection.ask({ target: "/a", headers })).text, "/a 0");
  },
});

Deno.test({
  name: "a client that has stopped sending gets the answers that it waits for",
  ...needs("net"),
  fn: async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    await using fixture = await Fixture.open(async (request, response) => {
      await gate;
      await echo(request, response);
    });
    using connection = await fixture.connect();
    await connection.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    await connection.send("PUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    await connection.endSending();
    // Answered while nobody knows yet that nothing more comes, it would prove nothing.
    await fixture.connect().then((other) => other.close());
    setTimeout(open, 20);
    assertEquals((await connection.receive()).text, "/a 0");
    assertEquals((await connection.receive()).text, "/b 3");
    assert(await connection.isEnded());
  },
});

Deno.test({
  name: "a body that cannot be read, and a tunnel, are refused after the requests before them",
  ...needs("net"),
  fn: async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    await using fixture = await Fixture.open(async (request, response) => {
      await gate;
      await echo(request, response);
    });
    using connection = await fixture.connect();
    await connection.send(
      "GET /a HTTP/1.1\r\nHost: a\r\n\r\n" +
        "PUT /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    );
    using tunnel = await fixture.connect();
    await tunnel.send(
      "GET /a HTTP/1.1\r\nHost: a\r\n\r\nCONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
    );
    setTimeout(open, 20);
    for (const [refused, status] of [[connection, 400], [tunnel, 405]] as const) {
      assertEquals((await refused.receive()).text, "/a 0");
      assertEquals((await refused.receive()).status, status);
      assert(await refused.isEnded());
    }
  },
});

Deno.test({
  name: "what is no request is answered after the requests before it",
  ...needs("net"),
  fn: async () => {
    await using fixture = await Fixture.open(async (request, response) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await echo(request, response);
    });
    using connection = await fixture.connect();
    await connection.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\nhello\r\n\r\n");
    assertEquals((await connection.receive()).text, "/a 0");
    const refused = await connection.receive();
    assertEquals(refused.status, 400);
    assertStringIncludes(refused.text, "not a request");
  },
});

Deno.test({
  name: "a header that does not come in 10 s is answered by 408, and holds up nobody",
  ...needs("net"),
  fn: async () => {
    await using fixture = await Fixture.open(echo);
    using slow = await fixture.connect();
    await slow.send("GET / HTTP/1.1\r\nHo");
    using other = await fixture.connect();
    assertEquals((await other.ask({ target: "/" })).status, 200);
    // A timer of the test's would be as long as the answer may take.
    await eventually(() => fixture.traffic.connections === 1, {
      what: "the slow client to be closed",
      withinMs: 15_000,
    });
    assertEquals((await slow.receive()).status, 408);
  },
});

Deno.test({
  name: "a transfer that stands still is closed; one that is slow, and one that waits, are not",
  ...needs("net"),
  fn: async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    await using fixture = await Fixture.open(async (request, response) => {
      if (request.url === "/large") return void response.end(new Uint8Array(32 * 1024 * 1024));
      if (request.url === "/waiting") await gate;
      await echo(request, response).catch(() => {});
    }, { stallMs: 1500 });
    const { traffic } = fixture;
    using idle = await fixture.connect();
    using waiting = await fixture.connect();
    await waiting.send(encodeRequest({ target: "/waiting" }));
    using slow = await fixture.connect();
    await slow.send("PUT /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
    using silent = await fixture.connect();
    await silent.send("PUT /silent HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx");
    using deaf = await fixture.connect();
    await deaf.send(encodeRequest({ target: "/large" }));
    await eventually(() => traffic.connections === 5, { what: "all connections" });
    let sent = 0;
    await eventually(async () => {
      await slow.send("x");
      sent++;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return traffic.connections === 3;
    }, { what: "two of them to be closed" });
    assertEquals(traffic.refusals.counts.get("silence"), 2);
    await slow.send("x".repeat(1000 - sent));
    open();
    assertEquals((await slow.receive("PUT")).text, "/slow 1000");
    assertEquals((await waiting.receive()).text, "/waiting 0");
    assertEquals((await idle.ask({ target: "/idle" })).text, "/idle 0");
    assert(await silent.isEnded());
  },
});

const answeredEarly: [string, string][] = [
  ["a GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"],
  ["a GET in chunks", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["a POST", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"],
];
for (const [what, bytes] of answeredEarly) {
  Deno.test({
    name: `the rest of ${what} that was answered before its body is not waited for`,
    ...needs("net"),
    fn: async () => {
      await using fixture = await Fixture.open((_, response) => {
        response.end("early");
        return Promise.resolve();
      }, { stallMs: 100 });
      using connection = await fixture.connect();
      await connection.send(bytes);
      assertEquals((await connection.receive()).text, "early");
      await eventually(() => fixture.traffic.connections === 0, { what: "the end" });
      assert(await connection.isEnded());
    },
  });
}

Deno.test({
  name: `${connectionsDefault} clients are served at a time, and those beyond are closed`,
  ignore: needs("net").ignore || Deno.build.os !== "linux",
  fn: async () => {
    await using fixture = await Fixture.open(echo, {
      admission: new Admission({ perAddressMax: 0 }),
    });
    const connections: HttpConnection[] = [];
    try {
      while (connections.length < connectionsDefault) connections.push(await fixture.connect());
      await eventually(() => fixture.traffic.connections === connectionsDefault, {
        what: "all connections to be accepted",
      });
      using beyond = await fixture.connect();
      assert(await beyond.isEnded());
      assertEquals(fixture.traffic.refusals.counts.get("connections"), 1);
      for (const connection of [connections[0], connections.at(-1)]) {
        assertEquals((await connection?.ask({ target: "/" }))?.status, 200);
      }
      connections.pop()?.close();
      await eventually(() => fixture.traffic.connections < connectionsDefault, { what: "room" });
      using again = await fixture.connect();
      assertEquals((await again.ask({ target: "/" })).status, 200);
    } finally {
      for (const connection of connections) connection.close();
    }
  },
});

Deno.test({
  name: "a connection on which no further request comes is closed, and others are not",
  ...needs("net"),
  fn: async () => {
    await using fixture = await Fixture.open(echo, { idleMs: 200 });
    using idle = await fixture.connect();
    using bystander = await fixture.connect();
    assertEquals((await idle.ask({ target: "/" })).status, 200);
    let isClosed = false;
    const closing = idle.isEnded().then(() => isClosed = true);
    await eventually(async () => {
      assertEquals((await bystander.ask({ target: "/" })).status, 200);
      return isClosed;
    }, { what: "the idle connection to be closed" });
    await closing;
  },
});

Deno.test({
  name: "drain() ends idle connections, and busy ones when they have their answers",
  ...needs("net"),
  fn: async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    await using fixture = await Fixture.open(async (request, response) => {
      await gate;
      await echo(request, response);
    });
    using idle = await fixture.connect();
    using busy = await fixture.connect();
    await busy.send(encodeRequest({ target: "/a" }));
    await eventually(() => fixture.web.underWay === 1, { what: "the request" });
    await eventually(() => fixture.traffic.connections === 2, { what: "both connections" });
    fixture.web.drain();
    assert(await idle.isEnded());
    open();
    const answer = await busy.receive();
    assertEquals([answer.text, answer.header("connection")], ["/a 0", "close"]);
    assert(await busy.isEnded());
    assertEquals(fixture.web.underWay, 0);
    const failure = await fixture.connect().then(() => undefined, (error: unknown) => error);
    assert(failure instanceof Deno.errors.ConnectionRefused);
  },
});

Deno.test({
  name: "close() lets an answer that is complete reach the client, and cuts what is not",
  ...needs("net"),
  fn: async () => {
    // More than the system's buffers hold.
    const body = new Uint8Array(32 * 1024 * 1024);
    await using fixture = await Fixture.open((request, response) => {
      response.writeHead(200, { "Content-Length": body.length });
      if (request.url === "/complete") response.end(body);
      else response.write("x");
      return Promise.resolve();
    });
    using complete = await fixture.connect();
    using endless = await fixture.connect();
    await complete.send(encodeRequest({ target: "/complete" }));
    await endless.send(encodeRequest({ target: "/endless" }));
    assertEquals((await endless.receiveHead()).status, 200);
    assertEquals((await complete.receiveHead()).status, 200);
    const closed = fixture.web.close();
    let received = 0;
    for (let chunk = await complete.read(); chunk; chunk = await complete.read()) {
      received += chunk.length;
    }
    assertEquals(received, body.length);
    await closed;
    await endless.read();
    assert(await endless.isEnded());
  },
});

Deno.test({
  name: "requests, bytes and connections are counted, also of a client that goes away",
  ...needs("net"),
  fn: async () => {
    await using fixture = await Fixture.open(async (request, response) => {
      if (request.url !== "/never") await echo(request, response);
    });
    const { traffic } = fixture;
    {
      using connection = await fixture.connect();
      await connection.ask({ method: "PUT", target: "/a", body: "x".repeat(1000) });
      await connection.ask({ target: "/a" });
      await connection.send("BREW / HTTP/1.1\r\n\r\n");
      await connection.receive();
    }
    {
      const socket = connect(fixture.web.port, "127.0.0.1");
      socket.write(encodeRequest({ target: "/never" }));
      await eventually(() => fixture.web.underWay === 1, { what: "the request" });
      socket.resetAndDestroy();
    }
    await eventually(() => traffic.connections === 0, { what: "the connections to end" });
    assertEquals(Object.fromEntries(traffic.answered), {
      "PUT 200": 1,
      "GET 200": 1,
      "GET 499": 1,
      "OTHER 405": 1,
    });
    assertEquals([traffic.requests, traffic.puts, traffic.gets], [4, 1, 2]);
    assert(traffic.bytesReceived > 1000 && traffic.bytesSent > 200);
  },
});
