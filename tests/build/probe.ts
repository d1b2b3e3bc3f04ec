/**
 * The program that stands in for ring in the tests of the executables: says how it was started, and
 * what it is permitted to do.
 */
import { DatabaseSync } from "node:sqlite";
import { closestString } from "@std/text";
import { confine } from "../../lib/cli/confinement.ts";
import { type Attempts, makeAttempts } from "./attempts.ts";

/** What a program may want to do; each throws `NotCapable` where it may not. */
const attempts: Attempts = {
  "connect to a public address": () => Deno.connect({ hostname: "192.0.2.1", port: 443 }),
  "connect to a public name": () => Deno.connect({ hostname: "example.com", port: 443 }),
  "listen on every interface": () => Deno.listen({ hostname: "0.0.0.0", port: 0 }).close(),
  "listen on loopback": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
  "listen on localhost": () => Deno.listen({ hostname: "localhost", port: 0 }).close(),
  "run a program": () => new Deno.Command("/bin/true").outputSync(),
  "call a foreign function": () => Deno.dlopen("libc.so.6", {}),
  "read the host's name": () => Deno.hostname(),
  "read an unlisted variable": () => Deno.env.get("HOME"),
  "read every variable": () => Deno.env.toObject(),
  "read NO_COLOR": () => Deno.env.get("NO_COLOR"),
  "import from elsewhere": () => import(["https://deno.land", "std/version.ts"].join("/")),
  "read a file": () => Deno.statSync("/"),
  "open a database": () => new DatabaseSync(":memory:").close(),
};

/** The same of files, in and outside a directory that holds a file `inside`. */
function fileAttempts(directory: string): Attempts {
  // As a server would read a name of HTTP that nobody has judged.
  const named = (path: string) => Deno.readFileSync(`${directory}${decodeURIComponent(path)}`);
  return {
    "read by a name": () => named("/inside"),
    "read outside by a name": () => named("/../../../../../../../../../../etc/passwd"),
    "read outside by an encoded name": () =>
      named("/..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd"),
    "read outside": () => Deno.readFileSync("/etc/passwd"),
    "list outside": () => [...Deno.readDirSync("/")],
    "look outside": () => Deno.statSync(`${directory}/..`),
    "write": () => Deno.writeTextFileSync(`${directory}/written`, ""),
    "write outside": () => Deno.writeTextFileSync(`${directory}-written`, ""),
    "remove outside": () => Deno.removeSync(`${directory}-missing`),
    "make a link to what is outside": () => Deno.symlinkSync("/etc/passwd", `${directory}/link`),
    "open a database": () => new DatabaseSync(`${directory}/ring.db`).close(),
    "open a database outside": () => new DatabaseSync(`${directory}-ring.db`).close(),
    "ask for more": () =>
      assertDenied(Deno.permissions.requestSync({ name: "read", path: "/etc" })),
  };
}

function assertDenied({ state }: Deno.PermissionStatus): void {
  if (state !== "granted") throw new Deno.errors.NotCapable(state);
}

const [command = "", ...rest] = Deno.args;
switch (command) {
  case "args":
    console.log(JSON.stringify(rest));
    break;
  case "nearest":
    console.log(closestString(rest[0] ?? "", ["server", "client"]));
    break;
  case "exit":
    Deno.exit(Number(rest[0]));
    break;
  case "echo":
    await Deno.stdin.readable.pipeTo(Deno.stdout.writable);
    break;
  case "signal":
    await awaitSignal();
    break;
  case "attempt":
    console.log(JSON.stringify(await makeAttempts(attempts)));
    break;
  case "confined": {
    const [directory = ""] = rest;
    confine({ read: [directory], write: [directory] });
    console.log(JSON.stringify(await makeAttempts(fileAttempts(directory))));
    break;
  }
}

async function awaitSignal(): Promise<void> {
  const keepAlive = setInterval(() => {}, 60_000);
  await new Promise<void>((resolve) => {
    Deno.addSignalListener("SIGTERM", resolve);
    console.log("ready");
  });
  clearInterval(keepAlive);
  Deno.exit(42);
}
