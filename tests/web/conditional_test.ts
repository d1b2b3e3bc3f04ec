import { assertEquals } from "@std/assert";
import {
  isConditional,
  isRangeCurrent,
  judge,
  parseEntityTags,
  type Verdict,
} from "../../lib/web/conditional.ts";

const modified = Date.UTC(1994, 10, 6, 8, 49, 37);
const same = "Sun, 06 Nov 1994 08:49:37 GMT";
const earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
const later = "Sun, 06 Nov 1994 08:49:38 GMT";
const current = { etags: ['"a"', '"a-br"', '"a-gzip"'], modified };

type Headers = Record<string, string>;

/** Header, what it comes to for a GET, and what for a PUT. */
const ofFile: readonly (readonly [Headers, Verdict, Verdict])[] = [
  [{}, "proceed", "proceed"],
  [{ "if-match": '"a"' }, "proceed", "proceed"],
  [{ "if-match": '"b", "a-br"' }, "proceed", "proceed"],
  [{ "if-match": "*" }, "proceed", "proceed"],
  [{ "if-match": '"b"' }, "failed", "failed"],
  [{ "if-match": 'W/"a"' }, "failed", "failed"],
  [{ "if-match": "a" }, "failed", "failed"],
  [{ "if-match": "" }, "failed", "failed"],
  [{ "if-none-match": '"a"' }, "notModified", "failed"],
  [{ "if-none-match": 'W/"a"' }, "notModified", "failed"],
  [{ "if-none-match": '"b" , W/"a-gzip"' }, "notModified", "failed"],
  [{ "if-none-match": "*" }, "notModified", "failed"],
  [{ "if-none-match": '"b"' }, "proceed", "proceed"],
  [{ "if-none-match": "a" }, "proceed", "proceed"],
  [{ "if-modified-since": same }, "notModified", "proceed"],
  [{ "if-modified-since": later }, "notModified", "proceed"],
  [{ "if-modified-since": earlier }, "proceed", "proceed"],
  [{ "if-modified-since": "yesterday" }, "proceed", "proceed"],
  [{ "if-unmodified-since": same }, "proceed", "proceed"],
  [{ "if-unmodified-since": later }, "proceed", "proceed"],
  [{ "if-unmodified-since": earlier }, "failed", "failed"],
  [{ "if-unmodified-since": "yesterday" }, "proceed", "proceed"],
  // What comes first counts (RFC 9110, section 13.2.2).
  [{ "if-match": '"a"', "if-unmodified-since": earlier }, "proceed", "proceed"],
  [{ "if-match": '"b"', "if-none-match": '"a"' }, "failed", "failed"],
  [{ "if-match": '"a"', "if-none-match": '"a"' }, "notModified", "failed"],
  [{ "if-none-match": '"b"', "if-modified-since": same }, "proceed", "proceed"],
  [{ "if-none-match": '"a"', "if-modified-since": earlier }, "notModified", "failed"],
  [{ "if-unmodified-since": earlier, "if-none-match": '"a"' }, "failed", "failed"],
  [{ "if-unmodified-since": same, "if-modified-since": same }, "notModified", "proceed"],
];

Deno.test("judge() judges the conditions on a file in the RFC's order", () => {
  for (const [headers, read, write] of ofFile) {
    const message = JSON.stringify(headers);
    assertEquals(judge(headers, { current, isRead: true }), read, message);
    assertEquals(judge(headers, { current, isRead: false }), write, message);
  }
});

Deno.test("judge() judges the conditions on what is not there", () => {
  const cases: readonly (readonly [Headers, Verdict])[] = [
    [{ "if-match": "*" }, "failed"],
    [{ "if-match": '"a"' }, "failed"],
    [{ "if-none-match": "*" }, "proceed"],
    [{ "if-none-match": '"a"' }, "proceed"],
    [{ "if-unmodified-since": earlier }, "proceed"],
    [{ "if-modified-since": later }, "proceed"],
  ];
  for (const [headers, verdict] of cases) {
    const actual = judge(headers, { current: undefined, isRead: false });
    assertEquals(actual, verdict, JSON.stringify(headers));
  }
});

Deno.test("parseEntityTags() reads lists, and nothing of what is malformed", () => {
  const cases = [
    ["*", "*"],
    [" * ", "*"],
    ['"a"', ['"a"']],
    ['"a","b"', ['"a"', '"b"']],
    ['"a" , W/"b",', ['"a"', 'W/"b"']],
    [', ,"a"', ['"a"']],
    ['""', ['""']],
    ['"a,b"', ['"a,b"']],
    ["", []],
    ["a", []],
    ['"a" "b"', []],
    ['"a', []],
    ['w/"a"', []],
    ['"a", b', []],
  ] as const;
  for (const [list, tags] of cases) assertEquals(parseEntityTags(list), tags, list);
});

Deno.test("parseEntityTags() takes a long malformed list in no time", () => {
  assertEquals(parseEntityTags(`${" ".repeat(16_000)}x`), []);
});

Deno.test("isRangeCurrent() takes the very tag, or the very date", () => {
  const file = { etag: '"a"', modified };
  const cases = [
    [undefined, true],
    ['"a"', true],
    ['W/"a"', false],
    ['"b"', false],
    ["*", false],
    [same, true],
    [earlier, false],
    [later, false],
    ["yesterday", false],
  ] as const;
  for (const [ifRange, expected] of cases) {
    assertEquals(isRangeCurrent(ifRange, file), expected, ifRange);
  }
});

Deno.test("isConditional() knows every condition", () => {
  for (const name of ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"]) {
    assertEquals(isConditional({ [name]: "" }), true, name);
  }
  assertEquals(isConditional({ "if-range": '"a"', range: "bytes=0-" }), false);
});
