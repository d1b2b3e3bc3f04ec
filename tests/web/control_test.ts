import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { StatusAnswer } from "../../lib/ring/request.ts";
import { needs } from "../permission.ts";
import type { FakeBackend } from "./fake_backend.ts";
import { openSite } from "./open_site.ts";

/** Makes the backend a member of a list, with this status. */
function enlist(backend: FakeBackend, status: StatusAnswer["members"][number]["status"]): void {
  const original = backend.status.bind(backend);
  const member = { incarnation: 1, address: "127.0.0.1:4043", position: "80" };
  backend.status = () => ({
    ...original(),
    members: [
      { ...member, id: backend.id, status, web: backend.web },
      { ...member, id: "b".repeat(32), status: "dead", web: "http://127.0.0.2:8043/" },
    ],
  });
}

Deno.test({
  name: "/_ring/health is answered by 200 while the server lives, joining or not",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite();
    site.backend.isCurrent = false;
    const answer = await site.ask("/_ring/health");
    assertEquals([answer.status, answer.text], [200, "ok\n"]);
    assertEquals(answer.header("x-content-type-options"), "nosniff");
  },
});

for (const [status, expected] of [["joining", 503], ["alive", 200], ["suspect", 503]] as const) {
  Deno.test({
    name: `/_ring/ready of a server that is ${status} is answered by ${expected}`,
    ...needs("net"),
    fn: async () => {
      await using site = await openSite();
      enlist(site.backend, status);
      assertEquals((await site.ask("/_ring/ready")).status, expected);
    },
  });
}

Deno.test({
  name: "/_ring/ready of a server that stops is answered by 503",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite();
    enlist(site.backend, "alive");
    site.backend.isStopping = true;
    assertEquals((await site.ask("/_ring/ready")).status, 503);
    assertEquals((await site.ask("/_ring/health")).status, 200);
  },
});

Deno.test({
  name: "/_ring/status.json tells the ring as this server sees it, and what it has done",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite({}, { a: "12345" });
    enlist(site.backend, "alive");
    await site.ask({ method: "PUT", target: "/b", body: "1" });
    const answer = await site.ask("/_ring/status.json?now");
    assertEquals(answer.header("content-type"), "application/json");
    const status = JSON.parse(answer.text);
    assertEquals(
      [status.type, status.files, status.bytes, status.isReady, status.web],
      ["STATUS", 2, 6, true, site.backend.web],
    );
    assertEquals([status.requests, status.puts], [1, 1]);
    assertEquals(typeof status.uptimeSeconds, "number");
    assertEquals(status.members.length, 2);
  },
});

for (const path of ["status.json", "events"]) {
  Deno.test({
    name: `/_ring/${path} may be read by pages of members, and of nobody else`,
    ...needs("net"),
    fn: async () => {
      await using site = await openSite();
      enlist(site.backend, "alive");
      const target = `/_ring/${path}`;
      const allowed = async (headers: Record<string, string>) =>
        (await site.ask({ method: "HEAD", target, headers })).header("access-control-allow-origin");
      const member = "http://127.0.0.2:8043";
      assertEquals(await allowed({ Origin: member }), member);
      assertEquals(await allowed({ Origin: "http://127.0.0.3:8043" }), undefined);
      assertEquals(await allowed({}), undefined);
    },
  });
}

Deno.test({
  name: "/_ring/files.json lists files page by page, those that begin with a prefix",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite({}, { "a": "1", "b/1": "22", "b/2": "3", "c": "4" });
    site.backend.delete("c");
    const ask = async (query: string) =>
      JSON.parse((await site.ask(`/_ring/files.json${query}`)).text);
    const { files, next } = await ask("");
    assertEquals(files.map(({ name }: { name: string }) => name), ["a", "b/1", "b/2"]);
    assertEquals(next, undefined);
    assertEquals(files[0].modified, "2023-11-14T22:13:20.000Z");
    assertEquals([files[1].size, files[1].contentType], [2, "application/octet-stream"]);
    const first = await ask("?prefix=b/&limit=1");
    assertEquals([first.files.length, first.next], [1, "b/1"]);
    const second = await ask("?prefix=b%2F&limit=1&after=b%2F1");
    assertEquals([second.files[0].name, second.next], ["b/2", undefined]);
    for (const limit of ["0", "1001", "x", ""]) {
      assertEquals((await site.ask(`/_ring/files.json?limit=${limit}`)).status, 400);
    }
    site.backend.isCurrent = false;
    assertEquals((await site.ask("/_ring/files.json")).status, 503);
  },
});

Deno.test({
  name: "what is under /_ring/ is answered to GET and HEAD, and POST is refused",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite();
    for (const path of ["health", "ready", "status.json", "files.json", "metrics", "events"]) {
      const target = `/_ring/${path}`;
      const post = await site.ask({ method: "POST", target, body: "x" });
      assertEquals([post.status, post.header("allow")], [405, "GET, HEAD, OPTIONS"]);
      const head = await site.ask({ method: "HEAD", target });
      assertEquals(head.status, path === "ready" ? 503 : 200);
      assertEquals(head.body.length, 0);
    }
    assertEquals((await site.ask("/_ring/nothing")).status, 404);
  },
});

Deno.test({
  name: "/_ring/metrics has every sample in the text format of Prometheus",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite({}, { a: "12345" });
    enlist(site.backend, "alive");
    await site.ask("/a");
    await site.ask("/missing");
    await site.ask({ method: "PUT", target: "/b", body: "1" });
    site.backend.activity.checkSeconds.add(0.002);
    const answer = await site.ask("/_ring/metrics");
    assertEquals(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    const samples = parseMetrics(answer.text);
    assertEquals(samples.get('ring_http_requests_total{method="GET",status="200"}'), 1);
    assertEquals(samples.get('ring_http_requests_total{method="GET",status="404"}'), 1);
    assertEquals(samples.get('ring_http_requests_total{method="PUT",status="201"}'), 1);
    assertEquals(samples.get("ring_http_request_duration_seconds_count"), 3);
    assertEquals(samples.get('ring_http_request_duration_seconds_bucket{le="+Inf"}'), 3);
    assertEquals(samples.get('ring_check_duration_seconds_bucket{le="0.001"}'), 0);
    assertEquals(samples.get('ring_check_duration_seconds_bucket{le="0.0025"}'), 1);
    assertEquals(samples.get("ring_http_connections"), 1);
    assertEquals(samples.get('ring_members{status="alive"}'), 1);
    assertEquals(samples.get('ring_members{status="dead"}'), 1);
    assertEquals([samples.get("ring_files"), samples.get("ring_stored_bytes")], [2, 6]);
    assertEquals([samples.get("ring_ready"), samples.get("ring_disk_full")], [1, 0]);
    assert((samples.get("ring_http_received_bytes_total") ?? 0) > 100);
    assert((samples.get("ring_http_sent_bytes_total") ?? 0) > 100);
    for (const name of ["ring_hops_total", "ring_repaired_records_total", "ring_uptime_seconds"]) {
      assert(samples.has(name), name);
    }
    assertStringIncludes(answer.text, "# TYPE ring_check_duration_seconds histogram\n");
  },
});

/** The samples of a text in the format of Prometheus; fails if a line is none. */
function parseMetrics(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.trimEnd().split("\n")) {
    if (/^# (HELP [a-z_]+ \S.*|TYPE [a-z_]+ (counter|gauge|histogram))$/.test(line)) continue;
    assertMatch(line, /^[a-z_]+(\{([a-z]+="[^"\\]*",?)+\})? [0-9.e+-]+$/);
    const [, name = "", value = ""] = /^(.*) (\S+)$/.exec(line) ?? [];
    assert(!samples.has(name), `${name} is there twice`);
    samples.set(name, Number(value));
  }
  return samples;
}
