import { assertEquals } from "@std/assert";
import { testWithNet } from "../permission.ts";
import { openSite } from "./open_site.ts";

const modified = "Tue, 14 Nov 2023 22:13:20 GMT";
const earlier = "Tue, 14 Nov 2023 22:13:19 GMT";

testWithNet("a client that has the file is told so, and no more", async () => {
  await using site = await openSite({}, { "a.html": "abc" });
  const etag = (await site.ask("/a.html")).header("etag") ?? "";
  const conditions: Record<string, string>[] = [
    { "If-None-Match": etag },
    { "If-None-Match": `"other", W/${etag}` },
    { "If-None-Match": "*" },
    { "If-Modified-Since": modified },
    { "If-None-Match": etag, "If-Modified-Since": earlier },
    { "If-Match": etag, "If-None-Match": etag },
  ];
  using connection = await site.connect();
  for (const method of ["GET", "HEAD"]) {
    for (const headers of conditions) {
      const answer = await connection.ask({ method, target: "/a.html", headers });
      assertEquals(answer.status, 304, JSON.stringify(headers));
      assertEquals(answer.header("etag"), etag);
      assertEquals(answer.header("last-modified"), modified);
      assertEquals(answer.header("cache-control"), "no-cache");
      assertEquals(answer.header("vary"), "Accept-Encoding");
      assertEquals(answer.header("content-type"), undefined);
      assertEquals(answer.header("content-length"), undefined);
      assertEquals(answer.header("repr-digest"), undefined);
    }
  }
});

testWithNet("a client that has another state of the file gets this one", async () => {
  await using site = await openSite({}, { "a.html": "abc" });
  const etag = (await site.ask("/a.html")).header("etag") ?? "";
  const conditions: Record<string, string>[] = [
    { "If-None-Match": '"other"' },
    { "If-None-Match": '"other"', "If-Modified-Since": modified },
    { "If-Modified-Since": earlier },
    { "If-Modified-Since": "last week" },
    { "If-Match": etag },
    { "If-Match": "*" },
    { "If-Unmodified-Since": modified },
  ];
  for (const headers of conditions) {
    const answer = await site.ask({ target: "/a.html", headers });
    assertEquals([answer.status, answer.text], [200, "abc"], JSON.stringify(headers));
  }
});

testWithNet("a client that insists on another state of the file gets a 412", async () => {
  await using site = await openSite({}, { "a.html": "abc" });
  const etag = (await site.ask("/a.html")).header("etag") ?? "";
  const conditions: Record<string, string>[] = [
    { "If-Match": '"other"' },
    { "If-Match": `W/${etag}` },
    { "If-Unmodified-Since": earlier },
    { "If-Match": '"other"', "If-None-Match": etag },
    { "If-Match": '"other"', "Range": "bytes=0-0" },
  ];
  for (const headers of conditions) {
    const answer = await site.ask({ target: "/a.html", headers });
    assertEquals(answer.status, 412, JSON.stringify(headers));
    assertEquals(answer.header("content-type"), "application/problem+json");
  }
});

testWithNet(
  "conditions come before ranges, and count for nothing where there is no file",
  async () => {
    await using site = await openSite({}, { "a.html": "abc" });
    const etag = (await site.ask("/a.html")).header("etag") ?? "";
    const headers = { "If-None-Match": etag, "Range": "bytes=0-0" };
    assertEquals((await site.ask({ target: "/a.html", headers })).status, 304);
    for (const name of ["If-Match", "If-None-Match"]) {
      const answer = await site.ask({ target: "/nothing", headers: { [name]: "*" } });
      assertEquals(answer.status, 404);
    }
  },
);

testWithNet("a large file that a client has is not opened", async () => {
  await using site = await openSite({}, { "a": new Uint8Array(100_000) });
  const headers = { "If-None-Match": "*" };
  assertEquals((await site.ask({ target: "/a", headers })).status, 304);
  assertEquals(site.backend.bodiesOpened, 0);
  site.backend.isCurrent = false;
  assertEquals((await site.ask({ target: "/a", headers })).status, 304);
  assertEquals([site.backend.bodiesOpened, site.backend.openBodies], [1, 0]);
});
