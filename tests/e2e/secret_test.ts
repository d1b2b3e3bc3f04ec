/** A ring with a secret, as its users start and ask it. */
import { assertEquals, assertMatch } from "@std/assert";
import { needs } from "../permission.ts";
import type { Machine } from "./ring_process.ts";
import { testOnMachine } from "./test_on_machine.ts";
import { webUrl } from "./web_front.ts";

/** A file with a new secret, as `ring secret` prints it; and the flags that name it. */
async function makeSecret(machine: Machine, name: string): Promise<readonly string[]> {
  const { code, stdout } = await machine.run(["secret"]);
  assertEquals(code, 0);
  assertMatch(stdout, /^[\w-]{43}\n$/);
  await Deno.writeTextFile(machine.path(name), stdout, { mode: 0o600 });
  return ["--secret-file", machine.path(name)];
}

testOnMachine(
  "three servers that know a secret form a ring, and only who knows it is served",
  async (machine) => {
    const flags = await makeSecret(machine, "ring.secret");
    const [first, second] = await machine.startRing(3, flags);
    if (first === undefined || second === undefined) throw new Error("There is no ring");
    await Deno.writeTextFile(machine.path("a.txt"), "abc");
    const put = await first.runClient(["--put", machine.path("a.txt"), ...flags]);
    assertEquals(put.code, 0, put.stderr);
    assertMatch(put.stdout, /3 copies/);
    const got = await second.runClient(["--get", "a.txt", ...flags]);
    assertEquals([got.code, got.stdout], [0, "abc"]);

    const env = { RING_SECRET_FILE: machine.path("ring.secret") };
    assertEquals((await second.runClient(["--get", "a.txt"], { env })).stdout, "abc");

    const verified = await first.runClient(["--verify", ...flags]);
    assertEquals(verified.code, 0, verified.stderr);

    const stranger = await first.runClient(["--get", "a.txt"]);
    assertEquals([stranger.code, stranger.stdout], [1, ""]);
    assertMatch(stranger.stderr, /^ring: Cannot get .*--secret-file/);
    const others = await makeSecret(machine, "other.secret");
    const wrong = await first.runClient(["--get", "a.txt", ...others]);
    assertMatch(wrong.stderr, /does not know this ring's secret/);
    assertEquals(wrong.code, 1);

    assertEquals(await (await fetch(webUrl(second, "a.txt"))).text(), "abc");
    const url = webUrl(first, "b.txt");
    const refused = await fetch(url, { method: "PUT", body: "b" });
    const token = (await Deno.readTextFile(machine.path("ring.secret"))).trim();
    const headers = { "Authorization": `Bearer ${token}` };
    const taken = await fetch(url, { method: "PUT", body: "b", headers });
    assertEquals([refused.status, taken.status], [401, 201]);
    await Promise.all([refused.text(), taken.text()]);
    for (const server of [first, second]) {
      assertEquals(server.transcript.includes(token), false, "nobody prints the secret");
    }
  },
  needs("net"),
);

for (
  const [what, makeFlags] of [
    ["without the secret", () => Promise.resolve([])],
    ["with another secret", (machine: Machine) => makeSecret(machine, "other.secret")],
  ] as const
) {
  testOnMachine(`a newcomer ${what} ends with 5, and says why`, async (machine) => {
    const first = await machine.startServer(await makeSecret(machine, "ring.secret"));
    const flags = await makeFlags(machine);
    const newcomer = machine.spawnServer(["--prev-port", `${first.port}`, ...flags]);
    assertEquals(await newcomer.exited, 5);
    assertMatch(newcomer.stderr, /^ring: Cannot join the ring of .*secret/m);
  });
}

testOnMachine(
  "a secret that others may read is warned of, and one that is none refused",
  async (machine) => {
    const flags = await makeSecret(machine, "ring.secret");
    await Deno.chmod(machine.path("ring.secret"), 0o644);
    const server = await machine.startServer(flags);
    assertMatch(server.stderr, /Others on this machine may read the secret in .*: chmod 600 it/);
    await Deno.writeTextFile(machine.path("short"), "short\n");
    const short = await machine.run(["client", "--status", "--secret-file", machine.path("short")]);
    assertEquals(short.code, 1);
    assertMatch(short.stderr, /it has 5 characters, and needs 16; `ring secret` prints a good one/);
  },
);
