/** Metrics, as strictly as whoever scrapes them reads them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { testWithNet } from "../permission.ts";
import type { MemberMessage } from "../../lib/ring/message.ts";
import { openSite } from "./open_site.ts";

/** What is to be known of a server, at the least, and as what. */
const wanted: Readonly<Record<string, "counter" | "gauge" | "histogram">> = {
  ring_http_requests_total: "counter",
  ring_http_request_duration_seconds: "histogram",
  ring_http_received_bytes_total: "counter",
  ring_http_sent_bytes_total: "counter",
  ring_files: "gauge",
  ring_stored_bytes: "gauge",
  ring_members: "gauge",
  ring_circles_total: "counter",
  ring_hops_total: "counter",
  ring_check_duration_seconds: "histogram",
  ring_repaired_records_total: "counter",
  ring_damaged_records_total: "counter",
  ring_disk_full: "gauge",
};

/** All samples that belong together. */
interface Family {
  readonly type: string;
  /** By name and labels. */
  readonly samples: Map<string, number>;
}

/** Reads the text format 0.0.4; fails if a line is none of it, or anything is told twice. */
function parseFamilies(text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, Family>();
  const lines = text.split("\n");
  assertEquals(lines.pop(), "", "the last line ends as well");
  let name = "";
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    const [, helped] = /^# HELP ([a-z][a-z_]*) \S/.exec(line) ?? [];
    if (helped === undefined) addSample(families, name, line);
    else {
      name = helped;
      assert(!families.has(name), `${name} is there twice`);
      const [, type = ""] = new RegExp(`^# TYPE ${name} (\\w+)$`).exec(lines[++index] ?? "") ?? [];
      assertMatch(type, /^(counter|gauge|histogram)$/);
      families.set(name, { type, samples: new Map() });
    }
  }
  return families;
}

function addSample(families: ReadonlyMap<string, Family>, name: string, line: string): void {
  const family = families.get(name);
  const [, key = "", value = ""] =
    /^([a-z_]+(?:\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z]+="(?:[^"\\\n]|\\["\\n])*")*\})?) (\S+)$/
      .exec(line) ?? [];
  const base = key.replace(/\{.*/, "");
  const endings = family?.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  assert(endings.some((ending) => base === name + ending), `"${line}" is no sample of ${name}`);
  assert(Number.isFinite(Number(value)) && value !== "", `"${line}" has no number`);
  assert(!family?.samples.has(key), `${key} is there twice`);
  family?.samples.set(key, Number(value));
}

/** Fails unless a histogram counts more from bucket to bucket, and all in the end. */
function assertHistogram(name: string, { samples }: Family): void {
  const buckets = [...samples].filter(([key]) => key.startsWith(`${name}_bucket`));
  const bounds = buckets.map(([key]) => {
    const [, bound = ""] = /\{le="(.*)"\}/.exec(key) ?? [];
    return bound === "+Inf" ? Infinity : Number(bound);
  });
  assertEquals(bounds, bounds.toSorted((a, b) => a - b));
  assertEquals(bounds.at(-1), Infinity);
  const counts = buckets.map(([, count]) => count);
  assertEquals(counts, counts.toSorted((a, b) => a - b));
  assertEquals(samples.get(`${name}_count`), counts.at(-1));
  assert(samples.has(`${name}_sum`));
}

const check: MemberMessage = {
  type: "CHECKED",
  from: "b".repeat(32),
  to: "f".repeat(32),
  sequence: 1,
  list: "",
  files: "",
  wall: 0,
};

testWithNet("metrics are what whoever scrapes them can read, each told once", async () => {
  await using site = await openSite({}, { a: "12345" });
  site.backend.activity.noteReceived(check, performance.now());
  for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "POST", "PATCH", "BREW"]) {
    await site.ask({ method, target: "/b", ...(method === "PUT" ? { body: "1" } : {}) });
  }
  const families = parseFamilies((await site.ask("/_ring/metrics")).text);
  for (const [name, type] of Object.entries(wanted)) {
    assertEquals(families.get(name)?.type, type, name);
  }
  for (const [name, family] of families) {
    assertMatch(name, /^ring_/);
    assertEquals(name.endsWith("_total"), family.type === "counter", name);
    if (family.type === "histogram") assertHistogram(name, family);
  }
  const requests = families.get("ring_http_requests_total")?.samples;
  assertEquals(requests?.get('ring_http_requests_total{method="OTHER",status="405"}'), 2);
});
