/** The files of the page, as they are served. */
import { assert, assertEquals } from "@std/assert";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { isPagePath, servePage } from "../../lib/web/page.ts";
import { needs } from "../permission.ts";

const directory = new URL("../../lib/web/page/", import.meta.url);

async function withServer(act: (origin: string) => Promise<void>): Promise<void> {
  const server = createServer(servePage);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await act(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }
}

Deno.test({
  name: "servePage() serves every file of its folder, as it is, and says its type",
  ...needs("read", "net"),
  fn: () =>
    withServer(async (origin) => {
      for await (const { name } of Deno.readDir(directory)) {
        const path = name === "page.html" ? "/_ring/" : `/_ring/${name}`;
        assert(isPagePath(path), path);
        const answer = await fetch(origin + path);
        assertEquals(answer.status, 200);
        assertEquals(await answer.text(), await Deno.readTextFile(new URL(name, directory)));
        const type = name.endsWith(".js") ? "javascript" : name.split(".").at(-1);
        assertEquals(answer.headers.get("content-type"), `text/${type}; charset=utf-8`);
      }
    }),
});

Deno.test({
  name: "servePage() answers any other path with the page, for a site without an index",
  ...needs("read", "net"),
  fn: () =>
    withServer(async (origin) => {
      const page = await Deno.readTextFile(new URL("page.html", directory));
      for (const path of ["/", "/?a=b", "/_ring/?x"]) {
        assertEquals(await (await fetch(origin + path)).text(), page);
      }
      assertEquals([isPagePath("/_ring/../page.ts"), isPagePath("/_ring/status.json")], [
        false,
        false,
      ]);
    }),
});

Deno.test({
  name: "servePage() lets nothing run, and nothing be shown, but its own",
  ...needs("net"),
  fn: () =>
    withServer(async (origin) => {
      const { headers, body } = await fetch(`${origin}/_ring/`);
      await body?.cancel();
      const policy = (headers.get("content-security-policy") ?? "").split("; ");
      assertEquals(policy[0], "default-src 'none'");
      assert(policy.includes("script-src 'self'"));
      assert(policy.includes("style-src 'self'"));
      assert(policy.includes("frame-ancestors 'none'"));
      assertEquals(policy.some((part) => /unsafe|\*/.test(part)), false);
      assertEquals(headers.get("x-content-type-options"), "nosniff");
    }),
});

Deno.test({
  name: "servePage() sends a browser only what it does not have",
  ...needs("net"),
  fn: () =>
    withServer(async (origin) => {
      const first = await fetch(`${origin}/_ring/page.js`);
      const length = `${(await first.arrayBuffer()).byteLength}`;
      const etag = first.headers.get("etag") ?? "";
      assertEquals(first.headers.get("cache-control"), "no-cache");
      for (const header of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
        const again = await fetch(`${origin}/_ring/page.js`, {
          headers: { "If-None-Match": header },
        });
        assertEquals([again.status, await again.text()], [304, ""]);
        assertEquals(again.headers.get("etag"), etag);
      }
      const other = await fetch(`${origin}/_ring/page.css`, { headers: { "If-None-Match": etag } });
      await other.body?.cancel();
      assertEquals(other.status, 200);
      const head = await fetch(`${origin}/_ring/page.js`, { method: "HEAD" });
      assertEquals([head.status, head.headers.get("content-length")], [200, length]);
    }),
});

Deno.test({
  name: "servePage() takes nothing",
  ...needs("net"),
  fn: () =>
    withServer(async (origin) => {
      const answer = await fetch(`${origin}/_ring/`, { method: "POST", body: "x" });
      await answer.body?.cancel();
      assertEquals([answer.status, answer.headers.get("allow")], [405, "GET, HEAD"]);
    }),
});
