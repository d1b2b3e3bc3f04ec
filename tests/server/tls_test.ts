/** A ring that speaks TLS, from both sides: who belongs, and who does not. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { RingClient } from "../../lib/client/client.ts";
import { RingError } from "../../lib/client/ring_error.ts";
import { Credentials } from "../../lib/protocol/credentials.ts";
import { Secret } from "../../lib/protocol/secret.ts";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import { type RunningServer, ServerError, type ServerOptions } from "../../lib/server/options.ts";
import { Dialler } from "../../lib/server/dialler.ts";
import { Peers } from "../../lib/server/peers.ts";
import { type Bound, Refusals } from "../../lib/web/refusals.ts";
import { startServer } from "../../lib/server/server.ts";
import { eventually } from "../eventually.ts";
import { memberMessages } from "../protocol/sample.ts";
import { bytesOf } from "../storage/sample.ts";
import { Authority, needsOpenssl, unchecked } from "../tls/authority.ts";
import { ip } from "./ring.ts";
import { Wire } from "./wire.ts";

const timeoutMs = 10_000;

/** Servers that end with the test. */
class Servers implements AsyncDisposable {
  readonly #running: RunningServer[] = [];

  async start(options: Partial<ServerOptions>): Promise<RunningServer> {
    const server = await startServer({ ip, port: 0, ...options });
    this.#running.push(server);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map((server) => server.stop()));
  }
}

/** How often a server has refused something by a bound. */
async function refused(
  { web }: RunningServer,
  { bound, own }: { bound: Bound; own: Authority },
): Promise<number> {
  using client = Deno.createHttpClient({ caCerts: [own.certificate] });
  const text = await (await fetch(`${web}_ring/metrics`, { client })).text();
  return Number(new RegExp(`ring_refused_total{bound="${bound}"} (\\d+)`).exec(text)?.[1]);
}

/** What a test is given, and what ends with it. */
interface Given {
  /** The authority of those who belong, and one that they do not know. */
  readonly own: Authority;
  readonly other: Authority;
  readonly servers: Servers;
  /** Of one who belongs. */
  readonly credentials: Credentials;
}

function test(name: string, body: (given: Given) => Promise<void>): void {
  Deno.test({
    name,
    ...needsOpenssl,
    fn: async () => {
      await using own = await Authority.create();
      await using other = await Authority.create();
      await using servers = new Servers();
      await body({ own, other, servers, credentials: await own.credentials("a") });
    },
  });
}

/** Asks for the status, on a connection of its own. */
async function statusOf(
  { address }: RunningServer,
  options: { credentials?: Credentials; secret?: Secret },
) {
  const client = await RingClient.connect(address, { timeoutMs, ...options });
  try {
    return await client.status();
  } finally {
    client.close();
  }
}

test(
  "servers and clients of one authority form a ring, and put and get files of any size",
  async ({ own, servers, credentials }) => {
    const secret = new Secret(Secret.generate());
    const first = await servers.start({ credentials, secret });
    const previous = first.address;
    const second = await servers.start({ credentials, secret, previous });
    const third = await servers.start({
      credentials: await own.credentials("b"),
      secret,
      previous,
    });
    await eventually(async () => {
      const { members } = await statusOf(first, { credentials, secret });
      return members.filter(({ status }) => status === "alive").length === 3;
    });
    const client = await RingClient.connect(second.address, { timeoutMs, credentials, secret });
    const other = await RingClient.connect(third.address, { timeoutMs, credentials, secret });
    for (const size of [0, 1000, inlineBytesMax + 1, 20_000_000]) {
      const body = bytesOf(size);
      assertEquals((await client.put(`file-${size}`, { size, body })).copies, 3);
      const download = await other.get(`file-${size}`);
      const pieces: Uint8Array[] = [];
      for await (const piece of download.body) pieces.push(piece.slice());
      const got = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
      assertEquals(got.length, size);
      assert(got.every((byte, index) => byte === body[index]), `${size} bytes`);
    }
    client.close();
    other.close();
  },
);

interface Stranger {
  readonly what: string;
  /** How it differs from those who belong, whose credentials are given. */
  readonly make: (own: Authority, other: Authority) => Promise<Credentials | undefined>;
  readonly text: string;
}

const strangers: readonly Stranger[] = [
  {
    what: "that speaks no TLS",
    make: () => Promise.resolve(undefined),
    text: "This ring speaks TLS: name its authority with --tls-ca",
  },
  {
    what: "that shows no certificate",
    make: (own) => Promise.resolve(new Credentials({ authority: own.certificate })),
    text: "This ring wants a certificate of its authority",
  },
  {
    what: "with a certificate of another authority",
    make: async (own, other) =>
      unchecked({ ...await other.issue("foreign"), authority: own.certificate }),
    text: "This ring does not take the certificate that was shown",
  },
  {
    what: "whose certificate has expired",
    make: async (own) =>
      unchecked({ ...await own.issue("expired", { days: -1 }), authority: own.certificate }),
    text: "This ring does not take the certificate that was shown",
  },
  {
    what: "whose certificate is for servers only",
    make: async (own) => {
      const use = "extendedKeyUsage=serverAuth";
      return unchecked({ ...await own.issue("server", { use }), authority: own.certificate });
    },
    text: "is it of its authority, not expired, and for clients too",
  },
  {
    what: "that trusts another authority",
    make: (_own, other) => other.credentials("b"),
    text: "certificate is not of the authority that --tls-ca names",
  },
];
for (const { what, make, text } of strangers) {
  for (const secret of [undefined, new Secret(Secret.generate())]) {
    const secrecy = secret === undefined ? {} : { secret };
    test(
      `a client ${what} is told so, ${secret === undefined ? "without" : "with"} a secret`,
      async ({ own, other, servers, credentials }) => {
        const server = await servers.start({ credentials, ...secrecy });
        const used = await make(own, other);
        const options = used === undefined ? secrecy : { ...secrecy, credentials: used };
        const error = await assertRejects(() => statusOf(server, options), RingError);
        assert(error instanceof RingError && error.kind === "failed", error.message);
        assertStringIncludes(error.message.toLowerCase(), text.toLowerCase());
        assertEquals((await statusOf(server, { credentials, ...secrecy })).members.length, 1);
      },
    );
  }

  // A server without a certificate of its own cannot be started at all.
  if (what === "that shows no certificate") continue;
  test(`a newcomer ${what} stops, and says why`, async ({ own, other, servers, credentials }) => {
    const { address: previous } = await servers.start({ credentials });
    const used = await make(own, other);
    const options = used === undefined ? {} : { credentials: listening(used) };
    const newcomer = await startServer({ ip, port: 0, previous, ...options });
    const error = await assertRejects(() => newcomer.finished, ServerError);
    assert(error instanceof ServerError && error.kind === "noPrevious", error.message);
    assertStringIncludes(error.message.toLowerCase(), text.toLowerCase());
  });
}

/** Lets a test start a server whose certificate nobody has looked at. */
function listening(credentials: Credentials): Credentials {
  return Object.defineProperty(credentials, "isFor", { value: () => true });
}

test(
  "a client that speaks TLS to a server that does not is told so",
  async ({ servers, credentials }) => {
    const server = await servers.start({});
    const error = await assertRejects(() => statusOf(server, { credentials }), RingError);
    assertStringIncludes(error.message, "does not speak TLS: start it with --tls-cert");
    assertEquals((await statusOf(server, {})).members.length, 1);
  },
);

test(
  "a member that is not to be believed is distrusted, and neither refused nor closed",
  async ({ other, servers, credentials }) => {
    const { address } = await servers.start({ credentials: await other.credentials("b") });
    const told: string[] = [];
    const peers = new Peers({
      refusals: new Refusals(),
      dialler: new Dialler({ credentials: () => credentials }),
      onMessage: () => told.push("message"),
      onUnreachable: (_address, reason) => told.push(reason),
      onDistrust: (_address, text) => told.push(text),
    });
    const [message] = memberMessages;
    assert(message !== undefined);
    peers.send(address, message);
    await eventually(() => told.length > 0);
    assertEquals(told, ["The server's certificate is not of the authority that --tls-ca names"]);
    peers.close();
  },
);

test(
  "renewed credentials are those of new connections, and old ones go on",
  async ({ own, other, servers, credentials }) => {
    const server = await servers.start({ credentials, web: { port: 0 } });
    const old = await RingClient.connect(server.address, { timeoutMs, credentials });
    const next = await other.credentials("b");
    server.renew(next);
    assertEquals((await old.status()).members.length, 1);
    await assertRejects(() => statusOf(server, { credentials }), RingError, "not of the authority");
    assertEquals((await statusOf(server, { credentials: next })).members.length, 1);
    using client = Deno.createHttpClient({ caCerts: [other.certificate] });
    const response = await fetch(`${server.web}_ring/health`, { client });
    assertEquals(response.status, 200);
    await response.text();
    old.close();

    const wrong = await own.credentials("c", ["DNS:elsewhere.example"]);
    const error = (() => {
      try {
        server.renew(wrong);
      } catch (error) {
        return error;
      }
    })();
    assert(error instanceof ServerError && error.kind === "tls");
    assertEquals((await statusOf(server, { credentials: next })).members.length, 1);
  },
);

test("a server does not start with a certificate for another host", async ({ own }) => {
  const credentials = await own.credentials("a", ["DNS:elsewhere.example"]);
  await assertRejects(
    () => startServer({ ip, port: 0, credentials }),
    ServerError,
    "it is for DNS:elsewhere.example, and others connect to 127.0.0.1; make one that is for it",
  );
});

test(
  "clients that say nothing, or break off, keep nobody else out",
  async ({ servers, credentials }) => {
    const server = await servers.start({ credentials });
    const port = Number(server.address.split(":")[1]);
    const open = () => Deno.connect({ hostname: ip, port });
    const silent = await Promise.all(Array.from({ length: 20 }, open));
    const begun = await Promise.all(Array.from({ length: 20 }, open));
    // The beginning of a handshake of which no more comes.
    for (const conn of begun) {
      await conn.write(new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
    }
    for (let count = 0; count < 20; count++) (await open()).close();
    const garbage = await open();
    await garbage.write(new Uint8Array([0x16, ...bytesOf(500)]));
    assertEquals((await statusOf(server, { credentials })).members.length, 1);
    for (const conn of [...silent, ...begun, garbage]) conn.close();
  },
);

test(
  "clients that do not go on with a handshake are cut off after 5 s, and counted",
  async ({ own, servers, credentials }) => {
    const server = await servers.start({ credentials, web: { port: 0 } });
    using held = new DisposableStack();
    const clients: Wire[] = [];
    // At different times between two looks of the watchdog: no timer of TLS may be earlier, and not count.
    while (clients.length < 20) {
      const client = held.use(await Wire.connect(server.address));
      clients.push(client);
      if (clients.length % 5 === 0) continue;
      await client.sendBytes(new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
      assertEquals(await refused(server, { bound: "silence", own }), 0);
    }
    await Promise.all(clients.map((client) => client.untilClosed()));
    assertEquals(await refused(server, { bound: "silence", own }), clients.length);
  },
);

test(
  "a full server does not look as if it spoke no TLS, and a newcomer to it tries again",
  async ({ own, servers, credentials }) => {
    const options = { credentials, web: { port: 0 }, connectionsPerAddressMax: 4 };
    const server = await servers.start(options);
    const turnedAway = () => refused(server, { bound: "connections_per_address", own });
    using held = new DisposableStack();
    for (let count = 0; count < 4; count++) held.use(await Wire.connect(server.address));
    const error = await assertRejects(() => statusOf(server, { credentials }), RingError);
    assert(error instanceof RingError && error.kind === "unavailable", error.message);
    const before = await turnedAway();
    const newcomer = await servers.start({ credentials, previous: server.address });
    await eventually(async () => await turnedAway() > before, { what: "a newcomer to be refused" });
    held.dispose();
    await eventually(
      async () => (await statusOf(newcomer, { credentials })).members.length === 2,
      { what: "a ring of two" },
    );
  },
);

test(
  "a plaintext client gets an error frame before it is cut off",
  async ({ servers, credentials }) => {
    const server = await servers.start({ credentials });
    using wire = await Wire.connect(server.address);
    const answer = await wire.ask({ type: "STATUS" });
    assertEquals([answer.type, answer.status], ["ERROR", 401]);
    assertEquals(await wire.receive(), undefined);
  },
);
