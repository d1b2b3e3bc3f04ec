import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ByteDuplex } from "../../lib/protocol/byte_duplex.ts";
import { type ByteStream, ConnectionError } from "../../lib/protocol/byte_stream.ts";
import { Credentials } from "../../lib/protocol/credentials.ts";
import { HandshakeError } from "../../lib/protocol/handshake.ts";
import { type Accepted, acceptTls, type Opened, secure } from "../../lib/protocol/tls_stream.ts";
import { Authority, needsOpenssl, unchecked } from "./authority.ts";

const hostname = "127.0.0.1";

/** Connects two ends, and waits until both handshakes are over, however they end. */
async function handshake(
  listener: Credentials,
  dialler: Credentials,
): Promise<[PromiseSettledResult<Accepted>, PromiseSettledResult<Opened>]> {
  using tcp = Deno.listen({ hostname, port: 0 });
  const { port } = tcp.addr;
  const [far, near] = await Promise.all([tcp.accept(), Deno.connect({ hostname, port })]);
  const options = { credentials: listener, asksForCertificate: true };
  const { signal } = new AbortController();
  return await Promise.allSettled([
    acceptTls(new ByteDuplex(far), options),
    secure(near, { credentials: dialler, host: hostname, signal }).catch((error) => {
      close(near);
      throw error;
    }),
  ]);
}

/** Closes what may be closed already. */
function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    assert(error instanceof Deno.errors.BadResource);
  }
}

/** Both ends of a connection that is encrypted. */
async function openPair(credentials: Credentials): Promise<[Accepted, Opened]> {
  const [accepted, opened] = await handshake(credentials, credentials);
  if (accepted.status === "rejected") throw accepted.reason;
  if (opened.status === "rejected") throw opened.reason;
  return [accepted.value, opened.value];
}

async function writeAll(stream: ByteStream, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await stream.write(bytes.subarray(sent));
}

async function readAll(stream: ByteStream): Promise<Uint8Array> {
  const buffer = new Uint8Array(100_000);
  const pieces: Uint8Array[] = [];
  for (let count = await stream.read(buffer); count !== null; count = await stream.read(buffer)) {
    pieces.push(buffer.slice(0, count));
  }
  return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
}

Deno.test({
  name: "bytes go both ways, also after one side has ended, and the end is seen",
  ...needsOpenssl,
  fn: async () => {
    await using authority = await Authority.create();
    const credentials = await authority.credentials("a");
    const [{ stream: far, isCertified }, { stream: near, endPoint }] = await openPair(credentials);
    assertEquals([isCertified, endPoint], [true, credentials.endPoint]);
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    const request = Promise.all([
      readAll(far),
      writeAll(near, bytes).then(() => near.closeWrite?.()),
    ]);
    assertEquals((await request)[0], bytes);
    const answer = Promise.all([readAll(near), writeAll(far, bytes).then(() => far.closeWrite())]);
    assertEquals((await answer)[0], bytes);
    near.close();
    far.close();
  },
});

Deno.test({
  name: "what was written arrives although the connection is closed at once",
  ...needsOpenssl,
  fn: async () => {
    await using authority = await Authority.create();
    const [{ stream: far }, { stream: near }] = await openPair(await authority.credentials("a"));
    const bytes = new Uint8Array(3_000_000);
    const arrived = readAll(far);
    await writeAll(near, bytes);
    near.close();
    assertEquals((await arrived).length, bytes.length);
    far.close();
  },
});

Deno.test({
  name: "a reader that stops stops the writer, and to close ends both",
  ...needsOpenssl,
  fn: async () => {
    await using authority = await Authority.create();
    for (const direction of ["to the listener", "to the dialler"]) {
      const [{ stream: far }, { stream: near }] = await openPair(await authority.credentials("a"));
      const [writer, reader] = direction === "to the listener" ? [near, far] : [far, near];
      // More than the system and a few reads hold.
      const bytesMax = 64 * 1024 * 1024;
      const chunk = new Uint8Array(64 * 1024);
      let written = 0;
      let stalledAt = -1;
      const writing = (async () => {
        while (written < bytesMax) written += await writer.write(chunk);
      })();
      const stalled = (async () => {
        while (stalledAt !== written) {
          stalledAt = written;
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
      })();
      await Promise.race([writing, stalled]);
      assert(written < bytesMax, direction);
      writer.close();
      await assertRejects(() => writing);
      reader.close();
      await stalled;
    }
  },
});

interface Case {
  readonly what: string;
  /** Whom the listener is, and whom the dialler trusts. */
  readonly make: (own: Authority, other: Authority) => Promise<[Credentials, Credentials]>;
  readonly text: string;
}

const distrusted: readonly Case[] = [
  {
    what: "of another authority",
    make: async (own, other) => [
      await other.credentials("a"),
      new Credentials({ authority: own.certificate }),
    ],
    text: "is not of the authority that --tls-ca names",
  },
  {
    what: "of an authority that nobody has named",
    make: async (own) => [await own.credentials("a"), new Credentials({})],
    text: "is of no known authority: name the ring's with --tls-ca",
  },
  {
    what: "for another host",
    make: async (own) => [
      await own.credentials("a", ["DNS:example.org", "IP:127.0.0.9"]),
      new Credentials({ authority: own.certificate }),
    ],
    text: "is for DNS:example.org, IP Address:127.0.0.9, and not for 127.0.0.1: make one that is",
  },
  {
    what: "that has expired",
    make: async (own) => [
      unchecked(await own.issue("a", { days: -1 })),
      new Credentials({ authority: own.certificate }),
    ],
    text: "expired on 20",
  },
];
for (const { what, make, text } of distrusted) {
  Deno.test({
    name: `a dialler does not talk to a listener with a certificate ${what}`,
    ...needsOpenssl,
    fn: async () => {
      await using own = await Authority.create();
      await using other = await Authority.create();
      const [accepted, opened] = await handshake(...await make(own, other));
      if (accepted.status === "fulfilled") accepted.value.stream.close();
      assert(opened.status === "rejected" && opened.reason instanceof HandshakeError);
      assertStringIncludes(opened.reason.message, text);
    },
  });
}

Deno.test({
  name: "only a certificate of the authority that is good now makes a dialler certified",
  ...needsOpenssl,
  fn: async () => {
    await using own = await Authority.create();
    // Of the same name, which alone is to prove nothing.
    await using other = await Authority.create();
    const authority = own.certificate;
    const listener = await own.credentials("listener");
    const diallers: [string, Credentials, boolean][] = [
      ["good", await own.credentials("good"), true],
      ["none", new Credentials({ authority }), false],
      ["foreign", new Credentials({ ...await other.issue("foreign"), authority }), false],
      ["expired", unchecked({ ...await own.issue("expired", { days: -1 }), authority }), false],
    ];
    for (const [what, dialler, isExpected] of diallers) {
      const [accepted, opened] = await handshake(listener, dialler);
      assert(accepted.status === "fulfilled" && opened.status === "fulfilled", what);
      assertEquals(accepted.value.isCertified, isExpected, what);
      accepted.value.stream.close();
      opened.value.stream.close();
    }
  },
});

Deno.test({
  name: "a listener without an authority certifies nobody",
  ...needsOpenssl,
  fn: async () => {
    await using own = await Authority.create();
    const [accepted, opened] = await handshake(
      new Credentials(await own.issue("listener")),
      await own.credentials("dialler"),
    );
    assert(accepted.status === "fulfilled" && opened.status === "fulfilled");
    assertEquals(accepted.value.isCertified, false);
    accepted.value.stream.close();
    opened.value.stream.close();
  },
});

Deno.test({
  name: "a dialler says that a listener speaks no TLS, and waits no longer than it is told to",
  ...needsOpenssl,
  fn: async () => {
    using tcp = Deno.listen({ hostname, port: 0 });
    const credentials = new Credentials({});
    const dial = async (abort: AbortController) => {
      const conn = await Deno.connect({ hostname, port: tcp.addr.port });
      return await secure(conn, { credentials, host: hostname, signal: abort.signal });
    };
    const plain = dial(new AbortController());
    const far = await tcp.accept();
    await far.read(new Uint8Array(1000));
    await far.write(new TextEncoder().encode("\0\0\0\x02{}"));
    await assertRejects(() => plain, HandshakeError, "does not speak TLS");
    far.close();

    const abort = new AbortController();
    const silent = dial(abort);
    const mute = await tcp.accept();
    abort.abort();
    await assertRejects(() => silent, Error, "took too long");
    mute.close();
  },
});

Deno.test({
  name: "a listener waits for a handshake until what is below is closed",
  ...needsOpenssl,
  fn: async () => {
    await using authority = await Authority.create();
    using tcp = Deno.listen({ hostname, port: 0 });
    const conn = await Deno.connect({ hostname, port: tcp.addr.port });
    const credentials = await authority.credentials("a");
    const options = { credentials, asksForCertificate: true };
    const below = new ByteDuplex(await tcp.accept());
    const accepted = acceptTls(below, options);
    below.destroy();
    await assertRejects(() => accepted, ConnectionError);
    assertEquals(await conn.read(new Uint8Array(1)), null);
    conn.close();
  },
});
