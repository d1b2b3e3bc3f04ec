import { assertEquals, assertMatch } from "@std/assert";
import { testWithNet } from "../permission.ts";
import { openSite } from "./open_site.ts";

const text = "0123456789";
/** Larger than what is kept in memory. */
const large = text.repeat(20_000);
const files = { "small.txt": text, "large.txt": large };

testWithNet("one range is answered with that part of the file", async () => {
  await using site = await openSite({}, files);
  for (const [name, content] of Object.entries(files)) {
    const { length: size } = content;
    const whole = await site.ask(`/${name}`);
    const ranges = [
      ["bytes=2-5", 2, 6],
      ["bytes=0-0", 0, 1],
      ["bytes=7-", 7, size],
      ["bytes=-3", size - 3, size],
      ["bytes=0-", 0, size],
      [`bytes=5-${size + 100}`, 5, size],
      ["bytes=0-3,2-5", 0, 6],
    ] as const;
    using connection = await site.connect();
    for (const [range, start, end] of ranges) {
      const answer = await connection.ask({ target: `/${name}`, headers: { Range: range } });
      assertEquals([answer.status, answer.text], [206, content.slice(start, end)], range);
      assertEquals(answer.header("content-range"), `bytes ${start}-${end - 1}/${size}`);
      assertEquals(answer.header("content-length"), String(end - start));
      for (const field of ["etag", "last-modified", "cache-control", "vary", "content-type"]) {
        assertEquals(answer.header(field), whole.header(field), field);
      }
    }
  }
  assertEquals(site.backend.openBodies, 0);
});

testWithNet("several ranges are answered with that many parts", async () => {
  await using site = await openSite({}, files);
  for (const [name, content] of Object.entries(files)) {
    const { length: size } = content;
    const headers = { Range: "bytes=8-9,0-1,-1,4-4" };
    using connection = await site.connect();
    const answer = await connection.ask({ target: `/${name}`, headers });
    assertEquals(answer.status, 206);
    assertEquals(answer.header("content-range"), undefined);
    assertEquals(answer.header("content-length"), String(answer.body.length));
    const expected = size === 10
      ? ["8-9/10 89", "0-1/10 01", "4-4/10 4"]
      : [`8-9/${size} 89`, `0-1/${size} 01`, `${size - 1}-${size - 1}/${size} 9`, `4-4/${size} 4`];
    assertEquals(partsOf(answer.header("content-type") ?? "", answer.text), expected);
    assertEquals((await connection.ask({ target: `/${name}` })).text, content);
  }
  assertEquals(site.backend.openBodies, 0);
});

testWithNet("a range that is not there is a 416 that tells the size", async () => {
  await using site = await openSite({}, { ...files, "empty": "" });
  for (const [target, size] of [["/small.txt", 10], ["/large.txt", 200_000], ["/empty", 0]]) {
    const answer = await site.ask({ target: `${target}`, headers: { Range: "bytes=200000-" } });
    assertEquals([answer.status, answer.header("content-range")], [416, `bytes */${size}`]);
  }
});

testWithNet(
  "a range that is malformed, or worth too much, is answered with the whole file",
  async () => {
    await using site = await openSite({}, files);
    const many = Array.from({ length: 17 }, (_, index) => `${2 * index}-${2 * index}`).join(",");
    for (const range of ["bytes=5-2", "lines=1-2", "bytes=", "bytes=0-,0-", `bytes=${many}`]) {
      const answer = await site.ask({ target: "/large.txt", headers: { Range: range } });
      assertEquals([answer.status, answer.text === large], [200, true], range);
    }
  },
);

testWithNet(
  "If-Range gives the part of this state of the file, or the whole of another",
  async () => {
    await using site = await openSite({}, files);
    const whole = await site.ask("/small.txt");
    const etag = whole.header("etag") ?? "";
    const conditions = [
      [etag, 206],
      [whole.header("last-modified") ?? "", 206],
      [`W/${etag}`, 200],
      ['"other"', 200],
      ["Tue, 14 Nov 2023 22:13:19 GMT", 200],
      ["Tue, 14 Nov 2030 22:13:19 GMT", 200],
      ["yesterday", 200],
    ] as const;
    for (const [condition, status] of conditions) {
      const headers = { "Range": "bytes=0-0", "If-Range": condition };
      const answer = await site.ask({ target: "/small.txt", headers });
      assertEquals([answer.status, answer.text], [status, status === 206 ? "0" : text], condition);
    }
    const headers = { "Range": "bytes=99-", "If-Range": '"other"' };
    assertEquals((await site.ask({ target: "/small.txt", headers })).status, 200);
  },
);

testWithNet("a range means nothing to a HEAD", async () => {
  await using site = await openSite({}, files);
  const headers = { Range: "bytes=0-0" };
  const answer = await site.ask({ method: "HEAD", target: "/small.txt", headers });
  assertEquals([answer.status, answer.header("content-length")], [200, "10"]);
});

testWithNet("a range is of the file as it is, whatever codings are accepted", async () => {
  await using site = await openSite({}, { ...files, "large.txt.gz": "sidecar" });
  const headers = { "Range": "bytes=0-1", "Accept-Encoding": "gzip" };
  const answer = await site.ask({ target: "/large.txt", headers });
  assertEquals([answer.status, answer.text], [206, "01"]);
  assertEquals(answer.header("content-encoding"), undefined);
});

/** Each part as `2-5/10 2345`. */
function partsOf(contentType: string, body: string): string[] {
  const [, boundary = ""] = /^multipart\/byteranges; boundary=(.+)$/.exec(contentType) ?? [];
  const [first, ...parts] = `\r\n${body}`.split(`\r\n--${boundary}`);
  assertEquals([first, parts.pop()], ["", "--\r\n"]);
  return parts.map((part) => {
    assertMatch(part, /^\r\nContent-Type: text\/plain; charset=utf-8\r\nContent-Range: bytes /);
    const [head = "", content] = part.split("\r\n\r\n");
    return `${head.split("bytes ")[1]} ${content}`;
  });
}
