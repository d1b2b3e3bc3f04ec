import { assert, assertEquals } from "@std/assert";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { ask, HttpConnection } from "../web/exchange.ts";
import { ServerChild } from "./child.ts";

Deno.test({
  name: "a web front whose process ran out of open files serves again, and the ring's port as well",
  ignore: needs("net", "read", "write", "run").ignore || Deno.build.os !== "linux",
  fn: async () => {
    await using child = await ServerChild.start({ openFilesMax: 64, hasWeb: true });
    const port = Number(new URL(child.web).port);
    const connections: HttpConnection[] = [];
    try {
      // The system accepts those that the process has no files for.
      for (let i = 0; i < 100; i++) connections.push(await HttpConnection.open(port));
      await eventually(async () => await child.openFiles() >= 64, { what: "the last file" });
      assertEquals((await connections[0]?.ask({ target: "/_ring/health" }))?.status, 200);
    } finally {
      for (const connection of connections) connection.close();
    }
    await eventually(() => answers(port), {
      what: "the web front to accept connections again",
      withinMs: 20_000,
    });
    using wire = await child.connect();
    const status = await wire.ask({ type: "STATUS" });
    assert(status.type === "STATUS");
    assertEquals(status.members[0]?.web, child.web);
  },
});

/** Whether a new connection is served within a second. */
async function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), 1000);
  const answer = ask(port, "/_ring/health").then(({ status }) => status === 200, () => false);
  const isServed = await Promise.race([answer, promise]);
  clearTimeout(timer);
  return isServed;
}
