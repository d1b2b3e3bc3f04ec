/** A flood of requests for what nobody has, while others are served. */
import { assertEquals } from "@std/assert";
import { lookUpsPerSecond } from "../../lib/ring/replication.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { bytesOf } from "../storage/sample.ts";
import { ask } from "../web/exchange.ts";
import { replaceMethod } from "./double.ts";
import { metric, refused, webPortOf } from "./metric.ts";
import { Ring } from "./ring.ts";
import type { Wire } from "./wire.ts";

const server = { web: { port: 0 } };

Deno.test({
  name: "a flood of GETs for missing names does not become a flood of circles",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ size: 2, server });
    using wire = await ring.connect();
    using bystander = await ring.connect();
    await bystander.put("here", bytesOf(10));
    {
      using _ = standingClock();
      const flooding = askForMissing(wire, 4 * lookUpsPerSecond);
      for (let turn = 0; turn < 20; turn++) {
        assertEquals((await bystander.ask({ type: "GET", item: "here" })).status, 200);
        assertEquals((await ask(webPortOf(ring), "/here")).status, 200);
      }
      const statuses = await flooding;
      const countOf = (status: number) => statuses.filter((other) => other === status).length;
      assertEquals([countOf(404), countOf(503)], [lookUpsPerSecond, 3 * lookUpsPerSecond]);
      assertEquals(await refused(ring, "look_ups"), 3 * lookUpsPerSecond);
      assertEquals(await metric(ring, 'ring_circles_total{about="FIND"}'), lookUpsPerSecond);
    }
    await eventually(async () => (await askForMissing(wire, 1))[0] === 404, {
      what: "a 404 as time passes",
    });
  },
});

Deno.test({
  name: "over HTTP a missing name too many is answered 503 with Retry-After, and no false 404",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ size: 2, server });
    using wire = await ring.connect();
    using other = await ring.connect(1);
    {
      using _ = standingClock();
      await askForMissing(wire, lookUpsPerSecond);
      const answer = await ask(webPortOf(ring), "/missing");
      assertEquals([answer.status, answer.header("retry-after")], [503, "1"]);
      assertEquals((await other.put("missing", bytesOf(10))).status, 201);
      assertEquals((await ask(webPortOf(ring), "/missing")).status, 200);
    }
    await eventually(async () => (await ask(webPortOf(ring), "/missing-too")).status === 404, {
      what: "a 404 as time passes",
    });
  },
});

/** Has no time pass on any server: as fast as a test may be, so many requests come in a second. */
function standingClock(): Disposable {
  const now = performance.now();
  return replaceMethod(Performance.prototype, "now", () => () => now);
}

/** Asks for so many names that nobody has, ahead of the answers; returns their statuses. */
async function askForMissing(wire: Wire, count: number): Promise<number[]> {
  const asking = (async () => {
    for (let n = 0; n < count; n++) await wire.send({ type: "GET", item: `missing/${n}` });
  })();
  const statuses: number[] = [];
  while (statuses.length < count) statuses.push((await wire.answer()).status);
  await asking;
  return statuses;
}
