/** What people read: the ring, a list, a status. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { listLine } from "../../lib/cli/list_action.ts";
import { colourPainter, countText, plainPainter, printable } from "../../lib/cli/output.ts";
import { ringLine } from "../../lib/cli/ring_line.ts";
import { statusLines } from "../../lib/cli/status_action.ts";
import type { StatusAnswer } from "../../lib/ring/request.ts";

const id = "a".repeat(32);
const member = { id, incarnation: 1, address: "10.0.0.1:4043", position: "00" };

/** What a server says that knows nobody, and has nothing. */
const status: StatusAnswer = {
  type: "STATUS",
  status: 200,
  version: "1.2.3",
  id,
  address: member.address,
  members: [],
  files: 0,
  bytes: 0,
  digest: "d".repeat(64),
};

for (
  const [addresses, line] of [
    [["127.0.1.1:4043"], "ring 127.0.1.1:4043 -> (127.0.1.1:4043)"],
    [
      ["127.0.1.1:4043", "127.0.1.1:4044"],
      "ring 127.0.1.1:4043 -> 127.0.1.1:4044 -> (127.0.1.1:4043)",
    ],
  ] as const
) {
  Deno.test(`ringLine() of ${addresses.length} shows the circle and its end`, () => {
    assertEquals(ringLine(addresses, plainPainter), line);
  });
}

Deno.test("ringLine() in colour says the same", () => {
  const line = ringLine(["a:1", "b:2"], colourPainter);
  // deno-lint-ignore no-control-regex -- colours are control sequences
  assertEquals(line.replace(/\x1b\[\d+m/g, ""), "ring a:1 -> b:2 -> (a:1)");
});

Deno.test("listLine() shows size, date and name in columns", () => {
  const record = {
    name: "css/site.css",
    stamp: `${(1_800_000_000_000).toString(16).padStart(12, "0")}-0000-${"a".repeat(32)}`,
    sha256: "0".repeat(64),
    size: 1234,
    contentType: "text/css",
  };
  assertMatch(listLine(record), /^1\.23 kB {2}2027-01-1\d \d\d:\d\d {2}css\/site\.css$/);
  assertMatch(listLine({ ...record, size: 5 }), /^ {4}5 B {2}2027/);
});

Deno.test("statusLines() shows the circle, and which server answers", () => {
  const lines = statusLines({
    ...status,
    members: [
      { ...member, status: "alive" },
      { ...member, id: "b".repeat(32), status: "dead", address: "10.0.0.100:4043" },
    ],
    files: 1,
    bytes: 1500,
  });
  assertEquals(lines, [
    "ADDRESS          STATUS   ID",
    "10.0.0.1:4043    alive    aaaaaaaa  this server",
    "10.0.0.100:4043  dead     bbbbbbbb",
    "",
    "files    1 file, 1.5 kB",
    `digest   ${"d".repeat(64)}`,
    "version  1.2.3",
  ]);
});

Deno.test("statusLines() shows where the web fronts are, if there are any", () => {
  const lines = statusLines({
    ...status,
    members: [
      { ...member, status: "alive", web: "http://10.0.0.1:8043/" },
      { ...member, id: "b".repeat(32), status: "joining" },
    ],
  });
  assertEquals(lines.slice(0, 3), [
    "ADDRESS        STATUS   ID        WEB",
    "10.0.0.1:4043  alive    aaaaaaaa  http://10.0.0.1:8043/  this server",
    "10.0.0.1:4043  joining  bbbbbbbb  -",
  ]);
});

Deno.test("statusLines() says that the disk is full, and how far a joining server has come", () => {
  const lines = statusLines({ ...status, readOnly: true, compared: 256 });
  assertEquals(lines[2], "disk     full: the server takes no files until there is room");
  assertEquals(lines[3], "joining  256 files of another server compared so far");
});

Deno.test("printable() lets nothing through that a terminal obeys", () => {
  const text = printable("a\x1b[2J\n\u009b\u202eé🙂");
  assertEquals(text, "a\\u{1b}[2J\\u{a}\\u{9b}\\u{202e}é🙂");
  assert(printable("css/site.css") === "css/site.css");
});

Deno.test("countText() knows one from many", () => {
  const words = ["copy", "copies"] as const;
  assertEquals([0, 1, 2, 1204].map((count) => countText(count, words)), [
    "0 copies",
    "1 copy",
    "2 copies",
    "1,204 copies",
  ]);
});
