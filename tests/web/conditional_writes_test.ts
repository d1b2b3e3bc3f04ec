import { assertEquals } from "@std/assert";
import { needs, testWithNet } from "../permission.ts";
import { openSite } from "./open_site.ts";

const small = "x".repeat(100);
const large = "x".repeat(200_000);

for (const [size, body] of [["small", small], ["large", large]] as const) {
  Deno.test({
    name: `of ${size} files that are to be put only if there is none, one is stored`,
    ...needs("net"),
    fn: async () => {
      await using site = await openSite();
      const connections = await Promise.all(Array.from({ length: 5 }, () => site.connect()));
      // All of them are told to go on, before the first is stored.
      for (const connection of connections) {
        await connection.send(
          "PUT /a HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\nExpect: 100-continue\r\n" +
            `Content-Length: ${body.length}\r\n\r\n`,
        );
        assertEquals((await connection.receiveHead()).status, 100);
      }
      const answers = await Promise.all(connections.map(async (connection) => {
        await connection.send(body);
        return (await connection.receive("PUT")).status;
      }));
      assertEquals(answers.toSorted(), [201, 412, 412, 412, 412]);
      connections.forEach((connection) => connection.close());
    },
  });
}

testWithNet(
  "conditional writes of one name take turns, and of other names do not wait",
  async () => {
    await using site = await openSite({}, { "a": "old", "b": "old" });
    const [a, b] = await Promise.all(["/a", "/b"].map(async (target) => {
      return (await site.ask(target)).header("etag") ?? "";
    }));
    const ask = (method: string, target: string, etag = "") =>
      site.ask({ method, target, headers: { "If-Match": etag }, body: "new" });
    const answers = await Promise.all([
      ...[ask("PUT", "/a", a), ask("PUT", "/a", a), ask("DELETE", "/a", a)],
      ask("PUT", "/b", b),
    ]);
    const statuses = answers.map(({ status }) => status);
    assertEquals(statuses.slice(0, 3).toSorted(), [204, 412, 412]);
    assertEquals(statuses[3], 204);
  },
);

testWithNet("the tag of any form that a file was had in means this file to a write", async () => {
  const html = `<p>${"text ".repeat(1000)}</p>`;
  await using site = await openSite({}, { "a.html": html, "b.html": html, "b.html.gz": "packed" });
  for (const name of ["a.html", "b.html"]) {
    const target = `/${name}`;
    // Compressed here, it is compressed for the next one.
    const headers = { "Accept-Encoding": name === "b.html" ? "gzip" : "gzip, identity;q=0" };
    const etag = (await site.ask({ target, headers })).header("etag") ?? "";
    assertEquals(/-gzip"$/.test(etag), true, etag);
    const put = (match: string) =>
      site.ask({ method: "PUT", target, headers: { "If-Match": match }, body: "new" });
    assertEquals((await put(etag.replace("-gzip", "-br"))).status, name === "a.html" ? 204 : 412);
    assertEquals((await put(etag)).status, name === "a.html" ? 412 : 204);
    assertEquals((await put(etag)).status, 412);
  }
});
