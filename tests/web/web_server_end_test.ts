import { connect } from "node:net";
import { assert, assertEquals } from "@std/assert";
import { Admission, connectionsDefault } from "../../lib/web/admission.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { encodeRequest, HttpConnection } from "./exchange.ts";
import { echo, echoAfter, Fixture } from "./web_server_fixture.ts";

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
    await using fixture = await Fixture.open(echoAfter(gate));
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
