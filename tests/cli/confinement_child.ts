/**
 * A real server, started as `ring server` is, that tells what its process may still do when it serves. Run
 * with the permissions of the executable, in a directory of its own.
 */
import { runServer } from "../../lib/cli/server_command.ts";
import { type Attempts, makeAttempts } from "../build/attempts.ts";
import { eventually } from "../eventually.ts";

const port = Number(Deno.args[0]);
const origin = `http://127.0.0.1:${port}`;

/** Each is what a stored file, or a name, might try to have the server do. */
const attempts: Attempts = {
  "read outside": () => Deno.readFileSync("/etc/passwd"),
  "read above its data": () => Deno.readFileSync("data/../outside"),
  "write outside": () => Deno.writeTextFileSync("outside", ""),
  "run a program": () => new Deno.Command("/bin/true").outputSync(),
  "connect to a public address": () => Deno.connect({ hostname: "192.0.2.1", port: 443 }),
  "read its data": () => Deno.statSync("data/ring.db"),
};

void runServer(["--ip", "127.0.0.1", "--port", "0", "--http-port", String(port), "--data", "data"]);
await eventually(() => fetch(`${origin}/_ring/ready`).then(consume, () => false), {
  what: "the server to be ready",
});

const outcomes = await makeAttempts(attempts);
const large = new Uint8Array(300_000).fill(7);
const answers = [
  await status("/small", { method: "PUT", body: "text" }),
  await status("/large", { method: "PUT", body: large }),
  await status("/small"),
  await status("/large"),
  await status("/..%2foutside"),
  await status("/%2e%2e%2foutside"),
];
console.error(JSON.stringify({ outcomes, answers }));
Deno.exit();

async function status(path: string, init?: RequestInit): Promise<number> {
  const response = await fetch(origin + path, init);
  await response.body?.cancel();
  return response.status;
}

async function consume(response: Response): Promise<boolean> {
  await response.body?.cancel();
  return response.ok;
}
