/** What `wrk` prints, as numbers. */
import { assertEquals, assertThrows } from "@std/assert";
import { parseWrk } from "./wrk.ts";

/** As version 4.1.0 prints it, and the shell's `times` after it. */
const printed = `Running 3s test @ http://127.77.1.1:8043/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    24.31ms    9.16ms 103.62ms   84.63%
    Req/Sec     2.68k   393.50     3.35k    73.33%
  Latency Distribution
     50%  500.00us
     75%   27.14ms
     90%   32.78ms
     99%    1.27s 
  8021 requests in 3.01s, 2.21MB read
Requests/sec:   2666.90
Transfer/sec:    752.41KB
0m0.00s 0m0.01s
0m1.25s 0m0.50s
`;

Deno.test("parseWrk() reads requests, seconds, percentiles in any unit and the load's own time", () => {
  const report = parseWrk(printed);
  assertEquals(report.requests, 8021);
  assertEquals(report.seconds, 3.01);
  assertEquals(report.p50Ms, 0.5);
  assertEquals(report.p99Ms, 1270);
  assertEquals(report.cpuSeconds, 1.75);
});

Deno.test("parseWrk() counts minutes as seconds", () => {
  const minutes = printed.replace("in 3.01s,", "in 1.50m,");
  assertEquals(parseWrk(minutes.replace("0m1.25s", "2m1.25s")).seconds, 90);
  assertEquals(parseWrk(minutes.replace("0m1.25s", "2m1.25s")).cpuSeconds, 121.75);
});

const failures = [
  {
    what: "answers that are errors",
    from: "Requests/sec",
    to: "Non-2xx or 3xx responses: 3\nRequests",
  },
  {
    what: "connections that broke",
    from: "Requests/sec",
    to: "Socket errors: connect 0, read 1\nReq",
  },
  { what: "no answer at all", from: "8021 requests", to: "0 requests" },
  { what: "no totals", from: "requests in", to: "requests within" },
  { what: "no median", from: "     50%", to: "     51%" },
  { what: "no time of its own", from: /\dm.*s/g, to: "" },
];
for (const { what, from, to } of failures) {
  Deno.test(`parseWrk() refuses ${what}`, () => {
    assertThrows(() => parseWrk(printed.replace(from, to)), Error);
  });
}
