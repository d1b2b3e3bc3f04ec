/**
 * What a web server is asked, and what it answers: the same at every server of a ring, whichever a file was
 * put at. The particulars of each row are held by the tests of `tests/web/`.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { WebOptions } from "../../lib/web/web_options.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { ask, type HttpAnswer, type HttpRequest } from "../web/exchange.ts";
import { Ring } from "./ring.ts";

const page = "https://page.test";
const fileBytesMax = 100_000;
const html = "<!doctype html>\n<p>home</p>\n".repeat(100);
const css = "p { color: red }\n".repeat(200);

/** Put at one server after the other, in turn. */
const files: Readonly<Record<string, string>> = {
  "index.html": html,
  "docs/index.html": "docs",
  "images/a.svg": "<svg/>",
  "images/b.bin": "\0\x01",
  "site.css": css,
  "app.js": "1;".repeat(2000),
  "app.js.br": "as if it were compressed",
};

/** What every server has to answer: a status, and what header fields are there and say, or are not. */
interface Row {
  readonly request: string | HttpRequest;
  readonly status: number;
  readonly fields?: Readonly<Record<string, string | RegExp | undefined>>;
  /** All of the body, or what is to be found in it. */
  readonly body?: string | RegExp;
}

/** What a file's answer tells of it, at whatever server. */
interface Told {
  readonly etag: string;
  readonly modified: string;
}

const problem = { "content-type": "application/problem+json", "cache-control": "no-store" };
const small = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };
const browser = { "Accept": "text/html,*/*;q=0.8" };
const longAgo = "Thu, 01 Jan 2015 00:00:00 GMT";
const part = "<!do";

function get(target: string, headers: Readonly<Record<string, string>>): HttpRequest {
  return { target, headers };
}

/** The reads of the table; `home` is what is told of `index.html`. */
function reads(home: Told): readonly Row[] {
  const size = String(html.length);
  const whole = {
    "content-type": "text/html; charset=utf-8",
    "content-length": size,
    "etag": home.etag,
    "last-modified": home.modified,
    "accept-ranges": "bytes",
    "repr-digest": /^sha-256=:[\w+/]{43}=:$/,
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
    "vary": "Accept-Encoding",
    "content-encoding": undefined,
  };
  const same = { "etag": home.etag, "last-modified": home.modified, "cache-control": "no-cache" };
  return [
    { request: "/index.html", status: 200, fields: whole, body: html },
    { request: "/index.html?a=b", status: 200, fields: whole, body: html },
    { request: { method: "HEAD", target: "/index.html" }, status: 200, fields: whole, body: "" },
    { request: { target: "/index.html", version: "1.0" }, status: 200, body: html },
    { request: "/images/b.bin", status: 200, fields: { "content-type": /octet-stream$/ } },
    { request: "/", status: 200, fields: whole, body: html },
    { request: "/docs/", status: 200, body: "docs" },
    { request: "/docs", status: 308, fields: { "location": "/docs/" } },
    { request: "/docs?a=b", status: 308, fields: { "location": "/docs/?a=b" } },
    { request: get("/images/", browser), status: 200, body: /href="[^"]*a\.svg"/ },
    {
      request: get("/images/", { "Accept": "application/json" }),
      status: 200,
      fields: { "content-type": "application/json", "vary": "Accept" },
      body: /"name":"a\.svg".*"name":"b\.bin"/,
    },
    { request: "/none", status: 404, fields: problem, body: /"status":404/ },
    { request: get("/none", browser), status: 404, fields: small, body: /<h1>404 Not Found<\/h1>/ },

    {
      request: get("/index.html", { "If-None-Match": home.etag }),
      status: 304,
      fields: { ...same, "content-length": undefined },
      body: "",
    },
    { request: get("/index.html", { "If-None-Match": `W/${home.etag}, "x"` }), status: 304 },
    { request: get("/index.html", { "If-None-Match": '"x"' }), status: 200, fields: whole },
    { request: get("/index.html", { "If-Modified-Since": home.modified }), status: 304 },
    { request: get("/index.html", { "If-Modified-Since": longAgo }), status: 200 },
    {
      request: get("/index.html", { "If-None-Match": '"x"', "If-Modified-Since": home.modified }),
      status: 200,
    },
    { request: get("/index.html", { "If-Match": '"x"' }), status: 412, fields: problem },
    { request: get("/index.html", { "If-Match": home.etag }), status: 200 },
    { request: get("/index.html", { "If-Unmodified-Since": longAgo }), status: 412 },
    {
      request: get("/index.html", { "If-Match": home.etag, "If-Unmodified-Since": longAgo }),
      status: 200,
    },

    {
      request: get("/index.html", { "Range": "bytes=0-3" }),
      status: 206,
      fields: { ...same, "content-range": `bytes 0-3/${size}`, "content-length": "4" },
      body: part,
    },
    {
      request: get("/index.html", { "Range": "bytes=0-3,-2" }),
      status: 206,
      fields: { ...same, "content-type": /^multipart\/byteranges; boundary=/ },
      body: /Content-Range: bytes 0-3\/2800[^]*Content-Range: bytes 2798-2799\/2800/i,
    },
    {
      request: get("/index.html", { "Range": "bytes=2800-" }),
      status: 416,
      fields: { "content-range": "bytes */2800" },
    },
    { request: get("/index.html", { "Range": "bytes=3-0" }), status: 200, body: html },
    {
      request: get("/index.html", { "Range": `bytes=${"0-,".repeat(100)}0-` }),
      status: 200,
      body: html,
    },
    {
      request: get("/index.html", { "Range": "bytes=0-3", "If-Range": '"x"' }),
      status: 200,
      body: html,
    },
    {
      request: get("/index.html", { "Range": "bytes=0-3", "If-Range": home.etag }),
      status: 206,
      body: part,
    },

    {
      request: get("/app.js", { "Accept-Encoding": "gzip, br" }),
      status: 200,
      fields: { "content-encoding": "br", "vary": "Accept-Encoding" },
      body: files["app.js.br"] ?? "",
    },
    {
      request: get("/index.html", { "Accept-Encoding": "br", "Range": "bytes=0-3" }),
      status: 206,
      fields: { "content-encoding": undefined },
      body: part,
    },
  ];
}

/** What is refused, or only told. */
const refusals: readonly Row[] = [
  {
    request: { method: "PUT", target: "/big", headers: { "Content-Length": "100001" } },
    status: 413,
    fields: problem,
  },
  {
    request: {
      method: "PUT",
      target: "/big",
      headers: { "Content-Length": "100001", "Expect": "100-continue" },
    },
    status: 413,
  },
  { request: { method: "PUT", target: "/a/", body: "x" }, status: 409, fields: problem },
  { request: { method: "DELETE", target: "/docs/" }, status: 409, fields: problem },
  { request: { method: "PUT", target: "/a" }, status: 411, fields: problem },
  {
    request: {
      method: "PUT",
      target: "/a",
      headers: { "Content-Range": "bytes 0-0/1" },
      body: "x",
    },
    status: 400,
    fields: problem,
  },
  { request: { method: "DELETE", target: "/none" }, status: 404, fields: problem },
  {
    request: {
      method: "PUT",
      target: "/index.html",
      headers: { "If-None-Match": "*" },
      body: "x",
    },
    status: 412,
  },
  {
    request: { method: "DELETE", target: "/index.html", headers: { "If-Match": '"x"' } },
    status: 412,
  },
  {
    request: { method: "OPTIONS", target: "/index.html" },
    status: 204,
    fields: { "allow": "GET, HEAD, PUT, DELETE, OPTIONS" },
  },
  {
    request: {
      method: "OPTIONS",
      target: "/new",
      headers: { "Origin": page, "Access-Control-Request-Method": "PUT" },
    },
    status: 204,
    fields: {
      "access-control-allow-origin": page,
      "access-control-allow-methods": /PUT/,
      "access-control-allow-headers": /If-Match/,
    },
  },
  {
    request: { method: "POST", target: "/index.html", body: "x" },
    status: 405,
    fields: { "allow": "GET, HEAD, PUT, DELETE, OPTIONS" },
  },
  {
    request: { method: "PUT", target: "/_ring/x", body: "x" },
    status: 405,
    fields: { "allow": "GET, HEAD, OPTIONS" },
  },
  {
    request: { method: "BREW", target: "/index.html" },
    status: 405,
    fields: { "allow": "GET, HEAD, PUT, DELETE, OPTIONS" },
  },
  ...["/../a", "/a/%2e%2e/b", "/%2f..%2fa", "/a%00", "/a%5cb", "/a%0ab", "/a//b", "/%ff", "/a%7f"]
    .map((request) => ({ request, status: 400, fields: problem })),
  { request: "/_ring/health", status: 200, body: "ok\n" },
  { request: "/_ring/ready", status: 200, body: "ready\n" },
  { request: "/_ring/none", status: 404 },
];

/** A ring of three servers, each of which has all files and knows all others. */
class WebRing implements AsyncDisposable {
  /** Their web ports. */
  readonly ports: readonly number[];

  private constructor(private readonly ring: Ring) {
    this.ports = ring.servers.map(({ web = "" }) => Number(new URL(web).port));
  }

  static async start(options: WebOptions): Promise<WebRing> {
    return new WebRing(await Ring.start({ size: 3, server: { web: { ...options, port: 0 } } }));
  }

  async put(name: string, body: string, at: number): Promise<HttpAnswer> {
    const port = this.ports[at % this.ports.length] ?? 0;
    const answer = await ask(port, { method: "PUT", target: `/${name}`, body });
    assertEquals([answer.status, answer.header("ring-copies")], [201, "3"], name);
    return answer;
  }

  /** Asserts that every server answers as the row says, and all of them the same. */
  async assertRow(row: Row): Promise<void> {
    const what = JSON.stringify(row.request);
    const answers = await Promise.all(this.ports.map((port) => ask(port, row.request)));
    for (const answer of answers) {
      assertEquals(answer.status, row.status, `${what}: ${answer.text}`);
      for (const [name, expected] of Object.entries(row.fields ?? {})) {
        assertSays(answer.header(name), expected, `${name} of ${what}`);
      }
      if (row.body !== undefined) assertSays(answer.text, row.body, what);
      assertEquals(contentOf(answer), contentOf(answers[0] ?? answer), what);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.ring[Symbol.asyncDispose]();
  }
}

/** All of an answer but when it was given. */
function contentOf({ status, fields, text }: HttpAnswer) {
  return { status, fields: fields.filter(([name]) => name !== "date"), text };
}

function assertSays(said: string | undefined, expected: string | RegExp | undefined, what: string) {
  if (expected instanceof RegExp) assertMatch(said ?? "", expected, what);
  else assertEquals(said, expected, what);
}

function testRing(name: string, options: WebOptions, fn: (ring: WebRing) => Promise<void>): void {
  Deno.test({
    name,
    ...needs("net", "read", "write", "env", "sys"),
    fn: async () => {
      await using ring = await WebRing.start(options);
      await fn(ring);
    },
  });
}

testRing(
  "every server answers every request of the table the same",
  { listing: true, cors: page, fileBytesMax },
  async (ring) => {
    let turn = 0;
    let home: Told | undefined;
    for (const [name, body] of Object.entries(files)) {
      const answer = await ring.put(name, body, turn++);
      const [etag = "", modified = ""] = ["etag", "last-modified"].map((field) =>
        answer.header(field)
      );
      home ??= { etag, modified };
    }
    assert(home !== undefined);
    for (const row of [...reads(home), ...refusals]) await ring.assertRow(row);
    await ring.put("404.html", "the site's own", turn++);
    await ring.assertRow({
      request: "/none",
      status: 404,
      fields: { "content-type": "text/html; charset=utf-8" },
      body: "the site's own",
    });
  },
);

testRing(
  "what one server compresses the others compress to the same, with the same tag",
  {},
  async (ring) => {
    await ring.put("site.css", css, 0);
    for (const coding of ["br", "gzip"]) {
      const request = get("/site.css", { "Accept-Encoding": coding });
      for (const port of ring.ports) {
        await eventually(
          async () => (await ask(port, request)).header("content-encoding") === coding,
          { what: "the file to be compressed" },
        );
      }
      await ring.assertRow({
        request,
        status: 200,
        fields: { "etag": new RegExp(`^"[0-9a-f]{64}.*${coding}.*"$`), "vary": "Accept-Encoding" },
      });
    }
  },
);

testRing("every server takes writes, and all have them at once", { spa: true }, async (ring) => {
  for (const [index, port] of ring.ports.entries()) {
    const target = `/put/${index}.txt`;
    const created = await ask(port, { method: "PUT", target, body: "one" });
    assertEquals([created.status, created.header("ring-copies")], [201, "3"]);
    assertEquals(created.header("location"), target);
    const replaced = await ask(port, { method: "PUT", target, body: "two" });
    assertEquals([replaced.status, replaced.header("location")], [204, undefined]);
    const etag = replaced.header("etag") ?? "";
    await ring.assertRow({ request: target, status: 200, fields: { etag }, body: "two" });
    const stale = { "If-Match": created.header("etag") ?? "" };
    const lost = await ask(port, { method: "PUT", target, headers: stale, body: "x" });
    assertEquals(lost.status, 412);
    assertEquals((await ask(port, { method: "DELETE", target })).status, 204);
    assertEquals((await ask(port, { method: "DELETE", target })).status, 404);
    await ring.assertRow({ request: target, status: 404 });
  }
  await ring.put("index.html", "the application", 1);
  await ring.assertRow({ request: "/any/path", status: 200, body: "the application" });
});
