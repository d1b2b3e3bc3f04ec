import { connect } from "node:net";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { encodeRequest } from "./exchange.ts";
import { echo, echoAfter, Fixture } from "./web_server_fixture.ts";

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
    await using fixture = await Fixture.open(echoAfter(gate));
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
    await using fixture = await Fixture.open(echoAfter(gate));
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
