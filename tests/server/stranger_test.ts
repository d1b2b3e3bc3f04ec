import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bucketCount, bucketDigits, inlineBytesMax } from "../../lib/ring/file_record.ts";
import type { MemberId } from "../../lib/ring/member.ts";
import type { MemberMessage } from "../../lib/ring/message.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { bytesOf, recordOf, sha256Of, stampAt } from "../storage/sample.ts";
import { ip, Ring } from "./ring.ts";
import type { Wire } from "./wire.ts";
import { startServer } from "../../lib/server/server.ts";
import { ServerError } from "../../lib/server/options.ts";

const stranger = "5".repeat(32);
const digest = "d".repeat(64);
const body = bytesOf(1000);

/** A FORWARD that writes `written`, in the name of a server that nobody knows. */
function forwardOf(to: MemberId, written: Uint8Array) {
  return {
    type: "FORWARD",
    from: stranger,
    to,
    hop: 1,
    circle: {
      creator: stranger,
      boot: "b",
      sequence: 1,
      attempt: 0,
      visited: [{ id: stranger, deed: "stored" }],
    },
    errand: {
      type: "WRITE",
      record: recordOf("planted", { body: written }),
      holder: stranger,
      list: digest,
    },
  } as const;
}

/** What a member may say, said by a server that is not in the list. */
function messagesOfStranger(to: MemberId): readonly MemberMessage[] {
  const envelope = { from: stranger, to };
  const circle = { creator: to, boot: "b", sequence: 1 };
  const member = {
    id: stranger,
    incarnation: 1,
    status: "alive",
    address: `${ip}:1`,
    position: "80",
  } as const;
  const digests = "0".repeat(bucketCount * bucketDigits);
  const upTo = stampAt(2 ** 41);
  return [
    { type: "CHECK", ...envelope, sequence: 1, list: digest, files: digest, wall: 0 },
    { type: "CHECKED", ...envelope, sequence: 1, list: digest, files: digest, wall: 0 },
    { type: "ASK", ...envelope, suspect: to },
    { type: "VOUCH", ...envelope, suspect: to },
    { ...forwardOf(to, body), errand: { type: "FIND", item: "good" } },
    { ...forwardOf(to, body), errand: { type: "SURVEY", upTo, surveys: [] } },
    { ...forwardOf(to, body), errand: { type: "COLLECT", upTo, list: digest } },
    { type: "ACK", ...envelope, hop: 1 },
    { type: "REPORT", ...envelope, circle, deed: "stored" },
    { type: "COMPARE", ...envelope, sequence: 1, member, digests, after: "" },
    { type: "PAGE", ...envelope, sequence: 1, records: [recordOf("planted", { body })] },
  ];
}

Deno.test({
  name: "a message of a member that is not in the list is refused, and changes nothing",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start({ size: 2 });
    using bystander = await ring.connect();
    await bystander.put("good", body);
    const before = await statusOf(bystander);
    for (const message of messagesOfStranger(before.id)) {
      using wire = await ring.connect();
      await wire.send(message);
      await assertRefused(wire, 403);
      // The connection is still good: a server that was just removed from the list learns so on it.
      assertEquals((await wire.ask({ type: "GET", item: "good" })).body, body, message.type);
    }
    using wire = await ring.connect();
    await wire.send({ ...forwardOf(before.id, body), size: body.length }, body);
    await assertRefused(wire, 403);
    assertEquals(await statusOf(bystander), before);
    assertEquals((await bystander.ask({ type: "GET", item: "planted" })).status, 404);
  },
});

Deno.test({
  name: "a message to another server than this one is refused with 421",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    for (const message of messagesOfStranger("6".repeat(32))) {
      using wire = await ring.connect();
      await wire.send(message);
      await assertRefused(wire, 421);
    }
  },
});

Deno.test({
  name: "an INSERT of oneself is refused, and the list stays as it is",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    using wire = await ring.connect();
    const before = await statusOf(wire);
    const insert = { type: "INSERT", from: before.id, incarnation: 9, position: "" };
    await wire.send({ ...insert, address: ring.server().address });
    await assertRefused(wire, 403);
    assertEquals(await statusOf(wire), before);
  },
});

Deno.test({
  name: "a server whose previous server is itself stops, and says why",
  ...needs("net"),
  fn: async () => {
    // Any port that is free now: in the time until it is taken again nobody else is likely to.
    const listener = Deno.listen({ hostname: ip, port: 0 });
    const { port } = listener.addr;
    listener.close();
    const server = await startServer({ ip, port, previous: `${ip}:${port}` });
    const error = await server.finished.then(() => undefined, (error) => error);
    assert(error instanceof ServerError);
    assertEquals(error.kind, "noPrevious");
    assertStringIncludes(error.message, "A server cannot be inserted after itself");
  },
});

Deno.test({
  name: "a FORWARD whose body has another hash than its record is refused",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    using bystander = await ring.connect();
    const { id } = await statusOf(bystander);
    using wire = await ring.connect();
    await wire.send({ ...forwardOf(id, body), size: body.length }, bytesOf(body.length, 7));
    const answer = await wire.answer();
    assert(answer.type === "ERROR" && answer.status === 400);
    assertStringIncludes(answer.error, "another hash");
    assertEquals(await wire.receive(), undefined);
    assertEquals((await statusOf(bystander)).files, 0);
  },
});

Deno.test({
  name: "a FORWARD with a body of another size than its record, or over 64 KiB, is refused",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    using bystander = await ring.connect();
    const { id } = await statusOf(bystander);
    const large = bytesOf(inlineBytesMax + 1);
    const cases = [
      { written: body, sent: body.subarray(1), status: 400, error: "the file has 1000" },
      { written: large, sent: large, status: 413, error: "at most 65536 go with it" },
    ];
    for (const { written, sent, status, error } of cases) {
      using wire = await ring.connect();
      await wire.send({ ...forwardOf(id, written), size: sent.length }, sent);
      const answer = await wire.answer();
      assert(answer.type === "ERROR" && answer.status === status);
      assertStringIncludes(answer.error, error);
      assertEquals(await wire.receive(), undefined);
    }
    assertEquals((await statusOf(bystander)).files, 0);
  },
});

Deno.test({
  name: "a BODY of a member that is not in the list is not kept",
  ...needs("net", "read", "write"),
  fn: async () => {
    await using ring = await Ring.start({ onDisk: true });
    using bystander = await ring.connect();
    const { id } = await statusOf(bystander);
    const large = bytesOf(200_000);
    using wire = await ring.connect();
    await wire.send({
      type: "BODY",
      from: stranger,
      to: id,
      upload: "u",
      visited: [],
      size: large.length,
    }, large);
    await wire.end();
    await wire.untilClosed();
    await eventually(() => ring.bodies().temporary.length === 0, { what: "bodies/tmp to empty" });
    assertEquals(ring.bodies().kept, []);
    assertEquals(await fetchStatus(bystander, sha256Of(large)), 404);
  },
});

Deno.test({
  name: "a FETCH brings a body by its hash, and 404 if there is none",
  ...needs("net", "read", "write"),
  fn: async () => {
    await using ring = await Ring.start({ onDisk: true });
    using wire = await ring.connect();
    for (const size of [0, 1, inlineBytesMax, 300_000]) {
      const sent = bytesOf(size);
      const sha256 = sha256Of(sent);
      if (size > 0) assertEquals(await fetchStatus(wire, sha256), 404);
      await wire.put(`file-${size}`, sent);
      await wire.send({ type: "FETCH", sha256 });
      const reply = await wire.receive();
      assertEquals(reply?.value, { type: "FETCH", status: 200, sha256, size });
      assertEquals(reply?.body, sent);
    }
  },
});

async function statusOf(wire: Wire) {
  const status = await wire.ask({ type: "STATUS" });
  if (status.type !== "STATUS") throw new Error(`answered by ${status.type}`);
  return status;
}

async function fetchStatus(wire: Wire, sha256: string): Promise<unknown> {
  await wire.send({ type: "FETCH", sha256 });
  return (await wire.receive())?.value.status;
}

async function assertRefused(wire: Wire, status: 403 | 421): Promise<void> {
  const reply = await wire.receive();
  assertEquals([reply?.value.type, reply?.value.status], ["REFUSE", status]);
}
