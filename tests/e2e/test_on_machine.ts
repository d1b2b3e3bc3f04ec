/** How a test with real processes is declared. */
import { needs } from "../permission.ts";
import { Machine } from "./ring_process.ts";

/** Loopback has an address for every test on Linux; elsewhere it has one only. */
const needed: { ignore: boolean } = Deno.build.os === "linux"
  ? needs("run", "read", "write", "net", "env")
  : { ignore: true };

/**
 * Declares a test that gets a machine of its own. When it fails, what the servers printed is shown.
 * With `ignore` it needs a command, for example, that is not here.
 */
export function testOnMachine(
  name: string,
  body: (machine: Machine) => Promise<void>,
  { ignore = false }: { ignore?: boolean } = {},
): void {
  Deno.test({
    name,
    ignore: needed.ignore || ignore,
    async fn() {
      await using machine = await Machine.create();
      try {
        await body(machine);
      } catch (error) {
        for (const server of machine.servers) console.error(server.transcript);
        throw error;
      }
    },
  });
}
