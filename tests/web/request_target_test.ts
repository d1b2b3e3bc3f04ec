import { assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { nameError } from "../../lib/protocol/name.ts";
import { encodeName, parseTarget } from "../../lib/web/request_target.ts";

Deno.test("parseTarget() tells files, folders, the ring and the server apart", () => {
  const targets = [
    ["/a", { type: "file", name: "a" }],
    ["/a/b.html", { type: "file", name: "a/b.html" }],
    ["/.well-known/x", { type: "file", name: ".well-known/x" }],
    ["/", { type: "folder", prefix: "" }],
    ["/a/", { type: "folder", prefix: "a/" }],
    ["/_ring", { type: "ring", path: "_ring" }],
    ["/_ring/", { type: "ring", path: "_ring/" }],
    ["/_ring/health", { type: "ring", path: "_ring/health" }],
    ["/%5fring/health", { type: "ring", path: "_ring/health" }],
    ["/_rings", { type: "file", name: "_rings" }],
    ["/a/_ring/b", { type: "file", name: "a/_ring/b" }],
    ["*", { type: "server" }],
  ] as const;
  for (const [target, expected] of targets) assertEquals(parseTarget(target), expected, target);
});

Deno.test("parseTarget() leaves out a query, and takes a URL by its path", () => {
  const targets = [
    ["/a?b=c", { type: "file", name: "a" }],
    ["/a/?after=b", { type: "folder", prefix: "a/" }],
    ["/?", { type: "folder", prefix: "" }],
    ["http://ring.test:8043/a%20b?c", { type: "file", name: "a b" }],
    ["HTTPS://ring.test", { type: "folder", prefix: "" }],
    ["http://ring.test?a", { type: "folder", prefix: "" }],
  ] as const;
  for (const [target, expected] of targets) assertEquals(parseTarget(target), expected, target);
});

Deno.test("parseTarget() decodes a name once", () => {
  const names = [
    ["/a%20b", "a b"],
    ["/%C3%A9", "é"],
    ["/a%2Fb", "a/b"],
    ["/a%252Fb", "a%2Fb"],
    ["/100%25", "100%"],
    ["/a+b", "a+b"],
    ["/a%3Fb", "a?b"],
    ["/a%23b", "a#b"],
  ] as const;
  for (const [target, name] of names) assertEquals(parseTarget(target), { type: "file", name });
});

Deno.test("parseTarget() refuses what is no name", () => {
  const targets = [
    ...[
      "/..",
      "/../a",
      "/a/..",
      "/a/../b",
      "/./a",
      "/a/.",
      "/a/./",
      "/a/../",
      "//",
      "//a",
      "/a//b",
    ],
    ...["/%2e%2e", "/%2e%2e/a", "/a%2f..", "/a/%2e%2e%2fb", "/..%2f", "/%2F", "/%2fa"],
    ...["/a%00", "/%00", "/a\\b", "/a%5Cb", "/a%0a", "/%7f", "/a%C2%80"],
    ...["/%", "/%2", "/%zz", "/%c3", "/%c0%ae", "/%ed%a0%80", "/%ff"],
    ...[
      "/a#b",
      "/a b",
      "",
      "a",
      "a/b",
      "ring.test:80",
      "ftp://ring.test/a",
      "http://",
      "http:///a",
    ],
    `/${"a".repeat(1025)}`,
    `/${"%C3%A9".repeat(513)}`,
  ];
  for (const target of targets) assertEquals(parseTarget(target).type, "invalid", target);
});

Deno.test("parseTarget() says why", () => {
  const target = parseTarget("/a/../b");
  assertStringIncludes(target.type === "invalid" ? target.detail : "", '"..');
});

Deno.test("parseTarget() gives back every name that encodeName() makes a path of", () => {
  const names = fc.string({ unit: "binary", maxLength: 20 }).filter((name) =>
    nameError(name) === undefined && !name.endsWith("/") && !/^_ring(\/|$)/.test(name)
  );
  fc.assert(fc.property(names, (name) => {
    assertEquals(parseTarget(encodeName(name)), { type: "file", name });
  }));
});

Deno.test("parseTarget() gives valid names, or none, of any text", () => {
  const texts = fc.array(fc.constantFrom(..."/%._aring2eF0\\:?#é*".split("")), { maxLength: 12 });
  fc.assert(
    fc.property(texts, (text) => {
      const target = parseTarget(`/${text.join("")}`);
      if (target.type === "file") assertEquals(nameError(target.name), undefined);
      if (target.type === "folder" && target.prefix !== "") {
        assertEquals(nameError(target.prefix.slice(0, -1)), undefined);
      }
    }),
    { numRuns: 2000 },
  );
});
