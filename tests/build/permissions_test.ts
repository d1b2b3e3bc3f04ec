import { assertEquals, assertThrows } from "@std/assert";
import { BuildError } from "../../lib/build/build_error.ts";
import { extraHostsMax, parseExtraHosts, runtimeFlags } from "../../lib/build/permissions.ts";

const files = Deno.build.os === "windows" ? "" : "=/";

const valid: readonly string[] = [
  "example.com",
  "example.com:443",
  "*.example.com",
  "web-1",
  "203.0.113.7",
  "203.0.113.7:4043",
  "203.0.113.0/24",
  "0.0.0.0",
  "[::]",
  "[2001:db8::1]",
  "[2001:db8::1]:4043",
];

const invalid: readonly string[] = [
  "a b",
  "http://example.com",
  "example.com/24",
  "example.com:0",
  "example.com:65536",
  "256.1.1.1",
  "1.2.3",
  "203.0.113.0/33",
  "203.0.113.0/24:80",
  "2001:db8::1",
  "[2001:db8::]/32",
  "[1.2.3.4]",
  "-x",
  "a..b",
  "a'b",
  "--allow-run",
  "x".repeat(260),
];

Deno.test("parseExtraHosts() reads hosts, addresses and networks", () => {
  assertEquals(parseExtraHosts(valid.join(",")), valid);
  assertEquals(parseExtraHosts(" example.com , [::1],"), ["example.com", "[::1]"]);
  assertEquals(parseExtraHosts(""), []);
});

for (const host of invalid) {
  Deno.test(`parseExtraHosts() refuses ${host.slice(0, 40)}`, () => {
    assertThrows(() => parseExtraHosts(`example.com,${host}`), BuildError, `"${host}"`);
  });
}

Deno.test("parseExtraHosts() refuses too many hosts", () => {
  const hosts = Array.from({ length: extraHostsMax + 1 }, (_, index) => `host${index}`);
  assertThrows(() => parseExtraHosts(hosts.join(",")), BuildError, "65 are more than 64");
});

Deno.test("runtimeFlags() adds the hosts of RING_NET to the private ones", () => {
  const [net = ""] = runtimeFlags(["example.com"]);
  assertEquals(net.startsWith("--allow-net=127.0.0.0/8,[::1],localhost,10.0.0.0/8,"), true);
  assertEquals(net.endsWith(",192.168.0.0/16,example.com"), true);
});

Deno.test("runtimeFlags() grants neither running programs nor foreign functions", () => {
  const names = runtimeFlags().map((flag) => flag.replace(/=[^/].*$/, ""));
  assertEquals(names, [
    "--allow-net",
    "--allow-env",
    `--allow-read${files}`,
    `--allow-write${files}`,
    "--no-remote",
    "--no-prompt",
    "--v8-flags",
  ]);
});
