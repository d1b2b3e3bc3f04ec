import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bind } from "../../lib/server/listener.ts";
import { portDefault, ServerError } from "../../lib/server/options.ts";
import { startServer } from "../../lib/server/server.ts";
import { needs } from "../permission.ts";
import { ip, Ring } from "./ring.ts";

/** A loopback address that no other test uses; only Linux has all of 127.0.0.0/8. */
const ownIp = "127.0.0.77";
const ownIpNeeds = { ignore: needs("net").ignore || Deno.build.os !== "linux" };

/** An address for documentation (RFC 5737): no machine has it. */
const foreignIp = "192.0.2.1";

Deno.test({
  name: "servers that are started at once without a port get the default one and the next ones",
  ...ownIpNeeds,
  fn: async () => {
    const servers = await Promise.all(
      Array.from({ length: 3 }, () => startServer({ ip: ownIp })),
    );
    const addresses = servers.map((server) => server.address).sort();
    await Promise.all(servers.map((server) => server.stop()));
    assertEquals(addresses, [0, 1, 2].map((i) => `${ownIp}:${portDefault + i}`));
  },
});

Deno.test({
  name: "a port that is taken is an error when it was asked for",
  ...needs("net"),
  fn: async () => {
    await using ring = await Ring.start();
    const { address } = ring.server();
    const error = await errorOf(() => startServer({ ip, port: Number(address.split(":")[1]) }));
    assertEquals(error.kind, "address");
    assertEquals(error.message, `Cannot listen on ${address}: the port is taken`);
  },
});

Deno.test({
  name: "an address that this machine does not have is an error",
  ...needs("net", "run"),
  fn: async () => {
    // In another process, as tests may use nothing but loopback.
    const listener = import.meta.resolve("../../lib/server/listener.ts");
    const code = `import { bind } from ${JSON.stringify(listener)};
      try { bind({ ip: "${foreignIp}", port: 0 }); } catch (error) {
        console.log(JSON.stringify({ kind: error.kind, message: error.message }));
      }`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["eval", "--quiet", "--config", fileURLToPath(import.meta.resolve("../../deno.json"))],
        code,
      ],
    }).output();
    assertEquals(JSON.parse(new TextDecoder().decode(stdout)), {
      kind: "address",
      message: `Cannot listen on ${foreignIp}:0: this machine has no such address`,
    });
  },
});

Deno.test({
  name: "a data directory that another server uses is an error, and the port is free again",
  ...needs("net", "read", "write"),
  fn: async () => {
    await using ring = await Ring.start({ onDisk: true });
    const directory = ring.directories[0] ?? "";
    let port = 0;
    const error = await errorOf(() =>
      startServer({
        ip,
        port: 0,
        dataDirectory: (given) => {
          port = given;
          return directory;
        },
      })
    );
    assertEquals(error.kind, "store");
    assertStringIncludes(error.message, "it is in use by another ring server");
    bind({ ip, port }).close();
  },
});

Deno.test({
  name: "a data directory that cannot be made is an error",
  ...needs("net", "read", "write"),
  fn: async () => {
    const file = await Deno.makeTempFile({ prefix: "ring-test-" });
    const error = await errorOf(() =>
      startServer({ ip, port: 0, dataDirectory: () => `${file}/a` })
    );
    await Deno.remove(file);
    assertEquals(error.kind, "store");
    assertStringIncludes(error.message, file);
  },
});

Deno.test({
  name: "members are told the advertised address, with the port if it has none",
  ...needs("net"),
  fn: async () => {
    const cases = [
      { advertise: "ring.example:80", port: 80 },
      { advertise: "ring.example", port: undefined },
      { advertise: "10.0.0.1", port: undefined },
    ];
    for (const { advertise, port } of cases) {
      let bound = "";
      const onListening = (address: string) => bound = address;
      const server = await startServer({ ip, port: 0, advertise, onListening });
      const own = bound.split(":")[1];
      assertEquals(server.address, port === undefined ? `${advertise}:${own}` : advertise);
      await server.stop();
    }
    const server = await startServer({ ip, port: 0, advertise: "[::1]" });
    assert(/^\[::1\]:\d+$/.test(server.address), server.address);
    await server.stop();
  },
});

/** Why a server could not be started; fails if it could. */
async function errorOf(start: () => Promise<unknown>): Promise<ServerError> {
  try {
    await start();
  } catch (error) {
    if (error instanceof ServerError) return error;
    throw error;
  }
  throw new Error("A ServerError was due");
}
