/**
 * A server in a process of its own, for tests that count what the process uses. The arguments are
 * its data directory and, if it has one, the server that it joins. It prints its address, and then, for
 * each line on stdin, a line of JSON with the memory that it holds; it stops at the end of stdin.
 */
import { startServer } from "../../lib/server/server.ts";
import { ip } from "./ring.ts";

/** Collects garbage, and so leaves what is held: there with V8's flag `--expose-gc`. */
declare global {
  var gc: (() => void) | undefined;
}

const [directory, previous] = Deno.args;
if (directory === undefined) throw new Error("The first argument must be a data directory");

// As `ring server` does, and before there can be too many open files: Deno needs some for signals.
Deno.addSignalListener("SIGTERM", () => Deno.exit(1));

const server = startServer({
  ip,
  port: 0,
  dataDirectory: () => directory,
  ...(previous === undefined ? {} : { previous }),
});
server.finished.catch((error: unknown) => {
  console.error(`The server stopped by itself: ${String(error)}`);
  Deno.exit(1);
});
console.log(server.address);
for await (const _ of Deno.stdin.readable) {
  globalThis.gc?.();
  const { heapUsed, external } = Deno.memoryUsage();
  console.log(JSON.stringify({ bytes: heapUsed + external }));
}
await server.stop();
Deno.exit(0);
