import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { testWithNet } from "../permission.ts";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { HttpAnswer } from "./exchange.ts";
import { type OpenSite, openSite } from "./open_site.ts";

const text = "All work and no play. ".repeat(200);
const large = text.repeat(40);
const files = { "a.txt": text, "large.txt": large, "image.png": text, "short.txt": "a" };
const bothCodings = "gzip, deflate, br, zstd";

testWithNet(
  "a compressible file is compressed once, and then sent so to who takes it",
  async () => {
    await using site = await openSite({}, files);
    for (const [name, content] of [["a.txt", text], ["large.txt", large]] as const) {
      const plain = await site.ask(`/${name}`);
      for (
        const [coding, decode] of [["br", brotliDecompressSync], ["gzip", gunzipSync]] as const
      ) {
        const answer = await askUntilCoded(site, `/${name}`, coding);
        assertEquals(decode(answer.body).toString(), content);
        assertEquals(answer.header("content-encoding"), coding);
        assertEquals(answer.header("etag"), plain.header("etag")?.replace(/"$/, `-${coding}"`));
        assertEquals(answer.header("vary"), "Accept-Encoding");
        assertEquals(answer.header("repr-digest"), undefined);
        assertEquals(answer.header("content-length"), String(answer.body.length));
        for (const field of ["content-type", "last-modified", "cache-control"]) {
          assertEquals(answer.header(field), plain.header(field), field);
        }
      }
    }
    const { bodiesOpened } = site.backend;
    await site.ask({ target: "/large.txt", headers: { "Accept-Encoding": "gzip" } });
    assertEquals([site.backend.bodiesOpened, site.backend.openBodies], [bodiesOpened, 0]);
  },
);

testWithNet("the first who asks is not made to wait for the compression", async () => {
  await using site = await openSite({}, files);
  const headers = { "Accept-Encoding": bothCodings };
  const answer = await site.ask({ target: "/a.txt", headers });
  assertEquals([answer.header("content-encoding"), answer.text], [undefined, text]);
  assertEquals(answer.header("vary"), "Accept-Encoding");
  await askUntilCoded(site, "/a.txt", "br");
});

testWithNet("br is preferred to gzip, and what the client prefers to both", async () => {
  await using site = await openSite({}, files);
  await askUntilCoded(site, "/a.txt", "gzip");
  await askUntilCoded(site, "/a.txt", "br");
  const wishes = [
    [bothCodings, "br"],
    ["*", "br"],
    ["br;q=0.5, gzip;q=0.6", "gzip"],
    ["br;q=0, *", "gzip"],
    ["identity, br;q=0.5", undefined],
    ["deflate", undefined],
    ["gzip;q=0, br;q=0", undefined],
  ] as const;
  for (const [wish, coding] of wishes) {
    const answer = await site.ask({ target: "/a.txt", headers: { "Accept-Encoding": wish } });
    assertEquals(answer.header("content-encoding"), coding, wish);
  }
});

testWithNet("what is too small, or of a type that does not shrink, is sent as it is", async () => {
  await using site = await openSite({}, files);
  const varies = [["/image.png", undefined], ["/short.txt", "Accept-Encoding"]] as const;
  for (const [target, vary] of varies) {
    for (let i = 0; i < 3; i++) {
      const answer = await site.ask({ target, headers: { "Accept-Encoding": "br" } });
      assertEquals(answer.header("content-encoding"), undefined);
      assertEquals(answer.header("vary"), vary);
    }
  }
});

testWithNet(
  "a client that refuses the file as it is waits for the compression, or gets a 406",
  async () => {
    await using site = await openSite({}, files);
    const ask = (target: string, wish: string) =>
      site.ask({ target, headers: { "Accept-Encoding": wish } });
    assertEquals((await ask("/a.txt", "gzip, identity;q=0")).header("content-encoding"), "gzip");
    assertEquals((await ask("/large.txt", "br, *;q=0")).header("content-encoding"), "br");
    for (
      const [target, wish] of [["/a.txt", "*;q=0"], ["/image.png", "br, identity;q=0"]] as const
    ) {
      const answer = await ask(target, wish);
      assertEquals(answer.status, 406);
    }
  },
);

testWithNet("many who ask for the same at once have it compressed once", async () => {
  await using site = await openSite({}, files);
  const headers = { "Accept-Encoding": "br, identity;q=0" };
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => site.ask({ target: "/large.txt", headers })),
  );
  assertEquals(new Set(answers.map((answer) => answer.header("content-encoding"))).size, 1);
  assertEquals(site.backend.bodiesOpened, 1);
});

testWithNet("a sidecar is sent instead of what would be compressed here", async () => {
  const sidecars = { "a.txt.br": "as brotli", "a.txt.gz": "as gzip" };
  await using site = await openSite({}, { ...files, ...sidecars });
  for (const [coding, content] of [["br", "as brotli"], ["gzip", "as gzip"]] as const) {
    const headers = { "Accept-Encoding": coding };
    const answer = await site.ask({ target: "/a.txt", headers });
    assertEquals([answer.status, answer.text], [200, content]);
    assertEquals(answer.header("content-encoding"), coding);
    assertEquals(answer.header("content-type"), "text/plain; charset=utf-8");
    assertNotEquals(answer.header("etag"), (await site.ask("/a.txt")).header("etag"));
    const again = await site.ask({
      target: "/a.txt",
      headers: { ...headers, "If-None-Match": answer.header("etag") ?? "" },
    });
    assertEquals([again.status, again.header("etag")], [304, answer.header("etag")]);
  }
});

testWithNet("a sidecar that comes, changes, or goes is noticed", async () => {
  await using site = await openSite({}, { "short.txt": "a" });
  const ask = () => site.ask({ target: "/short.txt", headers: { "Accept-Encoding": "br" } });
  assertEquals((await ask()).text, "a");
  site.backend.put("short.txt.br", "one");
  const first = await ask();
  site.backend.put("short.txt.br", "two");
  const second = await ask();
  assertEquals([first.text, second.text], ["one", "two"]);
  assertNotEquals(first.header("etag"), second.header("etag"));
  assertNotEquals(first.header("last-modified"), second.header("last-modified"));
  site.backend.delete("short.txt.br");
  assertEquals((await ask()).text, "a");
});

for (const isCurrent of [true, false]) {
  const where = isCurrent ? "is current" : "may be behind";
  testWithNet(
    `a sidecar of a file that was replaced since is left, while the server ${where}`,
    async () => {
      await using site = await openSite({}, { "short.txt": "old", "short.txt.gz": "of old" });
      site.backend.isCurrent = isCurrent;
      const ask = () => site.ask({ target: "/short.txt", headers: { "Accept-Encoding": "gzip" } });
      assertEquals((await ask()).text, "of old");
      site.backend.put("short.txt", "new");
      assertEquals((await ask()).text, "new");
      site.backend.put("short.txt.gz", "of new");
      assertEquals((await ask()).text, "of new");
      assertEquals(site.backend.openBodies, 0);
    },
  );
}

testWithNet(
  "sidecars are looked for all over the ring while this server may be behind",
  async () => {
    await using site = await openSite({}, { "short.txt": "a", "short.txt.gz": "sidecar" });
    site.backend.isCurrent = false;
    const headers = { "Accept-Encoding": "gzip" };
    assertEquals((await site.ask({ target: "/short.txt", headers })).text, "sidecar");
    assertEquals(site.backend.openBodies, 0);
  },
);

testWithNet("a compressed form that a client has is as good as the file", async () => {
  await using site = await openSite({}, files);
  const etag = (await site.ask("/a.txt")).header("etag")?.replace(/"$/, '-br"') ?? "";
  const headers = { "Accept-Encoding": "br", "If-None-Match": etag };
  // This server may never have compressed it itself.
  const answer = await site.ask({ target: "/a.txt", headers });
  assertEquals([answer.status, answer.header("etag")], [304, etag]);
  assertEquals(answer.header("vary"), "Accept-Encoding");
});

testWithNet("a 304 by the date has the tag of the form that would be sent", async () => {
  await using site = await openSite({}, files);
  const { header } = await askUntilCoded(site, "/a.txt", "br");
  const headers = {
    "Accept-Encoding": "br",
    "If-Modified-Since": header("last-modified") ?? "",
  };
  const answer = await site.ask({ target: "/a.txt", headers });
  assertEquals([answer.status, answer.header("etag")], [304, header("etag")]);
});

/** Asks until the file comes in this coding. */
async function askUntilCoded(site: OpenSite, target: string, coding: string): Promise<HttpAnswer> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const answer = await site.ask({ target, headers: { "Accept-Encoding": coding } });
    if (answer.header("content-encoding") !== undefined) return answer;
    assert(performance.now() < deadline, `${target} does not come as ${coding}`);
  }
}
