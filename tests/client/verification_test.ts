import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { RingClient } from "../../lib/client/client.ts";
import { areEqual, compareMembers, verifyMember } from "../../lib/client/verification.ts";
import { encodeAnswer } from "../../lib/protocol/encode.ts";
import type { Member } from "../../lib/ring/member.ts";
import type { ClientAnswer, StatusAnswer } from "../../lib/ring/request.ts";
import { needs } from "../permission.ts";
import { answering, type Script, withServer } from "./fake_server.ts";

const patient = { timeoutMs: 20_000 };
/** What the client waits in a test that expects no answer. */
const hasty = { timeoutMs: 200 };

const id = "a".repeat(32);
const found = { checked: 3, damaged: ["a"], damagedCount: 1, lost: [], lostCount: 0 };

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ...needs("net"), fn });
}

test("verifyMember() tells what the server found", async () => {
  const script = answering(({ type }) => type === "VERIFY" ? verified() : status());
  await withServer(script, async (address) => {
    const member = memberAt(address);
    assertEquals(await verifyMember(member, patient), { outcome: "verified", member, found });
  });
});

for (const gone of ["dead", "left"] as const) {
  test(`verifyMember() does not ask a server that is ${gone}`, async () => {
    let asked = 0;
    const script = answering(() => (asked++, status()));
    await withServer(script, async (address) => {
      const member = { ...memberAt(address), status: gone };
      assertEquals(await verifyMember(member, patient), { outcome: "gone", member });
    });
    assertEquals(asked, 0);
  });
}

test("verifyMember() waits longer than for anything else while the server lives", async () => {
  let pulses = 0;
  const script: Script = async (connection) => {
    const answer = (answer: ClientAnswer) => connection.send(encodeAnswer(answer)).catch(() => {});
    for (;;) {
      const received = await connection.receive().catch(() => undefined);
      if (received === undefined) return;
      // Answered when the server has been asked for its status again, which is after the timeout.
      if (received.value.type === "VERIFY") untilPulse.promise.then(() => answer(verified()));
      else if (++pulses > 2) untilPulse.resolve();
      if (received.value.type === "STATUS") await answer(status());
    }
  };
  const untilPulse = Promise.withResolvers<void>();
  await withServer(script, async (address) => {
    const began = performance.now();
    const verdict = await verifyMember(memberAt(address), hasty);
    assertEquals(verdict.outcome, "verified");
    assert(performance.now() - began > hasty.timeoutMs);
  });
});

test("verifyMember() gives up a server that hangs", async () => {
  let isHanging = false;
  const script: Script = async (connection) => {
    for (;;) {
      const received = await connection.receive().catch(() => undefined);
      if (received === undefined) return;
      isHanging ||= received.value.type === "VERIFY";
      if (!isHanging) await connection.send(encodeAnswer(status())).catch(() => {});
    }
  };
  await withServer(script, async (address) => {
    const reason = await failure(memberAt(address), hasty);
    assertStringIncludes(reason, "nothing came or went for 0.2 s");
  });
});

test("verifyMember() gives up a server that closes the connection", async () => {
  const script: Script = async (connection) => {
    for (;;) {
      const received = await connection.receive().catch(() => undefined);
      if (received === undefined || received.value.type === "VERIFY") return;
      await connection.send(encodeAnswer(status()));
    }
  };
  await withServer(script, async (address) => {
    const reason = await failure(memberAt(address), patient);
    assertStringIncludes(reason, "the server closed the connection");
  });
});

test("verifyMember() gives up where nobody listens, or another server does", async () => {
  const other = { ...status(), id: "b".repeat(32) };
  let address = "";
  await withServer(answering(() => other), async (of) => {
    address = of;
    assertEquals(await failure(memberAt(of), patient), `Another server answers at ${of}`);
  });
  assertStringIncludes(await failure(memberAt(address), patient), "nobody listens there");
});

test("verifyMember() passes on why the server refuses", async () => {
  const script = answering(({ type }) =>
    type === "VERIFY" ? { type, status: 503, error: "This server stops" } : status()
  );
  await withServer(script, async (address) => {
    const reason = await failure(memberAt(address), patient);
    assertEquals(reason, "Cannot verify what the server holds: this server stops");
  });
});

test("compareMembers() waits until all are equal", async () => {
  let answers = 0;
  const script = answering(() => ({ ...status(), digest: `${answers++}`.padStart(64, "0") }));
  const steady = answering(() => ({ ...status(), digest: "5".padStart(64, "0") }));
  await withServer(script, (first) =>
    withServer(steady, async (second) => {
      const standings = await compareMembers([first, second].map(memberAt), patient);
      assert(areEqual(standings));
      assertEquals(answers, 6);
    }));
});

for (const unlike of ["joining", "suspect"] as const) {
  test(`compareMembers() waits for a member that is ${unlike}`, async () => {
    let answers = 0;
    const script: Script = answering(() =>
      statusOf([{ ...memberAt("127.0.0.1:1"), status: ++answers < 3 ? unlike : "alive" }])
    );
    await withServer(script, async (address) => {
      await compareMembers([memberAt(address)], patient);
      assertEquals(answers, 3);
    });
  });
}

test("compareMembers() does not wait for ever", async () => {
  const zero = answering(() => ({ ...status(), digest: "0".repeat(64) }));
  const one = answering(() => ({ ...status(), digest: "1".repeat(64) }));
  await withServer(zero, (first) =>
    withServer(one, async (second) => {
      const members = [first, second].map(memberAt);
      const standings = await compareMembers(members, { ...patient, settleMs: 300 });
      assertEquals(standings.map((standing) => "status" in standing), [true, true]);
      assert(!areEqual(standings));
    }));
});

test("compareMembers() does not wait when one does not answer", async () => {
  let address = "";
  await withServer(answering(() => status()), async (of) => {
    address = of;
    await Promise.resolve();
  });
  let answers = 0;
  const script = answering(() => (answers++, { ...status(), digest: "1".repeat(64) }));
  await withServer(script, async (first) => {
    const [, gone] = await compareMembers([first, address].map(memberAt), patient);
    assert(gone !== undefined && "reason" in gone);
    assertStringIncludes(gone.reason, "nobody listens there");
    assertEquals(answers, 1);
  });
});

test("collect() returns how many tombstones were dropped, or says why none were", async () => {
  const answers: ClientAnswer[] = [
    { type: "GC", status: 200, dropped: 12 },
    { type: "GC", status: 409, error: "127.0.0.1:1 is dead" },
  ];
  const script = answering(() => answers.shift() ?? status());
  await withServer(script, async (address) => {
    const client = await RingClient.connect(address, patient);
    assertEquals(await client.collect(), 12);
    const error = await client.collect().then(String, String);
    assertEquals(error, "RingError: Cannot drop the tombstones: 127.0.0.1:1 is dead");
    client.close();
  });
});

async function failure(member: Member, options: { timeoutMs: number }): Promise<string> {
  const verdict = await verifyMember(member, options);
  if (verdict.outcome === "failed") return verdict.reason;
  throw new Error(`A failure was expected, and not ${verdict.outcome}`);
}

function memberAt(address: string): Member {
  return { id, incarnation: 1, status: "alive", address, position: "80" };
}

function status(): StatusAnswer {
  return statusOf([]);
}

function statusOf(members: readonly Member[]): StatusAnswer {
  return {
    type: "STATUS",
    status: 200,
    version: "test",
    id,
    address: "127.0.0.1:1",
    members,
    files: 0,
    bytes: 0,
    digest: "0".repeat(64),
  };
}

function verified(): ClientAnswer {
  return { type: "VERIFY", status: 200, ...found };
}
