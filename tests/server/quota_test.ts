/** Servers that hold as much as they may. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import type { StatusAnswer } from "../../lib/ring/request.ts";
import { startServer } from "../../lib/server/server.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { bytesOf } from "../storage/sample.ts";
import { ask } from "../web/exchange.ts";
import { metric, refused, webPortOf } from "./metric.ts";
import { ip, Ring } from "./ring.ts";
import type { Wire } from "./wire.ts";

const web = { web: { port: 0 } };

for (const onDisk of [true, false]) {
  Deno.test({
    name: `a server that holds as much as it may, ${
      onDisk ? "on disk" : "in memory"
    }, is read only`,
    ...needs("net", "read", "write"),
    fn: async () => {
      await using ring = await Ring.start({ onDisk, server: { ...web, bytesMax: 140_000 } });
      using wire = await ring.connect();
      const large = bytesOf(inlineBytesMax + 1);
      assertEquals((await wire.put("a", large)).status, 201);
      assertEquals((await wire.put("b", large)).status, 201);
      assertEquals((await statusOf(wire)).readOnly, undefined);
      for (const body of [large, bytesOf(140_000 - 2 * large.length + 1)]) {
        const answer = await wire.put("c", body);
        assertEquals(answer.status, 507);
        assertStringIncludes(answer.type === "PUT" ? answer.error ?? "" : "", "--max-bytes");
      }
      assertEquals((await put(ring, "c", large)).status, 507);
      assertEquals((await statusOf(wire)).readOnly, true);
      assertEquals(await metric(ring, "ring_disk_full"), 1);
      assertEquals(await refused(ring, "room"), 3);

      assertEquals(
        (await wire.put("a", large)).status,
        200,
        "a file of the same size replaces one",
      );
      assertEquals((await put(ring, "b", bytesOf(10))).status, 204, "and a smaller one");
      assertEquals((await wire.ask({ type: "DELETE", item: "a" })).status, 200);
      assertEquals((await statusOf(wire)).readOnly, undefined);
      assertEquals((await wire.put("c", large)).status, 201);
    },
  });
}

Deno.test({
  name:
    "a server that holds as many files as it may takes no other, and serves, deletes and replaces",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ server: { ...web, filesMax: 2 } });
    using wire = await ring.connect();
    for (const name of ["a", "b"]) assertEquals((await wire.put(name, bytesOf(1))).status, 201);
    assertEquals((await wire.put("c", bytesOf(1))).status, 507);
    assertEquals((await wire.put("b", bytesOf(5000))).status, 200);
    assertEquals((await wire.ask({ type: "GET", item: "b" })).status, 200);
    assertEquals((await put(ring, "c", bytesOf(1))).status, 507);
    assertEquals((await wire.ask({ type: "DELETE", item: "a" })).status, 200);
    assertEquals((await put(ring, "c", bytesOf(1))).status, 201);
  },
});

Deno.test({
  name: "a body without a length for which the quota has no room is refused, and let go of",
  ...needs("net", "read", "write"),
  fn: async () => {
    await using ring = await Ring.start({
      onDisk: true,
      server: { ...web, bytesMax: 100_000 },
    });
    const body = new Blob([bytesOf(150_000).slice()]).stream();
    const answer = await fetch(`${ring.server().web}a`, { method: "PUT", body });
    await answer.body?.cancel();
    assertEquals(answer.status, 507);
    assertEquals(ring.bodies(), { kept: [], temporary: [] });
  },
});

Deno.test({
  name:
    "where one server holds as much as it may the others go on, and it catches up when it has room",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ size: 2, server: web });
    const previous = ring.server().address;
    ring.servers.push(await startServer({ ip, port: 0, bytesMax: 1000, previous }));
    using wire = await ring.connect();
    using small = await ring.connect(2);
    await eventually(async () => (await statusOf(wire)).members.length === 3, { what: "a ring" });
    await eventually(async () => (await statusOf(small)).members.every(isAlive), {
      what: "copies",
    });
    assertEquals(await copiesOf(wire, "a", 600), 3);
    assertEquals(await copiesOf(wire, "b", 600), 2);
    assertEquals((await statusOf(small)).readOnly, true);
    assertEquals((await small.ask({ type: "GET", item: "a" })).status, 200);
    assertEquals((await wire.ask({ type: "DELETE", item: "a" })).status, 200);
    await eventually(async () => {
      const { digest, readOnly, files } = await statusOf(small);
      return digest === (await statusOf(wire)).digest && readOnly === undefined && files === 1;
    }, { what: "the little server to hold everything", withinMs: 60_000 });
  },
});

function isAlive({ status }: { status: string }): boolean {
  return status === "alive";
}

async function copiesOf(wire: Wire, item: string, size: number): Promise<number | undefined> {
  const answer = await wire.put(item, bytesOf(size));
  return answer.type === "PUT" ? answer.copies : undefined;
}

async function statusOf(wire: Wire): Promise<StatusAnswer> {
  const status = await wire.ask({ type: "STATUS" });
  assert(status.type === "STATUS");
  return status;
}

function put(ring: Ring, name: string, body: Uint8Array) {
  return ask(webPortOf(ring), { method: "PUT", target: `/${name}`, body });
}
