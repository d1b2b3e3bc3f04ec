import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectionError, FrameConnection } from "../../lib/protocol/connection.ts";
import { encodeFrame, frameBytesMax, type JsonObject } from "../../lib/protocol/frame.ts";
import { greet, HandshakeError, helloBytesMax, welcome } from "../../lib/protocol/handshake.ts";
import { ProtocolError } from "../../lib/protocol/protocol_error.ts";
import { Secret } from "../../lib/protocol/secret.ts";
import { memoryPair } from "./memory_stream.ts";

const secret = new Secret("a secret of these tests".replaceAll(" ", "-"));
const otherSecret = new Secret("a secret of other tests".replaceAll(" ", "-"));
const [dialler, listener] = [{ secret, id: "d".repeat(32) }, { secret, id: "1".repeat(32) }];
const nonce = "0".repeat(64);

/** The two ends of a connection, which are closed after the test. */
function connect() {
  const [near, far] = memoryPair();
  const ends = [new FrameConnection(near), new FrameConnection(far)] as const;
  return { ends, [Symbol.dispose]: () => ends.forEach((end) => end.close()) };
}

async function receive(connection: FrameConnection): Promise<JsonObject> {
  const received = await connection.receive();
  if (received === undefined) throw new Error("The connection has ended");
  return received.value;
}

/** Plays a dialler whose last message is made by `prove`; returns why it was not welcome. */
async function whyUnwelcome(prove: (facts: readonly string[]) => JsonObject): Promise<unknown> {
  using connection = connect();
  const [near, far] = connection.ends;
  const welcomed = welcome(far, listener).then(() => undefined, (error) => error);
  await near.send(encodeFrame({ type: "HELLO", nonce, id: dialler.id }));
  const hello = await receive(near);
  const facts = [nonce, String(hello.nonce), dialler.id, listener.id];
  assertEquals(hello.proof, secret.prove("ring listener", facts));
  await near.send(encodeFrame(prove(facts)));
  return await welcomed;
}

/** What a dialler says at last that knows the secret. */
function proofOf(facts: readonly string[]): JsonObject {
  return { type: "PROOF", proof: secret.prove("ring dialler", facts) };
}

Deno.test("who knows the secret is welcome, and may speak at once", async () => {
  using connection = connect();
  const [near, far] = connection.ends;
  const welcomed = welcome(far, listener);
  await greet(near, dialler);
  await near.send(encodeFrame({ type: "GET", item: "a" }));
  await welcomed;
  assertEquals(await receive(far), { type: "GET", item: "a" });
});

Deno.test("a client has no id, and is welcome", async () => {
  using connection = connect();
  const [near, far] = connection.ends;
  await Promise.all([greet(near, { secret, id: "" }), welcome(far, listener)]);
});

Deno.test("over TLS both proofs speak of the certificate that each side has seen", async () => {
  using connection = connect();
  const [near, far] = connection.ends;
  const [endPoint, another] = ["AA:01", "AA:02"];
  await Promise.all([
    greet(near, { ...dialler, endPoint }),
    welcome(far, { ...listener, endPoint }),
  ]);
  // Somebody between the two, with another certificate, passes on what each says to the other.
  using between = connect();
  const [from, to] = between.ends;
  const welcomed = welcome(to, { ...listener, endPoint }).catch((error) => error);
  await assertRejects(() => greet(from, { ...dialler, endPoint: another }), HandshakeError);
  from.close();
  assert(await welcomed instanceof ConnectionError);
});

Deno.test("who knows another secret finds that out, and says nothing", async () => {
  using connection = connect();
  const [near, far] = connection.ends;
  const welcomed = welcome(far, listener).catch((error) => error);
  const text = "does not know this ring's secret";
  await assertRejects(() => greet(near, { ...dialler, secret: otherSecret }), HandshakeError, text);
  near.close();
  assert(await welcomed instanceof ConnectionError);
});

const lies: [string, (facts: readonly string[]) => JsonObject][] = [
  ["made with another secret", (facts) => ({
    type: "PROOF",
    proof: otherSecret.prove("ring dialler", facts),
  })],
  ["of another nonce", ([, ...rest]) => proofOf(["1".repeat(64), ...rest])],
  ["heard in an earlier handshake", ([own = "", , ...rest]) => proofOf([own, nonce, ...rest])],
  ["of another dialler", ([a = "", b = "", , d = ""]) => proofOf([a, b, "e".repeat(32), d])],
  ["for another listener", ([a = "", b = "", c = ""]) => proofOf([a, b, c, "e".repeat(32)])],
  ["the listener's own", (facts) => ({
    type: "PROOF",
    proof: secret.prove("ring listener", facts),
  })],
  ["cut off", (facts) => ({ type: "PROOF", proof: String(proofOf(facts).proof).slice(1) })],
  ["no text", () => ({ type: "PROOF", proof: 1 })],
  ["not there", () => ({ type: "PROOF" })],
  ["in another message", (facts) => ({ ...proofOf(facts), type: "HELLO" })],
];
for (const [what, prove] of lies) {
  Deno.test(`a proof that is ${what} proves nothing`, async () => {
    const error = await whyUnwelcome(prove);
    assert(error instanceof ProtocolError && error.status === 401, `${error}`);
  });
}

Deno.test("the very proof that is asked for is one", async () => {
  assertEquals(await whyUnwelcome(proofOf), undefined);
});

Deno.test("no two handshakes ask for the same proof", async () => {
  const nonces = new Set<string>();
  for (let count = 0; count < 20; count++) {
    await whyUnwelcome((facts) => {
      nonces.add(facts[1] ?? "");
      return proofOf(facts);
    });
  }
  assertEquals(nonces.size, 20);
});

Deno.test("who begins with anything but a handshake is told what is missing", async () => {
  for (
    const [message, status] of [
      [{ type: "GET", item: "a" }, 401],
      [{ type: "PUT", item: "a", size: 5 }, 401],
      [{ type: "PROOF" }, 401],
      [{ type: "HELLO", nonce, id: "", size: 5 }, 400],
    ] as const
  ) {
    using connection = connect();
    const [near, far] = connection.ends;
    const welcomed = welcome(far, listener).catch((error) => error);
    await near.send(encodeFrame(message), new Uint8Array("size" in message ? message.size : 0));
    const error = await welcomed;
    assert(error instanceof ProtocolError, `${error}`);
    assertEquals(error.status, status, message.type);
  }
});

Deno.test("of what is too long for a handshake no more is taken than its length", async () => {
  for (const bytes of [helloBytesMax + 1, frameBytesMax, 2 ** 32 - 1]) {
    using connection = connect();
    const [near, far] = connection.ends;
    const welcomed = welcome(far, listener).catch((error) => error);
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, bytes);
    await near.send(length);
    const error = await welcomed;
    assert(error instanceof ProtocolError && error.status === 401, `${error}`);
  }
});

Deno.test("who is welcome may say more at once than a handshake has room for", async () => {
  using connection = connect();
  const [near, far] = connection.ends;
  const welcomed = welcome(far, listener);
  await greet(near, dialler);
  const message = { type: "GET", item: "a".repeat(helloBytesMax) };
  await near.send(encodeFrame(message));
  await welcomed;
  assertEquals(await receive(far), message);
});

Deno.test("a HELLO without a nonce, or with a strange one, is malformed", async () => {
  for (const hello of [{}, { nonce }, { nonce: "0", id: "" }, { nonce, id: "x".repeat(65) }]) {
    using connection = connect();
    const [near, far] = connection.ends;
    const welcomed = welcome(far, listener).catch((error) => error);
    await near.send(encodeFrame({ type: "HELLO", ...hello }));
    const error = await welcomed;
    assert(error instanceof ProtocolError && error.status === 400, `${error}`);
  }
});

Deno.test("a dialler tells in the listener's words why it is not welcome", async () => {
  using connection = connect();
  const [near, far] = connection.ends;
  await far.send(encodeFrame({ type: "ERROR", status: 401, error: "This server has no secret" }));
  await assertRejects(() => greet(near, dialler), HandshakeError, "This server has no secret");
});
