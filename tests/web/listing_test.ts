import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { testWithNet } from "../permission.ts";
import { listFolder } from "../../lib/web/listing.ts";
import { FakeBackend } from "./fake_backend.ts";
import { type OpenSite, openSite } from "./open_site.ts";

testWithNet("a folder without an index is listed, folders in it as one entry each", async () => {
  const files = { "f/b": "bb", "f/a/1": "", "f/a/2": "", "f/c/d/e": "", "g": "", "f0": "" };
  await using site = await openSite({ listing: true }, files);
  const { folder, entries, next } = await json(site, "/f/");
  assertEquals([folder, next], ["f/", undefined]);
  assertEquals(entries.map(({ name }) => name), ["a/", "b", "c/"]);
  const { sha256 } = site.backend.look("f/b") ?? {};
  assertEquals<unknown>(entries[1], {
    type: "file",
    name: "b",
    size: 2,
    contentType: "application/octet-stream",
    sha256,
    modified: "2023-11-14T22:13:20.000Z",
  });
  assertEquals((await json(site, "/")).entries.map(({ name }) => name), ["f/", "f0", "g"]);
});

testWithNet("a listing is HTML unless JSON is asked for", async () => {
  await using site = await openSite({ listing: true }, { "f/b": "bb" });
  const types = [
    ["*/*", "text/html; charset=utf-8"],
    ["text/html,application/json", "text/html; charset=utf-8"],
    ["application/json", "application/json"],
    ["application/json, text/plain", "application/json"],
  ] as const;
  for (const [Accept, type] of types) {
    const answer = await site.ask({ target: "/f/", headers: { Accept } });
    assertEquals(answer.header("content-type"), type, Accept);
    assertEquals(answer.header("vary"), "Accept");
    assertEquals(answer.header("x-content-type-options"), "nosniff");
  }
});

testWithNet("a name in a listing is text and a link, never a tag", async () => {
  const name = `<img src=x onerror="a&b">'é%?#`;
  await using site = await openSite({ listing: true }, { [`f/${name}`]: "found" });
  const { text } = await site.ask("/f/");
  assert(!text.includes("<img"));
  assertStringIncludes(text, "&#60;img src=x onerror=&#34;a&#38;b&#34;&#62;&#39;é%?#");
  const [, href = ""] = /href="(\/f\/[^"]+)"/.exec(text) ?? [];
  const target = href.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
  assertEquals((await site.ask(target)).text, "found");
});

testWithNet("an index is served instead of a listing", async () => {
  await using site = await openSite({ listing: true }, { "f/index.html": "index", "f/a": "" });
  assertEquals((await site.ask("/f/")).text, "index");
});

testWithNet(
  "a folder that is listed is led to without its slash, and one that is not there is a 404",
  async () => {
    await using site = await openSite({ listing: true }, { "f/a": "" });
    const answer = await site.ask("/f");
    assertEquals([answer.status, answer.header("location")], [308, "/f/"]);
    assertEquals((await site.ask("/g/")).status, 404);
    assertEquals((await site.ask("/g")).status, 404);
    assertEquals((await site.ask({ method: "HEAD", target: "/f/" })).status, 200);
  },
);

testWithNet(
  "nothing is listed unless that is wanted, or while this server may be behind",
  async () => {
    await using site = await openSite({}, { "f/a": "" });
    assertEquals((await site.ask("/f/")).status, 404);
    await using behind = await openSite({ listing: true }, { "f/a": "" });
    behind.backend.isCurrent = false;
    const answer = await behind.ask("/f/");
    assertEquals([answer.status, answer.header("retry-after")], [503, "1"]);
  },
);

testWithNet(
  "a long listing comes in pages that are bounded, and have each entry once",
  async () => {
    await using site = await openSite({ listing: true });
    const names = Array.from({ length: 2100 }, (_, index) => `${String(index).padStart(4, "0")} é`);
    for (const name of names) site.backend.put(`f/${name}${name.endsWith("9 é") ? "/x" : ""}`, "");
    const found: string[] = [];
    const sizes: number[] = [];
    for (let after: string | undefined = ""; after !== undefined;) {
      const page = await json(site, `/f/?after=${encodeURIComponent(after)}`);
      found.push(...page.entries.map(({ name }) => name));
      sizes.push(page.entries.length);
      after = page.next;
    }
    assertEquals(sizes, [1000, 1000, 100]);
    assertEquals(found, names.map((name) => name.endsWith("9 é") ? `${name}/` : name));
    const { text } = await site.ask("/f/");
    assertStringIncludes(text, `<a href="?after=${encodeURIComponent(`${names[999]}/`)}">`);
  },
);

testWithNet("listFolder() passes over what is in a folder without reading all of it", async () => {
  const backend = new FakeBackend();
  for (let i = 0; i < 3000; i++) backend.put(`a/${i}`, "");
  for (let i = 0; i < 100; i++) backend.put(`a/\u{10ffff}${i}`, "");
  backend.put("b", "");
  let records = 0;
  const list = backend.list.bind(backend);
  backend.list = (options) => {
    const found = list(options);
    records += found.length;
    return found;
  };
  const { entries } = await listFolder(backend, { prefix: "", after: "" });
  assertEquals(entries.map(({ name }) => name), ["a/", "b"]);
  assert(records < 300, `${records} records were read`);
});

interface Page {
  readonly folder: string;
  readonly entries: readonly { readonly name: string }[];
  readonly next?: string;
}

async function json(site: OpenSite, target: string): Promise<Page> {
  const answer = await site.ask({ target, headers: { Accept: "application/json" } });
  assertEquals(answer.status, 200);
  return JSON.parse(answer.text);
}
