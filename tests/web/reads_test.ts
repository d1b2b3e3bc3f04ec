import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { testWithNet } from "../permission.ts";
import { sha256Of } from "../../lib/storage/body.ts";
import type { HttpAnswer } from "./exchange.ts";
import { openSite } from "./open_site.ts";

const encoder = new TextEncoder();
const large = crypto.getRandomValues(new Uint8Array(64 * 1024)).toHex();

testWithNet("a file is answered with all that a client may want to know of it", async () => {
  await using site = await openSite({}, { "a/b.html": "<p>é" });
  const answer = await site.ask("/a/b.html");
  assertEquals([answer.status, answer.text], [200, "<p>é"]);
  const sha256 = sha256Of(encoder.encode("<p>é"));
  const expected = {
    "content-type": "text/html; charset=utf-8",
    "content-length": "5",
    "etag": `"${sha256}"`,
    "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT",
    "accept-ranges": "bytes",
    "repr-digest": `sha-256=:${Uint8Array.fromHex(sha256).toBase64()}:`,
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
    "vary": "Accept-Encoding",
  };
  for (const [name, value] of Object.entries(expected)) {
    assertEquals(answer.header(name), value, name);
  }
});

testWithNet(
  "a file is answered equally, whether it is cached, streamed, or had from the ring",
  async () => {
    const files = { "small.txt": "abc", "large.txt": large };
    await using site = await openSite({}, files);
    for (const [name, content] of Object.entries(files)) {
      const here = await site.ask(`/${name}`);
      assertEquals(here.text, content);
      assertEquals(fieldsOf(await site.ask(`/${name}`)), fieldsOf(here));
      site.backend.isCurrent = false;
      const elsewhere = await site.ask(`/${name}`);
      site.backend.isCurrent = true;
      assertEquals([fieldsOf(elsewhere), elsewhere.text], [fieldsOf(here), content]);
    }
    assertEquals(site.backend.asked.map(({ item }) => item), ["small.txt", "large.txt"]);
    assertEquals(site.backend.openBodies, 0);
  },
);

testWithNet("a file that is not here, and was not deleted, is asked of the ring", async () => {
  await using site = await openSite({}, { "deleted": "abc" });
  site.backend.delete("deleted");
  for (const target of ["/deleted", "/lost", "/"]) await site.ask(target);
  assertEquals(site.backend.asked.map(({ type, item }) => `${type} ${item}`), [
    "GET lost",
    "GET index.html",
  ]);
});

testWithNet("HEAD is a GET without the body", async () => {
  await using site = await openSite({}, { "a": "abc", "b": large, "index.html": "i" });
  for (const target of ["/a", "/b", "/", "/nothing", "/a/", "/_ring/"]) {
    const { status, ...get } = await site.ask(target);
    const head = await site.ask({ method: "HEAD", target });
    assertEquals([head.status, fieldsOf(head)], [status, fieldsOf(get)], target);
    assertEquals(head.body.length, 0);
  }
  assertEquals(site.backend.openBodies, 0);
  const { bodiesOpened } = site.backend;
  await site.ask({ method: "HEAD", target: "/b" });
  assertEquals(site.backend.bodiesOpened, bodiesOpened);
});

testWithNet("a HEAD leaves the connection fit for the next request", async () => {
  await using site = await openSite({}, { "a": "abc", "b": large });
  using connection = await site.connect();
  for (const target of ["/a", "/b", "/nothing"]) {
    await connection.ask({ method: "HEAD", target });
    assertEquals((await connection.ask({ target: "/a" })).text, "abc");
  }
});

testWithNet("requests that are sent ahead are answered in their order", async () => {
  await using site = await openSite({}, { "a": "1", "b": large, "c": "3" });
  using connection = await site.connect();
  await connection.send(
    ["/a", "/b", "/c", "/d"].map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""),
  );
  assertEquals((await connection.receive()).text, "1");
  assertEquals((await connection.receive()).text, large);
  assertEquals((await connection.receive()).text, "3");
  assertEquals((await connection.receive()).status, 404);
});

testWithNet("a client of HTTP/1.0 gets the file and the end of the connection", async () => {
  await using site = await openSite({}, { "a": "abc", "b": large });
  for (const [target, text] of [["/a", "abc"], ["/b", large]] as const) {
    using connection = await site.connect();
    const answer = await connection.ask({ target, version: "1.0" });
    assertEquals([answer.status, answer.text], [200, text]);
    assertEquals(answer.header("transfer-encoding"), undefined);
    assert(await connection.isEnded());
  }
});

testWithNet("a query means nothing to a file, and a URL is as good as its path", async () => {
  await using site = await openSite({}, { "a b": "abc" });
  for (const target of ["/a%20b?x=1", "http://elsewhere.test/a%20b", "/a%20b?"]) {
    assertEquals((await site.ask(target)).text, "abc", target);
  }
});

testWithNet("a folder is its index.html, and without the slash leads there", async () => {
  const files = { "index.html": "root", "é/index.html": "folder", "b/c": "c" };
  await using site = await openSite({}, files);
  assertEquals((await site.ask("/")).text, "root");
  assertEquals((await site.ask("/%C3%A9/")).text, "folder");
  const redirect = await site.ask("/%C3%A9");
  assertEquals([redirect.status, redirect.header("location")], [308, "/%C3%A9/"]);
  for (const query of ["?", "?a=b&c=%C3%A9", "?a?b/c", "?<'>"]) {
    assertEquals((await site.ask(`/%C3%A9${query}`)).header("location"), `/%C3%A9/${query}`);
  }
  const absolute = await site.ask("http://ring.test/%C3%A9?a=b");
  assertEquals(absolute.header("location"), "/%C3%A9/?a=b");
  assertEquals((await site.ask("/b")).status, 404);
  assertEquals((await site.ask("/b/")).status, 404);
});

testWithNet(
  "an index is looked for all over the ring while this server may be behind",
  async () => {
    await using site = await openSite({}, { "a/index.html": "folder" });
    site.backend.isCurrent = false;
    assertEquals((await site.ask("/a")).status, 308);
    assertEquals((await site.ask("/a/")).text, "folder");
    assertEquals(site.backend.openBodies, 0);
  },
);

testWithNet("the ring's page is at / until there is an index.html", async () => {
  await using site = await openSite();
  const page = await site.ask("/");
  assertEquals([page.status, page.text], [200, (await site.ask("/_ring/")).text]);
  assertMatch(page.text, /<title>/);
  site.backend.put("index.html", "mine");
  assertEquals((await site.ask("/")).text, "mine");
});

testWithNet("what is not there is a 404, as JSON, or as a page for a browser", async () => {
  await using site = await openSite();
  const answer = await site.ask("/nothing");
  assertEquals([answer.status, answer.header("content-type")], [404, "application/problem+json"]);
  assertEquals(JSON.parse(answer.text), {
    title: "Not Found",
    status: 404,
    detail: "There is no such file in the ring",
  });
  assertEquals(answer.header("x-content-type-options"), "nosniff");
  const page = await site.ask({
    target: "/nothing",
    headers: { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" },
  });
  assertEquals([page.status, page.header("content-type")], [404, "text/html; charset=utf-8"]);
  assertStringIncludes(page.text, "<h1>404 Not Found</h1>");
});

testWithNet("what is not there is the site's own 404.html, if it has one", async () => {
  await using site = await openSite({}, { "404.html": "<p>gone" });
  for (const target of ["/nothing", "/no/folder/"]) {
    const answer = await site.ask(target);
    assertEquals([answer.status, answer.text], [404, "<p>gone"]);
    assertEquals(answer.header("content-type"), "text/html; charset=utf-8");
    assertEquals(answer.header("etag"), undefined);
    assertEquals(answer.header("cache-control"), "no-cache");
  }
  const unchanged = await site.ask({ target: "/nothing", headers: { "If-None-Match": "*" } });
  assertEquals(unchanged.status, 404);
  assertEquals((await site.ask("/404.html")).status, 200);
});

testWithNet("an application of one page is served where nothing else is", async () => {
  await using site = await openSite({ spa: true }, { "index.html": "app", "a": "abc" });
  for (const target of ["/users/7", "/users/", "/"]) {
    const answer = await site.ask(target);
    assertEquals([answer.status, answer.text], [200, "app"], target);
  }
  assertEquals((await site.ask("/a")).text, "abc");
  const etag = (await site.ask("/x")).header("etag") ?? "";
  assertEquals((await site.ask({ target: "/y", headers: { "If-None-Match": etag } })).status, 304);
  site.backend.delete("index.html");
  assertEquals((await site.ask("/users/7")).status, 404);
});

testWithNet("a file is served as it is now, whatever was served before", async () => {
  await using site = await openSite({}, { "a": "one" });
  using connection = await site.connect();
  const text = async () => (await connection.ask({ target: "/a" })).text;
  assertEquals(await text(), "one");
  site.backend.put("b", "another file");
  assertEquals(await text(), "one");
  site.backend.put("a", "two");
  assertEquals(await text(), "two");
  site.backend.delete("a");
  assertEquals((await connection.ask({ target: "/a" })).status, 404);
  site.backend.put("a", large);
  assertEquals(await text(), large);
});

testWithNet("a small file is read twice, and then only when it has changed", async () => {
  await using site = await openSite({}, { "a": "one" });
  let looks = 0;
  const look = site.backend.look.bind(site.backend);
  site.backend.look = (name) => (looks++, look(name));
  for (let i = 0; i < 4; i++) await site.ask("/a");
  assertEquals([site.backend.bodiesOpened, looks], [2, 2]);
  site.backend.put("b", "another file");
  await site.ask("/a");
  assertEquals(site.backend.bodiesOpened, 2);
  site.backend.put("a", "two");
  for (let i = 0; i < 3; i++) await site.ask("/a");
  assertEquals(site.backend.bodiesOpened, 3);
});

testWithNet("a body that is lost here is had from another server", async () => {
  await using site = await openSite({}, { "a": "abc", "b": large });
  for (const [name, content] of [["a", "abc"], ["b", large]] as const) {
    const { sha256 } = site.backend.look(name) ?? {};
    const body = site.backend.bodies.get(sha256 ?? "");
    site.backend.bodies.delete(sha256 ?? "");
    assertEquals((await site.ask(`/${name}`)).status, 503);
    site.backend.beforeAnswer = () =>
      site.backend.bodies.set(sha256 ?? "", body ?? encoder.encode(""));
    assertEquals((await site.ask(`/${name}`)).text, content);
    assertEquals(site.backend.asked.at(-1), { type: "GET", item: name, bodyLost: true });
    site.backend.beforeAnswer = undefined;
  }
});

testWithNet("what the ring cannot tell is a 503 with Retry-After, or a 504", async () => {
  await using site = await openSite({}, { "a": "abc" });
  site.backend.isCurrent = false;
  site.backend.answer = { status: 503, error: "This server is joining" };
  const unavailable = await site.ask("/a");
  assertEquals([unavailable.status, unavailable.header("retry-after")], [503, "1"]);
  assertStringIncludes(unavailable.text, "This server is joining");
  site.backend.answer = { status: 504, error: "Nobody knows" };
  assertEquals((await site.ask("/a")).status, 504);
});

testWithNet("what cannot be a name is a 400", async () => {
  await using site = await openSite({}, { "a": "abc" });
  const targets = [
    "/..",
    "/%2e%2e/a",
    "/a%2f..",
    "/..%2fa",
    "/a%00",
    "/a%5Cb",
    "/%0a",
    "/%zz",
    "//a",
  ];
  for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
    for (const target of targets) {
      const answer = await site.ask({ method, target });
      assertEquals(answer.status, 400, `${method} ${target}`);
      assertEquals(answer.header("x-content-type-options"), "nosniff");
    }
  }
  assertEquals(site.backend.asked, []);
});

testWithNet("Cache-Control says what it is told to", async () => {
  await using site = await openSite({ cacheControl: "max-age=60" }, { "a": "abc" });
  assertEquals((await site.ask("/a")).header("cache-control"), "max-age=60");
});

testWithNet("a failure of our own is a 500 that tells nobody why", async () => {
  await using site = await openSite();
  site.backend.look = () => {
    throw new Error("a secret");
  };
  const answer = await site.ask("/a");
  assertEquals(answer.status, 500);
  assert(!answer.text.includes("secret"));
  assertEquals(site.site.underWay, 0);
});

testWithNet("too many open files are a 503", async () => {
  await using site = await openSite({}, { "a": large });
  site.backend.openBody = () => {
    throw Object.assign(new Error("Too many open files"), { code: "EMFILE" });
  };
  const answer = await site.ask("/a");
  assertEquals([answer.status, answer.header("retry-after")], [503, "1"]);
});

/** The header without what depends on the clock. */
function fieldsOf({ fields }: Pick<HttpAnswer, "fields">): HttpAnswer["fields"] {
  return fields.filter(([name]) => name !== "date");
}
