import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { testWithNet } from "../permission.ts";
import { openSite } from "./open_site.ts";

const allow = "GET, HEAD, PUT, DELETE, OPTIONS";

testWithNet("OPTIONS tells what may be asked, of a file, a folder and the server", async () => {
  await using site = await openSite({}, { "a": "abc" });
  for (const target of ["/a", "/nothing", "/folder/", "*"]) {
    const answer = await site.ask({ method: "OPTIONS", target });
    assertEquals([answer.status, answer.header("allow")], [204, allow], target);
    assertEquals(answer.header("access-control-allow-origin"), undefined);
    assertEquals(answer.header("x-content-type-options"), "nosniff");
  }
});

testWithNet("any other method is a 405 that tells those there are", async () => {
  await using site = await openSite({}, { "a": "abc" });
  using connection = await site.connect();
  for (const method of ["POST", "PATCH", "TRACE", "PROPFIND"]) {
    const answer = await connection.ask({ method, target: "/a", body: "small" });
    assertEquals([answer.status, answer.header("allow")], [405, allow], method);
  }
  assertEquals((await site.ask({ target: "*" })).status, 405);
});

testWithNet("what is under /_ring/ can only be read, and OPTIONS says so", async () => {
  await using site = await openSite({ cors: "*" });
  const reading = "GET, HEAD, OPTIONS";
  const headers = { "Origin": "https://page.test", "Access-Control-Request-Method": "PUT" };
  for (
    const path of ["_ring", "_ring/", "_ring/page.css", "_ring/health", "_ring/events", "_ring/a"]
  ) {
    const target = `/${path}`;
    const options = await site.ask({ method: "OPTIONS", target, headers });
    assertEquals([options.status, options.header("allow")], [204, reading], target);
    assert(options.fields.every(([name]) => !name.startsWith("access-control-")));
    assertEquals(options.header("x-content-type-options"), "nosniff");
    for (const method of ["PUT", "DELETE", "POST"]) {
      const answer = await site.ask({ method, target, body: "x" });
      assertEquals([answer.status, answer.header("allow")], [405, reading], `${method} ${target}`);
      assertEquals(answer.header("content-type"), "application/problem+json");
    }
  }
  assertEquals(site.backend.asked, []);
});

testWithNet("a folder cannot be put or deleted", async () => {
  await using site = await openSite({}, { "f/a": "abc" });
  for (const target of ["/f/", "/", "/g/"]) {
    assertEquals((await site.ask({ method: "PUT", target, body: "x" })).status, 409);
    assertEquals((await site.ask({ method: "DELETE", target })).status, 409);
  }
  assertEquals(site.backend.asked, []);
});

testWithNet("a file is put, got, and deleted", async () => {
  await using site = await openSite();
  const put = await site.ask({ method: "PUT", target: "/a%20b.txt", body: "abc" });
  assertEquals([put.status, put.header("location")], [201, "/a%20b.txt"]);
  const got = await site.ask("/a%20b.txt");
  assertEquals([got.text, got.header("etag")], ["abc", put.header("etag")]);
  assertEquals((await site.ask({ method: "DELETE", target: "/a%20b.txt" })).status, 204);
  assertEquals((await site.ask("/a%20b.txt")).status, 404);
});

testWithNet("what is refused with a long body is answered, and the connection ended", async () => {
  await using site = await openSite();
  using connection = await site.connect();
  // All of it is sent before anything of the answer is read.
  const body = new Uint8Array(1_000_000);
  const answer = await connection.ask({ method: "POST", target: "/a", body });
  assertEquals([answer.status, answer.header("connection")], [405, "close"]);
  assert(await connection.isEnded());
});

testWithNet(
  "a client that was refused may send the rest of its body, and is not cut off",
  async () => {
    await using site = await openSite();
    using connection = await site.connect();
    await connection.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n");
    assertEquals((await connection.receive()).status, 405);
    for (let i = 0; i < 9; i++) {
      await connection.send(new Uint8Array(100_000));
      // The server sees it, and would have it reset.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert(await connection.isEnded());
  },
);

testWithNet("what is refused is answered even to who sends without end", async () => {
  await using site = await openSite();
  using connection = await site.connect();
  await connection.send("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const chunk = `10000\r\n${"x".repeat(65536)}\r\n`;
  const sending = (async () => {
    for (;;) await connection.send(chunk);
  })().catch(() => "refused");
  assertEquals((await connection.receive()).status, 405);
  assert(await connection.isEnded());
  assertEquals(await sending, "refused");
});

testWithNet(
  "a client that waits for 100 before its body gets the refusal, and no 100",
  async () => {
    await using site = await openSite();
    using connection = await site.connect();
    await connection.send(
      "PUT /a/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    );
    const answer = await connection.receive();
    assertEquals([answer.status, answer.interim, answer.header("connection")], [409, [], "close"]);
  },
);

testWithNet("pages of other origins may not read files unless that is wanted", async () => {
  await using site = await openSite({}, { "a": "abc" });
  const headers = { Origin: "https://page.test" };
  const answer = await site.ask({ target: "/a", headers });
  assertEquals([answer.status, answer.header("access-control-allow-origin")], [200, undefined]);
});

testWithNet("pages of the origin that is told may read every answer, and write", async () => {
  for (const cors of ["https://page.test", "*"]) {
    await using site = await openSite({ cors }, { "a": "abc" });
    const headers = { Origin: "https://page.test" };
    for (const target of ["/a", "/nothing", "/.."]) {
      const answer = await site.ask({ target, headers });
      assertEquals(answer.header("access-control-allow-origin"), cors);
      assertStringIncludes(answer.header("access-control-expose-headers") ?? "", "ETag");
    }
    const preflight = await site.ask({
      method: "OPTIONS",
      target: "/a",
      headers: {
        ...headers,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "if-match, content-type",
      },
    });
    assertEquals(preflight.status, 204);
    assertEquals(preflight.header("access-control-allow-origin"), cors);
    assertEquals(preflight.header("access-control-allow-methods"), allow);
    const allowed = preflight.header("access-control-allow-headers") ?? "";
    for (const name of ["Content-Type", "If-Match", "Range"]) assertStringIncludes(allowed, name);
    assertEquals(preflight.header("access-control-max-age"), "86400");
  }
});

testWithNet("a preflight gets no leave where no origin has it", async () => {
  await using site = await openSite();
  const headers = { "Origin": "https://page.test", "Access-Control-Request-Method": "PUT" };
  const answer = await site.ask({ method: "OPTIONS", target: "/a", headers });
  assertEquals(answer.status, 204);
  assert(answer.fields.every(([name]) => !name.startsWith("access-control-")));
});

testWithNet("a server that stops takes nothing new, and says when to try again", async () => {
  await using site = await openSite({}, { "a": "abc" });
  site.backend.isStopping = true;
  for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
    using connection = await site.connect();
    const answer = await connection.ask({ method, target: "/a" });
    assertEquals([answer.status, answer.header("retry-after")], [503, "1"]);
    assertEquals(answer.header("connection"), "close");
    assert(await connection.isEnded());
  }
  assertEquals((await site.ask("/_ring/health")).status, 200);
});

testWithNet("the ring's own pages are under /_ring/, and no file is", async () => {
  await using site = await openSite({ spa: true }, { "index.html": "app", "_rings": "file" });
  const lead = await site.ask("/_ring");
  assertEquals([lead.status, lead.header("location")], [308, "/_ring/"]);
  assertEquals((await site.ask("/_ring?a=b")).header("location"), "/_ring/?a=b");
  assertEquals((await site.ask("/_ring/")).header("content-type"), "text/html; charset=utf-8");
  assertEquals((await site.ask("/_ring/health")).status, 200);
  assertEquals((await site.ask("/_ring/nothing")).status, 404);
  assertEquals((await site.ask("/_rings")).text, "file");
  const { status } = await site.ask({ method: "PUT", target: "/%5Fring/a", body: "x" });
  assertEquals(status, 405);
  assertEquals(site.backend.asked, []);
});
