/** A ring comes into being: who comes where, and at which port. */
import { assertEquals, assertMatch } from "@std/assert";
import { waitForOneRing, waitForRing } from "./ring_process.ts";
import { testOnMachine } from "./test_on_machine.ts";
import { eventually } from "../eventually.ts";

testOnMachine("4044, then 4045 after 4043: the ring is 4043 -> 4045 -> 4044", async (machine) => {
  const first = await machine.startServer();
  const second = await machine.startServer(["--port", "4044", "--prev-port", "4043"]);
  const third = await machine.startServer(["--port", "4045", "--prev-port", "4043"]);
  await waitForRing([first, third, second]);
  assertEquals(first.ports(), "4043 -> 4045 -> 4044 -> (4043)");
  assertEquals(second.ports(), "4044 -> 4043 -> 4045 -> (4044)");
  assertEquals(third.ports(), "4045 -> 4044 -> 4043 -> (4045)");
});

testOnMachine("a server alone prints where it listens, and a ring of one", async (machine) => {
  const { ip } = machine;
  const server = await machine.startServer();
  assertEquals(server.lines, [
    `listening ${ip}:4043`,
    `web http://${ip}:8043/`,
    `ring ${ip}:4043 -> (${ip}:4043)`,
  ]);
  assertEquals(server.stderr, "");
});

testOnMachine("each server is inserted after the server that it names", async (machine) => {
  const first = await machine.startServer();
  const second = await machine.startServer(["--prev-port", "4043"]);
  const third = await machine.startServer(["--prev-port", "4044"]);
  const fourth = await machine.startServer(["--prev-port", "4043"]);
  await waitForRing([first, fourth, second, third]);
});

testOnMachine("servers that join at once, at different servers, make one ring", async (machine) => {
  const ring = await machine.startRing(2);
  const newcomers = ["4043", "4044", "4043", "4044"].map((port) =>
    machine.spawnServer(["--prev-port", port])
  );
  await waitForOneRing([...ring, ...newcomers], { withinMs: 20_000 });
});

testOnMachine("two servers started at the same moment get two ports", async (machine) => {
  const both = [machine.spawnServer(), machine.spawnServer()];
  await Promise.all(both.map((server) => server.waitForLine(/^listening /)));
  assertEquals(both.map((server) => server.port).toSorted(), [4043, 4044]);
});

testOnMachine("--prev-ip alone means port 4043", async (machine) => {
  const first = await machine.startServer();
  const ip = machine.ip.replace(/1$/, "2");
  const second = await machine.startServer(["--prev-ip", machine.ip, "--data", "other"], { ip });
  assertEquals(second.address, `${ip}:4043`);
  await waitForRing([first, second]);
});

testOnMachine("--prev-port alone means this server's own address", async (machine) => {
  const first = await machine.startServer(["--port", "5000"]);
  const second = await machine.startServer(["--prev-port", "5000"]);
  assertEquals(second.address, `${machine.ip}:4043`);
  await waitForRing([first, second]);
});

testOnMachine("a server waits for the previous one, and says so once", async (machine) => {
  const early = machine.spawnServer(["--port", "4044", "--prev-port", "4043"]);
  await eventually(() => early.stderr !== "", { what: "a word on the previous server" });
  const late = await machine.startServer(["--port", "4043"]);
  await waitForRing([late, early]);
  assertMatch(early.stderr, /^\S+ \[WRN\] ring: No answer from \S+:4043 yet; trying for 10 s\n$/);
});

testOnMachine(
  "--advertise is what the others are told, and where they find it",
  async (machine) => {
    const first = await machine.startServer();
    const second = await machine.startServer(
      ["--port", "0", "--advertise", "localhost", "--prev-ip", machine.ip],
      { ip: "127.0.0.1" },
    );
    const advertised = `localhost:${second.port}`;
    await eventually(() => first.circle().length === 2, { what: "a ring of two" });
    assertEquals(first.circle(), [first.address, advertised]);
    assertEquals(second.circle(), [advertised, first.address]);
    const put = await first.runClient(["--put", "-", "--as", "a"], { stdin: "a" });
    assertEquals(put.stdout, "put a 1 B, 2 copies\n");
  },
);
