import { assertEquals } from "@std/assert";
import { needs } from "../permission.ts";
import { openSite } from "./open_site.ts";

Deno.test({
  name: "a file that is deleted is answered by 204, and by 404 when it is gone",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite({}, { "a b": "x" });
    const first = await site.ask({ method: "DELETE", target: "/a%20b" });
    assertEquals([first.status, first.header("ring-copies")], [204, "3"]);
    assertEquals(first.header("x-content-type-options"), "nosniff");
    assertEquals((await site.ask({ method: "DELETE", target: "/a%20b" })).status, 404);
    assertEquals((await site.ask("/a%20b")).status, 404);
  },
});

Deno.test({
  name: "a DELETE is done only if its conditions hold",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite({}, { a: "x" });
    const etag = `"${site.backend.look("a")?.sha256}"`;
    const ask = (ifMatch: string) =>
      site.ask({ method: "DELETE", target: "/a", headers: { "If-Match": ifMatch } });
    assertEquals((await ask('"other"')).status, 412);
    assertEquals((await ask(`"other", ${etag}`)).status, 204);
    assertEquals((await ask("*")).status, 412);
  },
});

Deno.test({
  name: "a folder cannot be deleted: 409",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite({}, { "a/b": "x" });
    assertEquals((await site.ask({ method: "DELETE", target: "/a/" })).status, 409);
  },
});
