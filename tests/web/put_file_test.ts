import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { bytesOf, sha256Of } from "../storage/sample.ts";
import { encodeRequest } from "./exchange.ts";
import { openSite } from "./open_site.ts";

const small = bytesOf(1000);
const large = bytesOf(200_000);

for (const [size, body] of [["small", small], ["large", large], ["empty", bytesOf(0)]] as const) {
  Deno.test({
    name: `a ${size} file that is put is answered by 201, and when it is replaced by 204`,
    ...needs("net"),
    fn: async () => {
      await using site = await openSite();
      const first = await site.ask({ method: "PUT", target: "/a%20b.txt", body });
      assertEquals(first.status, 201, first.text);
      assertEquals(first.header("location"), "/a%20b.txt");
      assertEquals(first.header("etag"), `"${sha256Of(body)}"`);
      assertEquals(first.header("ring-copies"), "3");
      assertEquals(first.header("last-modified"), "Tue, 14 Nov 2023 22:13:20 GMT");
      const second = await site.ask({ method: "PUT", target: "/a%20b.txt", body });
      assertEquals([second.status, second.header("location")], [204, undefined]);
      const record = site.backend.look("a b.txt");
      assertEquals(record?.size, body.length);
      assertEquals(record?.contentType, "text/plain; charset=utf-8");
      assertEquals((await site.ask("/a%20b.txt")).body, body);
    },
  });
}

Deno.test({
  name: "a file that is put in chunks, without its length, is stored as it was sent",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite();
    for (const body of [small, large]) {
      using connection = await site.connect();
      await connection.send(
        "PUT /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
      );
      for (let at = 0; at < body.length; at += 30_000) {
        const chunk = body.subarray(at, at + 30_000);
        await connection.send(`${chunk.length.toString(16)}\r\n`);
        await connection.send(chunk);
        await connection.send("\r\n");
      }
      await connection.send("0\r\n\r\n");
      const answer = await connection.receive("PUT");
      assertEquals(answer.header("etag"), `"${sha256Of(body)}"`);
      assertEquals((await connection.ask({ target: "/chunked" })).body, body);
    }
  },
});

Deno.test({
  name: "a file that is put without a body is refused by 411, and what is there stays",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite({}, { "a.txt": "here" });
    for (const version of ["1.0", "1.1"]) {
      const answer = await site.ask({ method: "PUT", target: "/a.txt", version });
      assertEquals([answer.status, (await site.ask("/a.txt")).text], [411, "here"], version);
    }
  },
});

Deno.test({
  name: "the name tells a file's content type, and the request where the name tells nothing",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite();
    const put = (target: string, type: string) =>
      site.ask({ method: "PUT", target, body: "x", headers: { "Content-Type": type } });
    await put("/a.html", "text/plain");
    await put("/plain", "text/plain; charset=utf-8");
    await put("/odd", "not a type");
    assertEquals(site.backend.look("a.html")?.contentType, "text/html; charset=utf-8");
    assertEquals(site.backend.look("plain")?.contentType, "text/plain; charset=utf-8");
    assertEquals(site.backend.look("odd")?.contentType, "application/octet-stream");
  },
});

Deno.test({
  name: "a body that breaks off stores nothing",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite();
    for (const [length, sent] of [[1000, 999], [200_000, 150_000], [200_000, 10]] as const) {
      {
        using connection = await site.connect();
        await connection.send(
          `PUT /broken HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`,
        );
        await connection.send(large.subarray(0, sent));
        await eventually(() => site.site.underWay === 1, { what: "the request to be under way" });
      }
      await eventually(() => site.site.underWay === 0, { what: "the request to be over" });
    }
    assertEquals(site.backend.asked, []);
    assertEquals([...site.backend.bodies.keys()], []);
  },
});

Deno.test({
  name: "a client that stops sending within a body is told that it broke off, in its turn",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite({}, { "a": "abc" });
    for (const before of ["", "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"]) {
      using connection = await site.connect();
      await connection.send(
        `${before}PUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab`,
      );
      await connection.endSending();
      if (before !== "") assertEquals((await connection.receive()).text, "abc");
      assertEquals((await connection.receive()).status, 400);
      assert(await connection.isEnded());
    }
    assertEquals([site.backend.asked, site.backend.look("b")], [[], undefined]);
  },
});

Deno.test({
  name: "a chunk that is malformed is answered by 400, and stores nothing",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite();
    using connection = await site.connect();
    await connection.send("PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    await connection.send("3\r\nabc\r\nzz\r\n");
    assertEquals((await connection.receive("PUT")).status, 400);
    assertEquals(site.backend.asked, []);
  },
});

Deno.test({
  name: "a file that is too large is refused before its body, also where it is waited for",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite({ fileBytesMax: 1000 });
    for (const expect of ["", "Expect: 100-continue\r\n"]) {
      using connection = await site.connect();
      await connection.send(
        `PUT /a HTTP/1.1\r\nHost: a\r\n${expect}Content-Length: 1001\r\n\r\n`,
      );
      const answer = await connection.receive("PUT");
      assertEquals([answer.status, answer.interim], [413, []]);
      assertStringIncludes(answer.text, "1000 bytes");
    }
    assertEquals((await site.ask({ method: "PUT", target: "/a", body: small })).status, 201);
  },
});

Deno.test({
  name: "a file without a length that grows too large is refused, and stores nothing",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite({ fileBytesMax: 100_000 });
    using connection = await site.connect();
    await connection.send("PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    await connection.send(`${large.length.toString(16)}\r\n`);
    await connection.send(large);
    assertEquals((await connection.receive("PUT")).status, 413);
    assertEquals([site.backend.asked, site.backend.bodies.size], [[], 0]);
  },
});

Deno.test({
  name: "Expect: 100-continue is honoured, but for HTTP/1.0",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite();
    using connection = await site.connect();
    const head = (version: string) =>
      `PUT /a HTTP/${version}\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n`;
    await connection.send(head("1.1"));
    assertEquals((await connection.receiveHead()).status, 100);
    await connection.send("abc");
    assertEquals((await connection.receive("PUT")).status, 201);
    using old = await site.connect();
    await old.send(`${head("1.0")}abc`);
    const answer = await old.receive("PUT");
    assertEquals([answer.status, answer.interim], [204, []]);
  },
});

const refusals: [string, Record<string, string>, number][] = [
  ["a part of a file", { "Content-Range": "bytes 0-2/10" }, 400],
  ["a file in compressed form", { "Content-Encoding": "gzip" }, 415],
];
for (const [what, headers, status] of refusals) {
  Deno.test({
    name: `a PUT of ${what} is refused with ${status}`,
    ...needs("net"),
    fn: async () => {
      await using site = await openSite();
      const answer = await site.ask({ method: "PUT", target: "/a", headers, body: "abc" });
      assertEquals(answer.status, status);
      assertEquals(answer.header("content-type"), "application/problem+json");
      assertEquals(site.backend.asked, []);
    },
  });
}

Deno.test({
  name: "a PUT of a folder is refused with 409",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite();
    for (const target of ["/", "/a/"]) {
      assertEquals((await site.ask({ method: "PUT", target, body: "abc" })).status, 409);
    }
  },
});

Deno.test({
  name: "a PUT is done only if its conditions hold, which is judged before the body",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite({}, { "a.txt": "old" });
    const etag = `"${site.backend.look("a.txt")?.sha256}"`;
    const date = "Tue, 14 Nov 2023 22:13:20 GMT";
    const cases: [string, Record<string, string>, number][] = [
      ["/a.txt", { "If-None-Match": "*" }, 412],
      ["/new.txt", { "If-None-Match": "*" }, 201],
      ["/absent.txt", { "If-Match": "*" }, 412],
      ["/a.txt", { "If-Match": '"other"' }, 412],
      ["/a.txt", { "If-Unmodified-Since": "Tue, 14 Nov 2023 22:13:19 GMT" }, 412],
      ["/a.txt", { "If-Unmodified-Since": date }, 204],
      ["/a.txt", { "If-Match": etag }, 204],
    ];
    for (const [target, headers, status] of cases) {
      const body = target === "/a.txt" ? "old" : "new";
      const answer = await site.ask({ method: "PUT", target, headers, body });
      assertEquals(answer.status, status, `${target} ${JSON.stringify(headers)}`);
    }
    const expect = { "If-None-Match": "*", "Expect": "100-continue" };
    const waiting = await site.ask({ method: "PUT", target: "/a.txt", headers: expect, body: "x" });
    assertEquals([waiting.status, waiting.interim], [412, []]);
  },
});

Deno.test({
  name: "conditions are judged by what the ring has while this server may not know",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite({}, { a: "old" });
    site.backend.isCurrent = false;
    const headers = { "If-None-Match": "*" };
    assertEquals((await site.ask({ method: "PUT", target: "/a", headers, body: "x" })).status, 412);
    assertEquals(site.backend.openBodies, 0);
    site.backend.answer = { status: 503, error: "Nobody knows" };
    assertEquals((await site.ask({ method: "PUT", target: "/a", headers, body: "x" })).status, 503);
  },
});

for (const [status, error] of [[503, "2 servers of 3"], [507, "No room"]] as const) {
  Deno.test({
    name: `a PUT that this server would refuse with ${status} is refused before its body`,
    ...needs("net"),
    fn: async () => {
      await using site = await openSite();
      site.backend.refusal = { status, error };
      const headers = { Expect: "100-continue", "Content-Length": "100000" };
      using connection = await site.connect();
      await connection.send(encodeRequest({ method: "PUT", target: "/a", headers }));
      const answer = await connection.receive("PUT");
      assertEquals([answer.status, answer.interim], [status, []]);
      assertEquals(answer.header("retry-after"), status === 503 ? "1" : undefined);
      assertStringIncludes(answer.text, error);
    },
  });
}

for (
  const [status, error] of [[503, "too few"], [504, "unknown outcome"], [507, "full"]] as const
) {
  Deno.test({
    name: `a write that the ring answers with ${status} says so`,
    ...needs("net"),
    fn: async () => {
      await using site = await openSite({}, { a: "x" });
      site.backend.answer = { status, error };
      for (const method of ["PUT", "DELETE"]) {
        const body = method === "PUT" ? { body: "abc" } : {};
        const answer = await site.ask({ method, target: "/a", ...body });
        assertEquals(answer.status, status);
        assertEquals(JSON.parse(answer.text).detail, error);
        assertMatch(answer.header("retry-after") ?? "none", status === 503 ? /^1$/ : /^none$/);
      }
    },
  });
}

Deno.test({
  name: "a large body for which there is no room while it comes is answered by 507",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite();
    site.backend.receive = () => Promise.reject(new Error("full"));
    site.backend.refusalOf = () => ({ status: 507, error: "There is no room left" });
    const answer = await site.ask({ method: "PUT", target: "/a", body: large });
    assertEquals(answer.status, 507);
    assertStringIncludes(answer.text, "There is no room left");
  },
});

Deno.test({
  name: "a body is read no faster than it is stored",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    let stored = 0;
    site.backend.receive = async (chunks) => {
      for await (const chunk of chunks) {
        stored += chunk.length;
        await gate;
      }
      return { sha256: sha256Of(small), size: stored };
    };
    site.backend.request = ({ type, item }) =>
      Promise.resolve({ answer: { type, item, status: 201, sha256: sha256Of(small) } });
    using connection = await site.connect();
    const size = 64 * 1024 * 1024;
    await connection.send(`PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    const chunk = new Uint8Array(1024 * 1024);
    let sent = 0;
    const sending = (async () => {
      for (; sent < size; sent += chunk.length) await connection.send(chunk);
    })();
    let before = -1;
    await eventually(async () => {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return stored > 0 && sent === before;
    }, { what: "the client to be held up" });
    assert(sent < size / 2, `${sent} bytes were taken while the first chunk was being stored`);
    open();
    await sending;
    assertEquals((await connection.receive("PUT")).status, 201);
    assertEquals(stored, size);
  },
});
