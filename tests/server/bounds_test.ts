/** Bounds of a server, each reached over real sockets, while somebody else is served. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ConnectionError } from "../../lib/protocol/connection.ts";
import { encodeFrame } from "../../lib/protocol/frame.ts";
import { handshakeMs } from "../../lib/protocol/handshake.ts";
import { Secret } from "../../lib/protocol/secret.ts";
import type { ServerOptions } from "../../lib/server/options.ts";
import { startServer } from "../../lib/server/server.ts";
import { listenersMax } from "../../lib/web/event_stream.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { bytesOf } from "../storage/sample.ts";
import { encodeRequest } from "../web/exchange.ts";
import { Client } from "./crowd.ts";
import { replaceMethod } from "./double.ts";
import { refused } from "./metric.ts";
import { ip, Ring, untilAlive } from "./ring.ts";
import { Wire } from "./wire.ts";

const webPort: Partial<ServerOptions> = { web: { port: 0 } };
/** Only Linux has all of 127.0.0.0/8 on loopback. */
const crowd = { ignore: needs("net").ignore || Deno.build.os !== "linux" };

const secret = new Secret("correct-horse-battery-staple");

const statusRequest = encodeFrame({ type: "STATUS" });
const healthRequest = encodeRequest({ target: "/_ring/health" });

/** The two ports of a server, and what a client that is let in sends there. */
const ports = [
  { port: "the ring's port", request: statusRequest, of: (ring: Ring) => ring.server().address },
  { port: "the web front", request: healthRequest, of: (ring: Ring) => webAddress(ring) },
] as const;

for (const { port, request, of } of ports) {
  Deno.test({
    name: `one address that takes all connections it may have at ${port} locks nobody else out`,
    ...crowd,
    fn: async () => {
      const server = { ...webPort, connectionsMax: 40, connectionsPerAddressMax: 20 };
      await using ring = await Ring.start({ server });
      using held = new DisposableStack();
      for (let i = 0; i < 20; i++) {
        const client = held.use(await Client.connect(of(ring), "127.0.0.7"));
        assert((await client.ask(request)).length > 0, `client ${i} is served`);
      }
      using beyond = await Client.connect(of(ring), "127.0.0.7");
      await beyond.untilClosed();
      assertEquals(await refused(ring, "connections_per_address"), 1);
      using bystander = await Client.connect(of(ring), "127.0.0.8");
      assert((await bystander.ask(request)).length > 0);
    },
  });

  Deno.test({
    name: `connections beyond the limit of all at ${port} are closed until there is room`,
    ...crowd,
    fn: async () => {
      const server = { ...webPort, connectionsMax: 16, connectionsPerAddressMax: 8 };
      await using ring = await Ring.start({ server });
      await using free = await Ring.start({ server: webPort });
      const held: Client[] = [];
      try {
        const isServed = async (client: Client) => isAnswer(await client.ask(request));
        // The ring's port has a connection or two of the test's own.
        for (let i = 0; i < 18; i++) {
          held.push(await Client.connect(of(ring), `127.0.1.${100 + i}`));
        }
        const served = await Promise.all(held.map(isServed));
        assertEquals(served.at(-1), false);
        assertEquals(served.slice(0, 8).every((is) => is), true);
        using bystander = await Client.connect(of(free), "127.0.0.8");
        assert(await isServed(bystander));
        for (const client of held) client[Symbol.dispose]();
        await eventually(async () => {
          using newcomer = await Client.connect(of(ring), "127.0.0.9");
          return await isServed(newcomer);
        }, { what: "room for a newcomer" });
        assert(await refused(ring, "connections") > 0);
      } finally {
        for (const client of held) client[Symbol.dispose]();
      }
    },
  });
}

Deno.test({
  name: "whoever is one too many at the ring's port is told so, if it listens",
  ...crowd,
  fn: async () => {
    await using ring = await Ring.start({ server: { connectionsPerAddressMax: 1 } });
    using first = await Client.connect(ring.server().address, "127.0.0.7");
    assert((await first.ask(statusRequest)).length > 0);
    using second = await Client.connect(ring.server().address, "127.0.0.7");
    const said = await second.untilClosed();
    assertStringIncludes(said, '"status":503');
    assertStringIncludes(said, "too many connections");
  },
});

Deno.test({
  name:
    "a newcomer that knows the secret, and finds the ring full, tries again until there is room",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({
      server: { ...webPort, secret, connectionsPerAddressMax: 8 },
    });
    const held: Wire[] = [];
    try {
      const take = async () => {
        const wire = await ring.connect();
        held.push(wire);
      };
      while (held.length < 8) await take();
      await assertRejects(take, ConnectionError, "too many connections");
      const options = { ip, port: 0, secret, previous: ring.server().address };
      ring.servers.push(await startServer(options));
      await eventually(async () => await refused(ring, "connections_per_address") > 1, {
        what: "the newcomer to be turned away",
      });
    } finally {
      for (const wire of held) wire.close();
    }
    await untilAlive(ring.server(1).address, 2, secret);
  },
});

Deno.test({
  name: "where an address may have any number of connections, it may have all listeners to events",
  ...crowd,
  fn: async () => {
    for (
      const [connectionsPerAddressMax, count] of [[0, listenersMax], [undefined, listenersMax / 2]]
    ) {
      const bound = connectionsPerAddressMax === undefined ? {} : { connectionsPerAddressMax };
      await using ring = await Ring.start({ server: { ...webPort, ...bound } });
      using held = new DisposableStack();
      const statusOf = async () => {
        const client = held.use(await Client.connect(webAddress(ring), "127.0.0.7"));
        const answer = await client.ask(encodeRequest({ target: "/_ring/events" }));
        return new TextDecoder().decode(answer).split(" ")[1];
      };
      for (let i = 0; i < (count ?? 0); i++) assertEquals(await statusOf(), "200");
      assertEquals(await statusOf(), "503");
    }
  },
});

Deno.test({
  name: "members of the ring are let in however many strangers there are",
  ...crowd,
  fn: async () => {
    await using ring = await Ring.start({ server: { ...webPort, connectionsMax: 16 } });
    using held = new DisposableStack();
    for (let i = 0; i < 20; i++) {
      held.use(await Client.connect(ring.server().address, `127.0.1.${100 + i}`));
    }
    await eventually(async () => await refused(ring, "connections") > 0, { what: "a refusal" });
    // The only member says that it is at 127.0.0.1.
    using member = await ring.connect();
    assertEquals((await member.ask({ type: "STATUS" })).type, "STATUS");
  },
});

Deno.test({
  name: "a frame that is too long, too deep or has too long a name is refused, and counted",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ server: webPort });
    const deep = `{"type":"STATUS","a":${"[".repeat(100)}${"]".repeat(100)}}`;
    const attempts = [
      new Uint8Array([0xff, 0xff, 0xff, 0xff]),
      framed(deep),
      encodeFrame({ type: "GET", item: "n".repeat(2000) }),
    ];
    using bystander = await ring.connect();
    for (const bytes of attempts) {
      using wire = await ring.connect();
      await wire.sendBytes(bytes);
      const { type, status } = await wire.answer();
      assertEquals([type, status >= 400 && status < 500], ["ERROR", true]);
      assertEquals((await bystander.ask({ type: "STATUS" })).status, 200);
    }
    assertEquals(await refused(ring, "frame"), attempts.length);
  },
});

/** What a client may leave undone for so long and no longer, in milliseconds. */
const silences = [
  {
    what: "says nothing for five minutes",
    ms: 301_000,
    begin: async (ring: Ring) => {
      const wire = await ring.connect();
      assertEquals((await wire.ask({ type: "STATUS" })).status, 200);
      return wire;
    },
  },
  {
    what: "stops in the middle of a body",
    ms: 31_000,
    begin: async (ring: Ring) => {
      const wire = await ring.connect();
      await wire.send({ type: "PUT", item: "half", size: 100 }, bytesOf(10));
      return wire;
    },
  },
  {
    what: "stops in the middle of a frame",
    ms: 31_000,
    begin: async (ring: Ring) => {
      const wire = await ring.connect();
      // Its answer says that the server has read what came with it.
      await wire.sendBytes(statusRequest, framed("{}".padEnd(1000)).subarray(0, 500));
      assertEquals((await wire.answer()).status, 200);
      return wire;
    },
  },
  {
    what: "does not prove that it knows the secret",
    ms: handshakeMs + 1000,
    secret,
    begin: (ring: Ring) => Wire.connect(ring.server().address),
  },
];
for (const { what, ms, begin, ...options } of silences) {
  Deno.test({
    name: `a client at the ring's port that ${what} is cut off, and others are served`,
    ...needs("net"),
    fn: async () => {
      await using ring = await Ring.start({ server: { ...webPort, ...options } });
      using silent = await begin(ring);
      // What it has sent has been read by then.
      assertEquals(await refused(ring, "silence"), 0);
      using _ = replaceMethod(
        Performance.prototype,
        "now",
        (now) =>
          function (this: Performance) {
            return now.call(this) + ms;
          },
      );
      using bystander = await ring.connect();
      await silent.untilClosed();
      assertEquals((await bystander.ask({ type: "STATUS" })).status, 200);
      assertEquals(await refused(ring, "silence"), 1);
    },
  });
}

/** Whether a client was answered, and not turned away. */
function isAnswer(bytes: Uint8Array): boolean {
  return bytes.length > 0 && !new TextDecoder().decode(bytes).includes("too many connections");
}

/** A text as a frame, whatever it is. */
function framed(text: string): Uint8Array {
  const body = new TextEncoder().encode(text);
  const frame = new Uint8Array(4 + body.length);
  new DataView(frame.buffer).setUint32(0, body.length);
  frame.set(body, 4);
  return frame;
}

function webAddress(ring: Ring): string {
  return new URL(ring.server().web ?? "").host;
}
