import { assertEquals } from "@std/assert";
import { Silence } from "../../lib/server/silence.ts";

const looksMax = 3;

/** A connection through which goes what a test says. */
function connect() {
  const connection = { bytesReceived: 0, bytesWritten: 0, bytesWaiting: 0 };
  return { connection, silence: new Silence(connection, looksMax) };
}

/** What so many looks find, with something happening before each. */
function look(silence: Silence, times: number, before: () => void = () => {}): boolean[] {
  return Array.from({ length: times }, () => {
    before();
    return silence.look();
  });
}

/** Nothing at first, and silence at the last of so many looks. */
function silentAfter(looks: number): boolean[] {
  return Array.from({ length: looks }, (_, index) => index === looks - 1);
}

const never = new Array<boolean>(3 * looksMax).fill(false);

Deno.test("Silence is found when an answer is due and nothing comes at look after look", () => {
  const { silence } = connect();
  silence.expect();
  assertEquals(look(silence, looksMax), silentAfter(looksMax));
});

Deno.test("Silence is none as long as nothing is expected", () => {
  const { connection, silence } = connect();
  assertEquals(look(silence, never.length, () => connection.bytesWritten += 100), never);
  assertEquals(silence.isAwaiting, false);
});

Deno.test("Silence is broken by a single byte, and begins anew with the next message", () => {
  const { connection, silence } = connect();
  silence.expect();
  look(silence, looksMax - 1);
  connection.bytesReceived++;
  assertEquals(silence.isAwaiting, false);
  assertEquals(look(silence, never.length), never);
  silence.expect();
  look(silence, looksMax - 1);
  connection.bytesReceived++;
  silence.expect();
  assertEquals(look(silence, looksMax), silentAfter(looksMax));
});

Deno.test("Silence does not begin anew with a message before which nothing had come", () => {
  const { silence } = connect();
  assertEquals(look(silence, looksMax, () => silence.expect()), silentAfter(looksMax));
});

Deno.test("Silence is found although the kernel takes what is written, also at the moment of a look", () => {
  for (const bytesWaiting of [0, 200]) {
    const { connection, silence } = connect();
    connection.bytesWaiting = bytesWaiting;
    silence.expect();
    const found = look(silence, looksMax, () => connection.bytesWritten += 200);
    assertEquals(found, silentAfter(looksMax));
  }
});

Deno.test("Silence is none while a large send moves on, and is found once that stands still", () => {
  const { connection, silence } = connect();
  connection.bytesWaiting = 1_000_000;
  silence.expect();
  silence.look();
  const found = look(silence, never.length, () => {
    connection.bytesWaiting -= 10_000;
    connection.bytesWritten += 10_000;
  });
  assertEquals(found, never);
  assertEquals(look(silence, looksMax), silentAfter(looksMax));
});
