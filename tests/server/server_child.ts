/**
 * A server in a process of its own, for tests that count what the process uses. The arguments are
 * its data directory, the server that it joins or nothing, and `web` if it is to serve HTTP. It prints its
 * address and that of its web front, and then, for
 * each line on stdin, a line of JSON with the memory that it holds; it stops at the end of stdin.
 */
import { startServer } from "../../lib/server/server.ts";
import { ip } from "./ring.ts";

/** Collects garbage, and so leaves what is held: there with V8's flag `--expose-gc`. */
declare global {
  var gc: (() => void) | undefined;
}

const [directory, previous = "", web] = Deno.args;
if (directory === undefined) throw new Error("The first argument must be a data directory");

// As `ring server` does, and before there can be too many open files: Deno needs some for signals.
Deno.addSignalListener("SIGTERM", () => Deno.exit(1));

const server = await startServer({
  ip,
  port: 0,
  dataDirectory: () => directory,
  ...(previous === "" ? {} : { previous }),
  ...(web === undefined ? {} : { web: { port: 0 } }),
});
server.finished.catch((error: unknown) => {
  console.error(`The server stopped by itself: ${String(error)}`);
  Deno.exit(1);
});
console.log(server.address, server.web ?? "");
for await (const _ of Deno.stdin.readable) {
  globalThis.gc?.();
  const { heapUsed, external } = Deno.memoryUsage();
  console.log(JSON.stringify({ bytes: heapUsed + external }));
}
await server.stop();
Deno.exit(0);
