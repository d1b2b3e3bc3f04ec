/** Who may do what over HTTP, from both sides. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { testWithNet } from "../permission.ts";
import { Secret } from "../../lib/protocol/secret.ts";
import { attemptsMax } from "../../lib/web/attempts.ts";
import { type OpenSite, openSite } from "./open_site.ts";

const text = Secret.generate();
const secret = new Secret(text);
const bearer = { "Authorization": `Bearer ${text}` };
const wrong = { "Authorization": `Bearer ${Secret.generate()}` };
const files = { "index.html": "home", "a": "abc" };

/** What a write is answered with these headers. */
async function put(site: OpenSite, headers: Readonly<Record<string, string>>, target = "/new") {
  return await site.ask({ method: "PUT", target, headers, body: "new" });
}

/** Logs in with a form, as a browser does; the answer. */
function logIn(site: OpenSite, value: string, headers: Readonly<Record<string, string>> = {}) {
  return site.ask({
    method: "POST",
    target: "/_ring/login",
    headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers },
    body: new URLSearchParams({ secret: value }).toString(),
  });
}

/** The cookie that a browser would send from then on. */
function cookieOf(answer: { header(name: string): string | undefined }): Record<string, string> {
  return { "Cookie": `a=b; ${(answer.header("set-cookie") ?? "").split(";")[0]}` };
}

testWithNet(
  "in a ring with a secret everybody may read, and only who knows it may write",
  async () => {
    await using site = await openSite({ secret }, files);
    assertEquals((await site.ask("/a")).text, "abc");
    assertEquals((await site.ask("/_ring/status.json")).status, 200);
    for (const headers of [{}, { "Authorization": "Basic YTpi" }, { "Authorization": "Bearer" }]) {
      const answer = await put(site, headers);
      assertEquals(answer.status, 401);
      assertEquals(answer.header("www-authenticate"), 'Bearer realm="ring"');
      assertEquals(answer.header("content-type"), "application/problem+json");
    }
    assertEquals((await put(site, wrong)).status, 401);
    assertEquals((await site.ask({ method: "DELETE", target: "/a" })).status, 401);
    assertEquals(site.backend.asked, []);
    assertEquals((await put(site, bearer)).status, 201);
    assertEquals((await put(site, { "Authorization": `bearer  ${text} ` })).status, 204);
    const removed = await site.ask({ method: "DELETE", target: "/a", headers: bearer });
    assertEquals(removed.status, 204);
  },
);

testWithNet("a client that waits to send its body is refused before it has", async () => {
  await using site = await openSite({ secret });
  using connection = await site.connect();
  await connection.send(
    "PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n",
  );
  const answer = await connection.receive("PUT");
  assertEquals([answer.status, answer.interim], [401, []]);
});

testWithNet(
  "with --private reading takes the secret as well, but for what load balancers ask",
  async () => {
    await using site = await openSite({ secret, isPrivate: true, listing: true }, files);
    for (
      const target of ["/", "/a", "/none", "/_ring/status.json", "/_ring/events", "/_ring/metrics"]
    ) {
      assertEquals((await site.ask(target)).status, 401, target);
      assertEquals((await site.ask({ method: "HEAD", target })).status, 401, target);
      if (target === "/_ring/events") continue;
      const { status } = await site.ask({ target, headers: bearer });
      assertEquals(status, target === "/none" ? 404 : 200, target);
    }
    assertEquals((await site.ask("/_ring/health")).status, 200);
    assertEquals((await site.ask("/_ring/ready")).status, 503);
    assertEquals((await site.ask("/_ring/login")).status, 200);
    const ring = await site.ask("/_ring/");
    assertEquals([ring.status, ring.header("location")], [303, "/_ring/login"]);
    assertEquals((await site.ask({ target: "/_ring/", headers: bearer })).status, 200);
    const page = await site.ask({ target: "/a", headers: { "Accept": "text/html" } });
    assertMatch(page.text, /log in at \/_ring\/login/);
  },
);

testWithNet("who logs in by the form may write from then on, until the session ends", async () => {
  await using site = await openSite({ secret, isPrivate: true }, files);
  const form = await site.ask("/_ring/login");
  assertMatch(form.text, /<form method="post" action="\/_ring\/login">/);
  assertMatch(
    form.header("content-security-policy") ?? "",
    /^default-src 'none'; .*form-action 'self'/,
  );
  const answer = await logIn(site, ` ${text}\n`);
  assertEquals([answer.status, answer.header("location")], [303, "/_ring/"]);
  const setCookie = answer.header("set-cookie") ?? "";
  assertMatch(setCookie, /; Path=\/; HttpOnly; SameSite=Strict$/);
  assert(!setCookie.includes(text));
  const cookie = cookieOf(answer);
  assertEquals((await site.ask({ target: "/a", headers: cookie })).text, "abc");
  assertEquals((await put(site, cookie)).status, 201);
  const known = await site.ask({ target: "/_ring/login", headers: cookie });
  assertMatch(known.text, /<form method="post" action="\/_ring\/logout">/);
  const out = await site.ask({
    method: "POST",
    target: "/_ring/logout",
    headers: cookie,
    body: "",
  });
  assertEquals(out.status, 303);
  assertMatch(out.header("set-cookie") ?? "", /^ring_session=; Max-Age=0; /);
});

testWithNet("a session that was begun on a page with HTTPS, by a proxy's, is Secure", async () => {
  await using site = await openSite({ secret });
  const host = "ring.test";
  for (
    const [origin, attributes] of [["https", /; Secure$/], ["http", /; SameSite=Strict$/]] as const
  ) {
    const answer = await logIn(site, text, { "Host": host, "Origin": `${origin}://${host}` });
    assertEquals(answer.status, 303);
    assertMatch(answer.header("set-cookie") ?? "", attributes);
  }
});

testWithNet("a session is good at every server of the ring, and at none of another", async () => {
  await using one = await openSite({ secret });
  await using other = await openSite({ secret });
  await using foreign = await openSite({ secret: new Secret(Secret.generate()) });
  const cookie = cookieOf(await logIn(one, text));
  assertEquals((await put(other, cookie)).status, 201);
  assertEquals((await put(foreign, cookie)).status, 401);
});

testWithNet("a session that is changed, or has ended, is none", async () => {
  await using site = await openSite({ secret });
  const [, end = "", nonce = "", proof = ""] = /=(\d+)\.([0-9a-f]+)\.([0-9a-f]+);/.exec(
    (await logIn(site, text)).header("set-cookie") ?? "",
  ) ?? [];
  const ask = async (value: string) =>
    (await put(site, { "Cookie": `ring_session=${value}` })).status;
  const past = "1000000000";
  for (
    const value of [
      `${Number(end) + 1}.${nonce}.${proof}`,
      `${end}.${"0".repeat(32)}.${proof}`,
      `${end}.${nonce}.${"0".repeat(64)}`,
      `${end}.${nonce}.`,
      `${past}.${nonce}.${secret.prove("ring session", [past, nonce])}`,
      `${end}.${nonce}.${secret.prove("ring dialler", [end, nonce])}`,
      text,
    ]
  ) assertEquals(await ask(value), 401, value);
  assertEquals(await ask(`${end}.${nonce}.${proof}`), 201);
});

testWithNet("who logs in with another secret gets the form again, and no session", async () => {
  await using site = await openSite({ secret });
  for (const value of ["", "wrong", Secret.generate()]) {
    const answer = await logIn(site, value);
    assertEquals([answer.status, answer.header("set-cookie")], [401, undefined]);
    assertMatch(answer.text, /That is not the ring&#39;s secret/);
  }
  const long = await logIn(site, "x".repeat(10_000));
  assertEquals(long.status, 413);
});

testWithNet("who guesses is made to wait, even with the right secret", async () => {
  await using site = await openSite({ secret });
  for (let count = 0; count < attemptsMax; count++) {
    const { status } = await (count % 2 === 0 ? put(site, wrong) : logIn(site, "guess"));
    assertEquals(status, 401);
  }
  for (const answer of [await put(site, bearer), await logIn(site, text)]) {
    assertEquals([answer.status, answer.header("retry-after")], [429, "60"]);
  }
});

testWithNet("without a secret there is no login, and everybody may write", async () => {
  await using site = await openSite();
  assertEquals((await site.ask("/_ring/login")).status, 404);
  assertEquals((await put(site, {})).status, 201);
});

for (const options of [{}, { secret }]) {
  testWithNet(
    `pages of other sites cannot write${"secret" in options ? ", session or not" : ""}`,
    async () => {
      await using site = await openSite(options, files);
      const host = `127.0.0.1:${site.port}`;
      const session = "secret" in options ? cookieOf(await logIn(site, text)) : {};
      const own = { "Host": host, ...session };
      for (
        const headers of [
          { "Origin": "https://evil.test" },
          { "Origin": "null" },
          { "Origin": `http://127.0.0.1:${site.port + 1}` },
          { "Sec-Fetch-Site": "cross-site" },
          { "Sec-Fetch-Site": "same-site" },
          // A page without TLS is no page of a server with it, though the host is the same.
          { "Sec-Fetch-Site": "cross-site", "Origin": `http://${host}` },
        ]
      ) {
        assertEquals(
          (await put(site, { ...own, ...headers })).status,
          403,
          JSON.stringify(headers),
        );
        const removal = { method: "DELETE", target: "/a", headers: { ...own, ...headers } };
        assertEquals((await site.ask(removal)).status, 403);
        if ("secret" in options) assertEquals((await logIn(site, text, headers)).status, 403);
      }
      assertEquals(site.backend.asked, []);
      for (const headers of [{}, { "Origin": `http://${host}` }, { "Sec-Fetch-Site": "none" }]) {
        assertEquals((await put(site, { ...own, ...headers })).status < 300, true);
      }
      assertEquals((await put(site, { ...own, "Sec-Fetch-Site": "same-origin" })).status, 204);
      // Behind a proxy that changes the host the browser's own word counts.
      const proxied = { "Origin": "https://ring.test", "Sec-Fetch-Site": "same-origin" };
      assertEquals((await put(site, { ...own, ...proxied })).status, 204);
    },
  );
}

testWithNet(
  "pages of the origin that --cors names may write, with the secret if there is one",
  async () => {
    const cors = "https://page.test";
    await using site = await openSite({ secret, cors });
    const headers = { "Origin": cors, "Sec-Fetch-Site": "cross-site" };
    assertEquals((await put(site, headers)).status, 401);
    assertEquals((await put(site, { ...headers, ...bearer })).status, 201);
    const preflight = await site.ask({
      method: "OPTIONS",
      target: "/new",
      headers: { "Origin": cors, "Access-Control-Request-Method": "PUT" },
    });
    assertMatch(preflight.header("access-control-allow-headers") ?? "", /Authorization/);
  },
);

testWithNet(
  "a page whose own name was made to point here cannot write where no secret is asked for",
  async () => {
    await using site = await openSite();
    await using locked = await openSite({ secret });
    const pageOf = (host: string) => ({ "Host": host, "Origin": `http://${host}` });
    for (const name of ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test"]) {
      const answer = await put(site, pageOf(`${name}:${site.port}`));
      assertEquals(answer.status, 403, name);
      assertMatch(answer.text, /by its IP address or a name of its own/);
      const host = { "Host": name, "Sec-Fetch-Site": "same-origin" };
      assertEquals((await put(site, host)).status, 403, name);
    }
    assertEquals(site.backend.asked, []);
    for (const name of ["127.0.0.1", "[::1]", "localhost", "nas", "nas.local", "10.0.0.7"]) {
      assertEquals((await put(site, pageOf(`${name}:${site.port}`))).status < 300, true, name);
    }
    assertEquals((await put(site, { "Host": "evil.test" })).status, 204, "curl has no page");
    const evil = { ...pageOf("ring.example.com"), ...bearer };
    assertEquals((await put(locked, evil)).status, 201, "who knows the secret says so");
  },
);

testWithNet("pages that --cors lets write files cannot log in", async () => {
  const cors = "https://page.test";
  await using site = await openSite({ secret, cors });
  assertEquals((await logIn(site, text, { "Origin": cors })).status, 403);
  assertEquals((await logIn(site, text)).status, 303);
});

testWithNet(
  "who may read the status of one server gets a ticket to listen at all, and for nothing else",
  async () => {
    await using one = await openSite({ secret, isPrivate: true }, files);
    await using other = await openSite({ secret, isPrivate: true }, files);
    await using open = await openSite({}, files);
    assertEquals((await one.ask("/_ring/status.json")).text.includes("ticket"), false);
    assertEquals((await open.ask("/_ring/status.json")).text.includes("ticket"), false);
    const status = await one.ask({ target: "/_ring/status.json", headers: bearer });
    const { ticket } = JSON.parse(status.text);
    const listen = async (ticket: string) => {
      const target = `/_ring/events?ticket=${ticket}`;
      const headers = { "Origin": "http://ring.test" };
      return await other.ask({ method: "HEAD", target, headers });
    };
    const heard = await listen(ticket);
    assertEquals([heard.status, heard.header("access-control-allow-origin")], [200, "*"]);

    const [end = "", nonce = "", proof = ""] = ticket.split(".");
    const past = "1000000000";
    const session = cookieOf(await logIn(one, text)).Cookie?.split("ring_session=")[1] ?? "";
    for (
      const wrong of [
        ...["", "x", session, `${Number(end) + 1}.${nonce}.${proof}`, `${end}.${nonce}.`],
        `${past}.${nonce}.${secret.prove("ring ticket", [past, nonce])}`,
      ]
    ) {
      const answer = await listen(wrong);
      assertEquals(answer.status, 401, wrong);
      assertEquals(answer.header("access-control-allow-origin"), undefined);
    }
    for (const target of ["/a", "/_ring/status.json", "/_ring/files.json", "/_ring/metrics"]) {
      assertEquals((await other.ask(`${target}?ticket=${ticket}`)).status, 401, target);
    }
    assertEquals((await put(other, {}, `/a?ticket=${ticket}`)).status, 401);
    assertEquals((await put(other, { "Cookie": `ring_session=${ticket}` })).status, 401);
  },
);
