import { assertEquals } from "@std/assert";
import { FrameConnection } from "../../lib/protocol/connection.ts";
import { decodeIncoming } from "../../lib/protocol/decode.ts";
import { encodeMessage } from "../../lib/protocol/encode.ts";
import { encodeFrame } from "../../lib/protocol/frame.ts";
import type { MemberMessage } from "../../lib/ring/message.ts";
import { Dialler } from "../../lib/server/dialler.ts";
import { connectingBytesMax, Peers } from "../../lib/server/peers.ts";
import { SilenceWatch } from "../../lib/server/silence.ts";
import { Refusals } from "../../lib/web/refusals.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { memberMessages } from "../protocol/sample.ts";
import { replaceMethod } from "./double.ts";
import { ip } from "./ring.ts";

const [self, other] = ["a".repeat(32), "b".repeat(32)];

/** A message that is told apart from others by a number. */
function ack(hop: number): MemberMessage {
  return { type: "ACK", from: self, to: other, hop };
}

/** The peers of a server that is not there, and what they have told it. */
function startPeers() {
  const messages: MemberMessage[] = [];
  const unreachable: string[] = [];
  const refusals = new Refusals();
  const peers = new Peers({
    refusals,
    dialler: new Dialler(),
    onMessage: (message) => messages.push(message),
    onUnreachable: (address, reason) => unreachable.push(`${address} ${reason}`),
    onDistrust: (address, text) => unreachable.push(`${address} ${text}`),
  });
  return { peers, messages, unreachable, refusals, [Symbol.dispose]: () => peers.close() };
}

/** A listener, and its address. */
function listen() {
  const listener = Deno.listen({ hostname: ip, port: 0 });
  return {
    address: `${ip}:${listener.addr.port}`,
    accept: async () => new FrameConnection(await listener.accept()),
    [Symbol.dispose]: () => listener.close(),
  };
}

/** Receives so many messages, and returns the numbers of their hops. */
async function receiveHops(connection: FrameConnection, count: number): Promise<number[]> {
  const hops: number[] = [];
  while (hops.length < count) {
    const received = await connection.receive();
    if (received === undefined) throw new Error(`The connection ended after ${hops.length}`);
    const message = decodeIncoming(received.value, received.size);
    if (message.type === "ACK") hops.push(message.hop);
  }
  return hops;
}

Deno.test({
  name: "Peers keeps the order of messages, before and after the connection is there",
  ...needs("net"),
  fn: async () => {
    using server = listen();
    using started = startPeers();
    const { peers, unreachable } = started;
    for (let hop = 0; hop < 100; hop++) peers.send(server.address, ack(hop));
    const connection = await server.accept();
    const early = await receiveHops(connection, 50);
    for (let hop = 100; hop < 200; hop++) peers.send(server.address, ack(hop));
    const hops = [...early, ...await receiveHops(connection, 150)];
    assertEquals(hops, Array.from({ length: 200 }, (_, hop) => hop));
    connection.close();
    await eventually(() => unreachable.length === 1, { what: "the broken connection" });
  },
});

Deno.test({
  name: "Peers hands in what comes back on a connection that it opened",
  ...needs("net"),
  fn: async () => {
    using server = listen();
    using started = startPeers();
    started.peers.send(server.address, ack(1));
    const connection = await server.accept();
    await receiveHops(connection, 1);
    for (const hop of [7, 8]) await connection.send(encodeMessage(ack(hop)).head);
    await eventually(() => started.messages.length === 2, { what: "two messages" });
    assertEquals(started.messages, [ack(7), ack(8)]);
    started.peers.close();
    assertEquals(await connection.receive(), undefined);
    connection.close();
    assertEquals(started.unreachable, [], "a connection that was closed here is not a broken one");
  },
});

Deno.test({
  name: "Peers tells refused from closed, and connects again for the next message",
  ...needs("net"),
  fn: async () => {
    using started = startPeers();
    const { peers, unreachable } = started;
    const server = listen();
    const { address } = server;
    for (const hop of [1, 2]) {
      peers.send(address, ack(hop));
      const connection = await server.accept();
      assertEquals(await receiveHops(connection, 1), [hop]);
      connection.close();
      await eventually(() => unreachable.length === hop, { what: "the broken connection" });
    }
    server[Symbol.dispose]();
    peers.send(address, ack(3));
    peers.send(address, ack(4));
    await eventually(() => unreachable.length === 3, { what: "the refusal" });
    assertEquals(unreachable, [`${address} closed`, `${address} closed`, `${address} refused`]);
  },
});

for (
  const { name, bytes } of [
    { name: "what is no frame", bytes: new Uint8Array(4) },
    { name: "an error", bytes: encodeFrame({ type: "ERROR", status: 400, error: "No." }) },
    { name: "a request", bytes: encodeFrame({ type: "GET", item: "a" }) },
    {
      name: "an answer that it did not ask for",
      bytes: encodeFrame({ type: "FETCH", status: 404, sha256: "0".repeat(64) }),
    },
  ]
) {
  Deno.test({
    name: `Peers closes a connection on which ${name} comes back`,
    ...needs("net"),
    fn: async () => {
      using server = listen();
      using started = startPeers();
      started.peers.send(server.address, ack(1));
      const connection = await server.accept();
      await receiveHops(connection, 1);
      await connection.send(bytes);
      assertEquals(await connection.receive(), undefined);
      connection.close();
      await eventually(() => started.unreachable.length === 1, { what: "the closed connection" });
      assertEquals(started.unreachable, [`${server.address} closed`]);
      assertEquals(started.messages, []);
    },
  });
}

Deno.test({
  name: "Peers drops what is over its bound while a connection is being opened",
  ...needs("net"),
  fn: async () => {
    using server = listen();
    using started = startPeers();
    // A message without a body is reckoned to take 1 KiB.
    const kept = connectingBytesMax / 1024;
    const count = kept + 10;
    for (let hop = 0; hop < count; hop++) started.peers.send(server.address, ack(hop));
    const connection = await server.accept();
    const hops = await receiveHops(connection, kept);
    assertEquals(hops, Array.from({ length: kept }, (_, hop) => hop));
    started.peers.send(server.address, ack(count));
    assertEquals(await receiveHops(connection, 1), [count]);
    assertEquals(started.refusals.counts.get("send_queue"), 10);
    connection.close();
    await eventually(() => started.unreachable.length === 1, { what: "the broken connection" });
  },
});

Deno.test({
  name: "Peers gives up a connection whose other side takes nothing, and serves the others",
  ...needs("net"),
  fn: async () => {
    using deaf = listen();
    using server = listen();
    using started = startPeers();
    started.peers.send(deaf.address, ack(1));
    started.peers.send(server.address, ack(2));
    const connections = [await deaf.accept(), await server.accept()] as const;
    // The system takes some megabytes more than what may wait.
    const error = "x".repeat(64 * 1024);
    const large: MemberMessage = {
      type: "REFUSE",
      from: self,
      to: other,
      status: 403,
      intended: "",
      error,
    };
    await eventually(() => {
      for (let i = 0; i < 16; i++) started.peers.send(deaf.address, large);
      return started.refusals.counts.get("send_queue") === 1;
    }, { what: "the queue to be full" });
    assertEquals(await receiveHops(connections[1], 1), [2]);
    started.peers.send(server.address, ack(3));
    assertEquals(await receiveHops(connections[1], 1), [3]);
    for (const connection of connections) connection.close();
    await eventually(() => started.unreachable.length >= 2, { what: "the broken connections" });
  },
});

Deno.test({
  name: "Peers sends nothing once it is closed",
  ...needs("net"),
  fn: async () => {
    using server = listen();
    using started = startPeers();
    started.peers.send(server.address, ack(1));
    started.peers.close();
    const connection = await server.accept();
    started.peers.send(server.address, ack(2));
    assertEquals(await connection.receive(), undefined);
    connection.close();
    assertEquals(started.unreachable, []);
  },
});

/** Waits until the other side has closed a connection, and closes it here too. */
async function untilClosed(connection: FrameConnection): Promise<void> {
  let received: unknown = "nothing yet";
  connection.receive().then((next) => received = next, (error) => received = error);
  await eventually(() => received === undefined, { what: "the other side to close" });
  connection.close();
}

/** A message that is answered at once. */
const check: MemberMessage = {
  type: "CHECK",
  from: self,
  to: other,
  sequence: 1,
  list: "1".repeat(64),
  files: "2".repeat(64),
  wall: 0,
};

Deno.test({
  name:
    "Peers closes a connection on which no answer comes, and connects again for the next message",
  ...needs("net"),
  fn: async () => {
    using server = listen();
    using started = startPeers();
    started.peers.send(server.address, check);
    const mute = await server.accept();
    await mute.receive();
    await untilClosed(mute);
    started.peers.send(server.address, ack(1));
    const next = await server.accept();
    assertEquals(await receiveHops(next, 1), [1]);
    assertEquals(started.unreachable, [], "silence is no news to the core");
    started.peers.close();
    next.close();
  },
});

Deno.test({
  name: "Peers keeps the connections on which answers come, or none is due",
  ...needs("net"),
  fn: async () => {
    using answering = listen();
    using unasked = listen();
    using mute = listen();
    using started = startPeers();
    const { peers } = started;
    peers.send(unasked.address, ack(1));
    peers.send(answering.address, check);
    const [one, two] = await Promise.all([unasked.accept(), answering.accept()]);
    await Promise.all([receiveHops(one, 1), two.receive()]);
    await two.send(encodeMessage(ack(1)).head);
    await eventually(() => started.messages.length === 1, { what: "the answer" });
    // What is sent last is closed last, if it is.
    peers.send(mute.address, check);
    const three = await mute.accept();
    await three.receive();
    await untilClosed(three);
    peers.send(unasked.address, ack(2));
    peers.send(answering.address, ack(3));
    assertEquals([await receiveHops(one, 1), await receiveHops(two, 1)], [[2], [3]]);
    started.peers.close();
    for (const connection of [one, two]) connection.close();
  },
});

Deno.test({
  name: "Peers expects an answer to what is always answered, and to nothing else",
  ...needs("net"),
  fn: async () => {
    const expected: number[] = [];
    let sent = 0;
    using _ = replaceMethod(SilenceWatch.prototype, "expect", () => () => {
      expected.push(sent);
    });
    using server = listen();
    using started = startPeers();
    started.peers.send(server.address, ack(1));
    const connection = await server.accept();
    await receiveHops(connection, 1);
    for (; sent < memberMessages.length; sent++) {
      const message = memberMessages[sent];
      if (message !== undefined) started.peers.send(server.address, message);
    }
    const types = new Set(expected.map((index) => memberMessages[index]?.type));
    assertEquals([...types].sort(), ["CHECK", "COMPARE", "FORWARD", "INSERT", "UPDATE"]);
    started.peers.close();
    connection.close();
  },
});
