/** A ring behind nginx, which caches what the servers say may be cached, and asks each in turn. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { eventually } from "../eventually.ts";
import { Nginx } from "./nginx.ts";
import type { Machine, ServerProcess } from "./ring_process.ts";
import { sampleBytes, sha256 } from "./sample.ts";
import { testOnMachine } from "./test_on_machine.ts";
import { needsProgram, putOverWeb, webUrl } from "./web_front.ts";

/** Long enough for a second request to be a hit, short enough to wait for a revalidation. */
const cacheControl = "max-age=1";

/** What came through the proxy. */
interface Got {
  readonly status: number;
  /** `MISS`, `HIT`, `EXPIRED`, `REVALIDATED`; `null` where nothing is cached. */
  readonly cache: string | null;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

function testBehindNginx(
  name: string,
  body: (nginx: Nginx, servers: readonly ServerProcess[]) => Promise<void>,
): void {
  testOnMachine(name, async (machine: Machine) => {
    const servers = await machine.startRing(3, ["--cache-control", cacheControl]);
    await using nginx = await Nginx.start(machine, servers);
    await body(nginx, servers);
  }, needsProgram("nginx"));
}

testBehindNginx("a caching proxy answers a second request by itself", async (nginx, servers) => {
  const [first] = servers;
  assert(first);
  const bytes = sampleBytes(100_000);
  const etag = await putOverWeb(first, "a.bin", bytes);
  const missed = await get(`${nginx.url}a.bin`);
  assertEquals([missed.status, missed.cache, sha256(missed.body)], [200, "MISS", sha256(bytes)]);
  const hit = await getFromCache(`${nginx.url}a.bin`, "HIT");
  assertEquals([hit.status, sha256(hit.body)], [200, sha256(bytes)]);
  for (const name of ["etag", "last-modified", "content-type", "cache-control"]) {
    assertEquals(hit.headers.get(name), missed.headers.get(name));
  }
  assertEquals(hit.headers.get("etag"), etag);
  assertEquals(hit.headers.get("cache-control"), cacheControl);
});

testBehindNginx(
  "a caching proxy revalidates at any server, and finds what was put at another",
  async (nginx, servers) => {
    const [first, second, ...others] = servers;
    assert(first && second);
    const [before, after] = [sampleBytes(100_000, 1), sampleBytes(200_000, 2)];
    const url = `${nginx.url}a.bin`;
    const etag = await putOverWeb(first, "a.bin", before);
    await get(url);
    // The first server was asked; each time it is another's turn to say that nothing has changed.
    for (const _ of [second, ...others]) {
      const same = await getFromCache(url, "REVALIDATED");
      assertEquals([same.headers.get("etag"), sha256(same.body)], [etag, sha256(before)]);
    }
    const newEtag = await putOverWeb(second, "a.bin", after);
    const changed = await getFromCache(url, "EXPIRED");
    assertEquals([changed.headers.get("etag"), sha256(changed.body)], [newEtag, sha256(after)]);
    const hit = await getFromCache(url, "HIT");
    assertEquals(sha256(hit.body), sha256(after));
  },
);

testBehindNginx("a proxy gives ranges, from its cache or a server's", async (nginx, servers) => {
  const [first] = servers;
  assert(first);
  const bytes = sampleBytes(100_000);
  const etag = await putOverWeb(first, "a.bin", bytes);
  const headers = { "Range": "bytes=50000-59999", "If-Range": etag };
  for (const cache of ["MISS", "HIT"]) {
    const got = await getFromCache(`${nginx.url}a.bin`, cache, headers);
    assertPart(got, bytes.subarray(50_000, 60_000));
  }
  for (const _ of servers) {
    const got = await get(`${nginx.url}direct/a.bin`, headers);
    assertEquals([got.cache, got.headers.get("etag")], [null, etag]);
    assertPart(got, bytes.subarray(50_000, 60_000));
  }
  const several = await get(`${nginx.url}direct/a.bin`, { "Range": "bytes=0-9,-10" });
  assertEquals(several.status, 206);
  assertMatch(several.headers.get("content-type") ?? "", /^multipart\/byteranges; boundary=/);
});

testBehindNginx("a file is put through a proxy", async (nginx, servers) => {
  const bytes = sampleBytes(3_000_000);
  const response = await fetch(`${nginx.url}a.bin`, { method: "PUT", body: bytes });
  await response.body?.cancel();
  assertEquals([response.status, response.headers.get("location")], [201, "/a.bin"]);
  for (const server of servers) {
    const { body } = await get(webUrl(server, "a.bin"));
    assertEquals(sha256(body), sha256(bytes));
  }
});

function assertPart({ status, headers, body }: Got, expected: Uint8Array): void {
  assertEquals(status, 206);
  assertEquals(headers.get("content-range"), "bytes 50000-59999/100000");
  assertEquals(sha256(body), sha256(expected));
}

/** Asks until the proxy says that it answered so: how fast the time goes by is not ours to say. */
async function getFromCache(
  url: string,
  cache: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Got> {
  return await eventually(async () => {
    const got = await get(url, headers);
    return got.cache === cache && got;
  }, { what: `a ${cache}` });
}

async function get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Got> {
  const response = await fetch(url, { headers });
  const body = new Uint8Array(await response.arrayBuffer());
  const { status } = response;
  return { status, cache: response.headers.get("x-cache"), headers: response.headers, body };
}
