/** A ring with a secret, from both sides: who knows it, and who does not. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { RingClient } from "../../lib/client/client.ts";
import { RingError } from "../../lib/client/ring_error.ts";
import { Secret } from "../../lib/protocol/secret.ts";
import { ServerError, type ServerOptions } from "../../lib/server/options.ts";
import { startServer } from "../../lib/server/server.ts";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import { needs } from "../permission.ts";
import { memberMessages } from "../protocol/sample.ts";
import { bytesOf } from "../storage/sample.ts";
import { refused } from "./metric.ts";
import { ip, Ring, untilAlive } from "./ring.ts";
import { Wire } from "./wire.ts";

const secret = new Secret(Secret.generate());
const other = new Secret(Secret.generate());
const timeoutMs = 10_000;
const small = bytesOf(1000);
const large = bytesOf(inlineBytesMax + 1);

Deno.test({
  name: "servers and clients that know the secret form a ring, and put and get files of any size",
  ...needs("net", "read", "write"),
  fn: async () => {
    await using ring = await Ring.start({ size: 3, onDisk: true, server: { secret } });
    const client = await RingClient.connect(ring.server(0).address, { timeoutMs, secret });
    for (const [name, body] of [["small", small], ["large", large]] as const) {
      const { copies } = await client.put(name, { size: body.length, body });
      assertEquals(copies, 3);
      using wire = await ring.connect(2);
      assertEquals((await wire.ask({ type: "GET", item: name })).body, body);
    }
    client.close();
    // A newcomer fetches what is there already, large bodies on connections of their own.
    const { address: previous } = ring.server(1);
    const newcomer = await startServer({ ip, port: 0, previous, secret });
    try {
      await untilAlive(newcomer.address, 4, secret);
      using wire = await Wire.connect(newcomer.address, secret);
      assertEquals((await wire.ask({ type: "GET", item: "large" })).body, large);
    } finally {
      await newcomer.stop();
    }
  },
});

Deno.test({
  name: "whatever a stranger says is answered by 401 and the end, and harms nobody",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ size: 2, server: { secret } });
    using bystander = await ring.connect();
    await bystander.put("good", small);
    const requests = [
      { type: "GET", item: "good" },
      { type: "PUT", item: "bad", size: 0 },
      { type: "DELETE", item: "good" },
      ...["LIST", "STATUS", "LEAVE", "GC", "VERIFY", "FORGET"].map((type) => ({ type })),
      { type: "FETCH", sha256: "0".repeat(64) },
      ...memberMessages,
    ];
    for (const request of requests) {
      using stranger = await Wire.connect(ring.server().address);
      const answer = await stranger.ask(request);
      assertEquals([answer.type, answer.status], ["ERROR", 401], request.type);
      assertStringIncludes("error" in answer ? answer.error ?? "" : "", "--secret-file");
      assertEquals(await stranger.receive(), undefined);
    }
    assertEquals((await bystander.ask({ type: "GET", item: "good" })).body, small);
    assertEquals((await bystander.ask({ type: "GET", item: "bad" })).status, 404);
    const status = await bystander.ask({ type: "STATUS" });
    assert(status.type === "STATUS");
    assertEquals(status.members.map(({ status }) => status), ["alive", "alive"]);
  },
});

Deno.test({
  name: "a stranger's long frame is refused before it comes, and strangers are counted",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ server: { secret, web: { port: 0 } } });
    const before = await refused(ring, "stranger");
    using stranger = await Wire.connect(ring.server().address);
    await stranger.sendBytes(new Uint8Array([0, 0x10, 0, 0]));
    assertEquals((await stranger.answer()).status, 401);
    using another = await Wire.connect(ring.server().address);
    assertEquals((await another.ask({ type: "STATUS" })).status, 401);
    assertEquals(await refused(ring, "stranger"), before + 2);
  },
});

const pairs: [string, Partial<ServerOptions>, Secret | undefined, string][] = [
  ["no secret", { secret }, undefined, "This ring has a secret"],
  ["another secret", { secret }, other, "does not know this ring's secret"],
  ["a secret where there is none", {}, secret, "This server has no secret"],
];
for (const [what, server, used, text] of pairs) {
  Deno.test({
    name: `a newcomer with ${what} stops, and says why`,
    ...needs("net"),
    fn: async () => {
      await using ring = await Ring.start({ server });
      const { address: previous } = ring.server();
      const options = used === undefined ? {} : { secret: used };
      const newcomer = await startServer({ ip, port: 0, previous, ...options });
      const error = await assertRejects(() => newcomer.finished, ServerError, text);
      assert(error instanceof ServerError && error.kind === "noPrevious");
      using wire = await ring.connect();
      const status = await wire.ask({ type: "STATUS" });
      assertEquals(status.type === "STATUS" && status.members.length, 1);
    },
  });

  Deno.test({
    name: `a client with ${what} is told so`,
    ...needs("net"),
    fn: async () => {
      await using ring = await Ring.start({ server });
      const options = used === undefined ? {} : { secret: used };
      const ask = async () => {
        const client = await RingClient.connect(ring.server().address, { timeoutMs, ...options });
        try {
          return await client.status();
        } finally {
          client.close();
        }
      };
      const error = await assertRejects(ask, RingError);
      assert(error instanceof RingError && error.kind === "failed");
      assertStringIncludes(error.message.toLowerCase(), text.toLowerCase());
    },
  });
}

Deno.test({
  name: "a client gives up on a listener that says nothing to its handshake",
  ...needs("net"),
  fn: async () => {
    using listener = Deno.listen({ hostname: ip, port: 0 });
    const accepted = listener.accept();
    const address = `${ip}:${listener.addr.port}`;
    const connecting = RingClient.connect(address, { timeoutMs: 200, secret });
    const error = await assertRejects(() => connecting, RingError, "no answer within 0.2 s");
    assert(error instanceof RingError && error.kind === "unavailable");
    (await accepted).close();
  },
});
