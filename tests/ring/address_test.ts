import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { addressLengthMax, formatAddress, parseAddress } from "../../lib/ring/address.ts";

Deno.test("parseAddress() reads host and port", () => {
  const cases: readonly [string, { host: string; port: number }][] = [
    ["127.0.1.1:4043", { host: "127.0.1.1", port: 4043 }],
    ["localhost:1", { host: "localhost", port: 1 }],
    ["ws-1.example.com:65535", { host: "ws-1.example.com", port: 65535 }],
    ["[::1]:4043", { host: "::1", port: 4043 }],
    ["[::ffff:10.0.0.1]:80", { host: "::ffff:10.0.0.1", port: 80 }],
  ];
  for (const [text, expected] of cases) {
    assertEquals(parseAddress(text), expected, text);
    assertEquals(formatAddress(expected), text);
  }
});

Deno.test("parseAddress() returns undefined for anything else", () => {
  const bad = [
    "",
    "localhost",
    "localhost:",
    ":4043",
    "localhost:0",
    "localhost:65536",
    "localhost:123456",
    "localhost:-1",
    "localhost: 80",
    "local host:80",
    "::1:4043",
    "[]:4043",
    "[localhost]:4043",
    "host/path:80",
    "http://host:80",
    "host:80\n",
  ];
  for (const text of bad) assertEquals(parseAddress(text), undefined, JSON.stringify(text));
});

Deno.test("parseAddress() reads at most addressLengthMax characters", () => {
  const longest = `${"a".repeat(addressLengthMax - 3)}:80`;
  assertEquals(parseAddress(longest)?.port, 80);
  assertEquals(parseAddress(`a${longest}`), undefined);
});

Deno.test("parseAddress() reads what formatAddress() writes", () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
  const port = fc.integer({ min: 1, max: 65535 });
  fc.assert(fc.property(host, port, (host, port) => {
    fc.pre(host.length + 6 <= addressLengthMax);
    assertEquals(parseAddress(formatAddress({ host, port })), { host, port });
  }));
});
