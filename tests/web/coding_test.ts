import { assertEquals } from "@std/assert";
import { acceptedCodings, isCompressible, isWorthCompressing } from "../../lib/web/coding.ts";

Deno.test("acceptedCodings() puts what the client likes best first", () => {
  const cases = [
    [undefined, "identity"],
    ["", "identity"],
    ["identity", "identity"],
    ["br", "br identity"],
    ["gzip, deflate, br, zstd", "br gzip identity"],
    ["gzip", "gzip identity"],
    ["x-gzip", "gzip identity"],
    ["GZip;Q=1", "gzip identity"],
    ["gzip;q=1.0, br;q=0.5", "gzip br identity"],
    ["gzip; q=0.001 , br;q=0", "gzip identity"],
    ["identity, gzip;q=0.5", "identity gzip"],
    ["*", "br gzip identity"],
    ["*;q=0.5, gzip", "gzip br identity"],
    ["br;q=0, *", "gzip identity"],
    ["deflate, zstd", "identity"],
    // Nothing but what is named.
    ["identity;q=0", ""],
    ["gzip, identity;q=0", "gzip"],
    ["*;q=0", ""],
    ["br, *;q=0", "br"],
    ["*;q=0, identity;q=0.1", "identity"],
    // A weight that is none counts as a refusal.
    ["br;q=2", "identity"],
    ["br;q=x", "identity"],
    ["br;q=-1, gzip", "gzip identity"],
  ] as const;
  for (const [header, expected] of cases) {
    assertEquals(acceptedCodings(header).join(" "), expected, header);
  }
});

Deno.test("isCompressible() knows the types that shrink", () => {
  const yes = [
    ...["text/html; charset=utf-8", "text/plain", "Text/CSS", "application/json"],
    ...["text/javascript", "application/javascript", "application/manifest+json"],
    ...["application/xml", "application/atom+xml", "image/svg+xml", "application/wasm"],
  ];
  const no = ["image/png", "application/octet-stream", "video/mp4", "font/woff2", "", "text/"];
  for (const type of yes) assertEquals(isCompressible(type), true, type);
  for (const type of no) assertEquals(isCompressible(type), false, type);
});

Deno.test("isWorthCompressing() wants more than 1 KiB, and at most 4 MiB", () => {
  const sizes = [0, 1024, 1025, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1];
  assertEquals(sizes.map(isWorthCompressing), [false, false, true, true, false]);
});
