/** `--ring-http-port`: the files and `/_ring/`, each at a port and so an origin of its own, from both sides. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { testWithNet } from "../permission.ts";
import { Secret } from "../../lib/protocol/secret.ts";
import type { HttpAnswer } from "./exchange.ts";
import { type OpenSite, openSite } from "./open_site.ts";

const text = Secret.generate();
const secret = new Secret(text);
const bearer = { "Authorization": `Bearer ${text}` };
const files = { "a.html": "<h1>a</h1>", "docs/b c.html": "b" };
const apart = { ringHttpPort: 0 };

/** Everything under `/_ring/` that tells or does something. */
const ringPaths = [
  ...["", "page.css", "page.js", "status.json", "files.json", "metrics", "events"],
  ...["login", "logout", "none"],
].map((name) => `/_ring/${name}`);

/** Logs in, as a browser does at the ring's port; the header that it sends from then on, to both ports. */
async function logIn(site: OpenSite): Promise<Record<string, string>> {
  const answer = await site.askRing({
    method: "POST",
    target: "/_ring/login",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ secret: text }).toString(),
  });
  assertEquals(answer.status, 303);
  return { "Cookie": (answer.header("set-cookie") ?? "").split(";")[0] ?? "" };
}

function put(ask: OpenSite["ask"], headers: Record<string, string>): Promise<HttpAnswer> {
  return ask({ method: "PUT", target: "/new", headers, body: "new" });
}

testWithNet(
  "the port of the files has nothing of the ring but what load balancers ask",
  async () => {
    await using site = await openSite({ ...apart, secret }, files);
    for (const target of [...ringPaths, "/_ring"]) {
      for (const method of ["GET", "HEAD", "POST", "OPTIONS", "PUT"]) {
        const answer = await site.ask({ method, target, headers: { ...bearer } });
        assertEquals(answer.status, 404, `${method} ${target}`);
      }
    }
    assertEquals((await site.ask("/_ring/health")).text, "ok\n");
    assertEquals((await site.ask("/_ring/ready")).status, 503);
    assertEquals((await site.ask("/")).status, 404, "nor is the page there where no index.html is");
    assertEquals((await site.ask("/a.html")).text, "<h1>a</h1>");
  },
);

testWithNet("the port of the files says where the ring is, and where to log in", async () => {
  await using site = await openSite({ ...apart, secret, isPrivate: true }, files);
  const accept = { "Accept": "text/html" };
  for (const name of ["127.0.0.1", "nas.local"]) {
    const headers = { ...accept, "Host": `${name}:${site.port}` };
    const ring = `http://${name}:${site.ringPort}/_ring/`;
    const page = await site.ask({ target: "/_ring/", headers });
    assertEquals(page.status, 404);
    assertStringIncludes(page.text, `What is about the ring is at ${ring}<`);
    for (const target of ["/a.html", "/"]) {
      const refused = await site.ask({ target, headers });
      assertEquals(refused.status, 401);
      assertStringIncludes(refused.text, `log in at ${ring}login<`);
    }
    // By a session nobody writes there.
    assertStringIncludes((await put(site.ask, headers)).text, "Authorization: Bearer");
  }
  const own = await site.askRing({ target: "/_ring/status.json", headers: accept });
  assertStringIncludes(own.text, "log in at /_ring/login<");
});

testWithNet("the port of the ring has all that is under /_ring/", async () => {
  await using site = await openSite({ ...apart, secret }, files);
  for (const target of ["/_ring/", "/_ring/page.js", "/_ring/status.json", "/_ring/login"]) {
    assertEquals((await site.askRing(target)).status, 200, target);
  }
  assertEquals((await site.askRing("/_ring/health")).text, "ok\n");
  const home = await site.askRing("/");
  assertEquals([home.status, home.header("location")], [307, "/_ring/"]);
});

testWithNet("no file is served at the origin of the page: it says where they are", async () => {
  await using site = await openSite(apart, files);
  const own = { headers: { "Host": `127.0.0.1:${site.ringPort}` } };
  for (
    const [target, path] of [
      ["/a.html", "/a.html"],
      ["/docs/b%20c.html?x", "/docs/b%20c.html"],
      ["/docs/", "/docs/"],
      ["//evil.test/", undefined],
      ["/%2fevil.test", undefined],
    ]
  ) {
    for (const method of ["GET", "HEAD"]) {
      const answer = await site.askRing({ ...own, method, target: target ?? "" });
      if (path === undefined) assertEquals(answer.status, 400, target);
      else {
        const location = `http://127.0.0.1:${site.port}${path}`;
        assertEquals([answer.status, answer.header("location")], [307, location]);
      }
    }
  }
  // By the name that the browser knows it by, where its session is good.
  const answer = await site.askRing({ target: "/a.html", headers: { "Host": "nas.local:9043" } });
  assertEquals(answer.header("location"), `http://nas.local:${site.port}/a.html`);
});

testWithNet(
  "a session is good for writing at the port of the ring, and not at that of the files",
  async () => {
    await using site = await openSite({ ...apart, secret }, files);
    const cookie = await logIn(site);
    assertEquals((await put(site.ask, cookie)).status, 401);
    const removal = { method: "DELETE", target: "/a.html", headers: cookie };
    assertEquals((await site.ask(removal)).status, 401);
    assertEquals(site.backend.asked, []);
    assertEquals((await put(site.ask, bearer)).status, 201);
    assertEquals((await put(site.askRing, cookie)).status, 204);
    assertEquals((await site.askRing(removal)).status, 204);
    assertEquals((await put(site.askRing, {})).status, 401);
  },
);

testWithNet(
  "the script of a stored file cannot act at the port of the ring, session or not",
  async () => {
    for (const options of [apart, { ...apart, secret }]) {
      await using site = await openSite({ ...options, cors: "*" }, files);
      const cookie = "secret" in options ? await logIn(site) : {};
      const own = { "Host": `127.0.0.1:${site.ringPort}`, ...cookie };
      const origin = `http://127.0.0.1:${site.port}`;
      for (
        const headers of [
          { "Origin": origin },
          { "Origin": origin, "Sec-Fetch-Site": "same-site" },
          { "Sec-Fetch-Site": "same-site" },
        ]
      ) {
        const asked = { ...own, ...headers };
        assertEquals((await put(site.askRing, asked)).status, 403);
        const login = { method: "POST", target: "/_ring/login", headers: asked, body: "secret=x" };
        if ("secret" in options) assertEquals((await site.askRing(login)).status, 403);
        for (const target of ["/_ring/status.json", "/_ring/files.json", "/a.html"]) {
          for (const method of ["GET", "OPTIONS"]) {
            const answer = await site.askRing({
              ...{ method, target },
              headers: { ...asked, "Access-Control-Request-Method": "PUT" },
            });
            assertEquals(answer.header("access-control-allow-origin"), undefined, target);
          }
        }
      }
      assertEquals(site.backend.asked, []);
      const page = { ...own, "Origin": `http://127.0.0.1:${site.ringPort}` };
      assertEquals((await put(site.askRing, page)).status, 201);
    }
  },
);

testWithNet("with --private no cache that serves others may keep a file", async () => {
  for (const cacheControl of ["max-age=60", "private, max-age=60", "no-store"]) {
    await using site = await openSite({ ...apart, secret, isPrivate: true, cacheControl }, files);
    const answer = await site.ask({ target: "/a.html", headers: await logIn(site) });
    const expected = cacheControl === "max-age=60" ? "private, max-age=60" : cacheControl;
    assertEquals(answer.header("cache-control"), expected);
  }
});

testWithNet("with --private a browser that has logged in reads the files as well", async () => {
  await using site = await openSite({ ...apart, secret, isPrivate: true }, files);
  const cookie = await logIn(site);
  assertEquals((await site.ask("/a.html")).status, 401);
  const file = await site.ask({ target: "/a.html", headers: cookie });
  assertEquals([file.text, file.header("cache-control")], ["<h1>a</h1>", "private, no-cache"]);
  assertEquals((await site.askRing("/_ring/status.json")).status, 401);
  const status = await site.askRing({ target: "/_ring/status.json", headers: cookie });
  assertEquals(status.status, 200);
  assertMatch(status.text, new RegExp(`"web":"http://127.0.0.1:${site.ringPort}/"`));
});
