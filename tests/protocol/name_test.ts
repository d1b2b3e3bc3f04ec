import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { nameError } from "../../lib/protocol/name.ts";
import { quoteText } from "../../lib/protocol/quote.ts";

Deno.test("nameError() lets good names pass", () => {
  const names = [
    "a",
    "index.html",
    "css/site.css",
    "__proto__",
    "constructor",
    "...",
    "..a/b..",
    ".hidden",
    "a b",
    " ",
    "ä€😀",
    "a:b*c?d\"e'f|g<h>%2e%2e",
    "x".repeat(1024),
    "€".repeat(341) + "x",
    "a/".repeat(511) + "aa",
  ];
  for (const name of names) assertEquals(nameError(name), undefined);
});

Deno.test("nameError() refuses what could leave a folder, hide or harm", () => {
  const names: readonly (readonly [string, string])[] = [
    ["", "empty"],
    ["..", '".." may not be a segment'],
    [".", '"." may not be a segment'],
    ["../a", '".."'],
    ["a/..", '".."'],
    ["a/../b", '".."'],
    ["a/./b", '"."'],
    ["a//b", "a segment between slashes is empty"],
    ["/a", "begins with a slash"],
    ["/", "begins with a slash"],
    ["a/", "a segment between slashes is empty"],
    ["a\\b", "backslash"],
    ["a\0b", "control"],
    ["a\nb", "control"],
    ["a\x1bb", "control"],
    ["a\x7fb", "control"],
    ["a\x80b", "control"],
    ["a\x9fb", "control"],
    ["a\ud800", "surrogate"],
    ["\udc00a", "surrogate"],
    ["x".repeat(1025), "longer than 1024 bytes"],
    ["€".repeat(342), "longer than 1024 bytes"],
    ["x".repeat(1 << 20), "longer than 1024 bytes"],
  ];
  for (const [name, reason] of names) {
    const error = nameError(name) ?? "";
    assert(error.includes(reason), `${JSON.stringify(name)}: ${error}`);
    assert(error.length < 200, error);
  }
});

Deno.test("nameError() lets a name pass exactly if its segments are what they may be", () => {
  const segment = fc.constantFrom("", ".", "..", "a", "…", ".a", "\\", "\t", "\ud800", "\x85");
  fc.assert(fc.property(fc.array(segment, { maxLength: 4 }), (segments) => {
    const good = segments.length > 0 && segments.every((one) => ["a", "…", ".a"].includes(one));
    assertEquals(nameError(segments.join("/")) === undefined, good);
  }));
});

Deno.test("quoteText() shows a stranger's text without what a terminal obeys", () => {
  assertEquals(quoteText('a"b'), '"a\\"b"');
  assertEquals(quoteText("\x1b[2J\x9b\u202e\u2028"), '"\\u001b[2J\\u{9b}\\u{202e}\\u{2028}"');
  assertEquals(quoteText("\ud800"), '"\\ud800"');
  assertEquals(quoteText("x".repeat(61)), `"${"x".repeat(60)}…"`);
});
