/**
 * `deno task demo`: builds `./ring` and shows a ring of three servers at work, with real commands and
 * their real output. Everything but `./ring` is in a temporary directory, removed at the end.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildError } from "./build_error.ts";
import { compileRing } from "./compile.ts";
import { DemoServer } from "./demo_server.ts";

/** How long a server may take to listen, in milliseconds; the first start unpacks `./ring`. */
const startMsMax = 20_000;

/** How long a ring may take to form, or to close, in milliseconds. */
const ringMsMax = 10_000;

/** The exit code of a program that Ctrl-C ended. */
const exitCodeInterrupted = 130;

const ring = "./ring";
const sampleFiles = "test_files/";

interface Demo {
  /** Holds the servers' data, and the files that were got. */
  readonly directory: string;
  readonly servers: DemoServer[];
}

/** A server, and what it printed: its port in the ring, and where it serves HTTP. */
interface Listening {
  readonly server: DemoServer;
  readonly port: string;
  readonly web: string;
}

async function build(): Promise<void> {
  say("Build the executable.");
  show("deno", ["task", "compile"]);
  await compileRing(indent);
}

async function showRing(demo: Demo): Promise<void> {
  say("Start a server. It is a ring of one.");
  const first = await startServer(demo, []);
  say("Start another, and insert it after the first.");
  const second = await startServer(demo, ["--prev-port", first.port]);
  say("And a third, also after the first: it comes between the two.");
  const third = await startServer(demo, ["--prev-port", first.port]);
  for (const { server } of [first, second, third]) {
    indent(await server.waitForLine(ringOf(3), ringMsMax));
  }
  say(`While they run, the page at ${first.web}_ring/ shows the ring living.`);

  say("Put a folder at the first server.");
  await runClient(["--port", first.port, "--put", sampleFiles]);
  say("Get a file from each of the others, and compare.");
  await getSame(demo, second, "images/ring.png");
  await getSame(demo, third, "data/random.bin");
  say("The same over HTTP, as a browser gets it or curl does.");
  await getOverHttp(second, "docs/about.html");
  say("Ask a server what it knows.");
  await runClient(["--port", third.port, "--status"]);

  say("Kill the second server, without warning. The ring closes over it.");
  show("kill", ["-9", String(second.server.pid)]);
  const killedAt = performance.now();
  await second.server.stop("SIGKILL");
  for (const { server } of [first, third]) {
    indent(await server.waitForLine(withoutPort(second.port), ringMsMax));
  }
  indent(`(closed after ${Math.round(performance.now() - killedAt)} ms)`);

  say("The files are still there.");
  await getSame(demo, first, "images/ring.png");
  await getSame(demo, third, "index.html");
  say("Stop the other two: they leave the ring, and exit.");
  for (const { server } of [third, first]) {
    show("kill", [String(server.pid)]);
    const code = await server.stop("SIGTERM");
    if (code !== 0) {
      throw new BuildError(`A server that was asked to stop ended with code ${code}.`);
    }
  }
  say("That was ring. Try it yourself: ./ring server, and then open its page in a browser:");
  indent(`${first.web}_ring/`);
}

async function startServer(demo: Demo, flags: readonly string[]): Promise<Listening> {
  const data = join(demo.directory, `server-${demo.servers.length + 1}`);
  const args = ["server", ...flags, "--data", data];
  show(ring, args);
  const server = new DemoServer(ring, args);
  demo.servers.push(server);
  const listening = await server.waitForLine(/^listening .+:\d+$/, startMsMax);
  const web = await server.waitForLine(/^web http:.+\/$/, startMsMax);
  indent(`${listening}\n${web}`);
  const port = listening.slice(listening.lastIndexOf(":") + 1);
  return { server, port, web: web.slice("web ".length) };
}

/** Gets one of the sample files from a server, and compares it with the original. */
async function getSame(demo: Demo, { port }: Listening, name: string): Promise<void> {
  const path = join(demo.directory, "got");
  await runClient(["--port", port, "--get", name, "-o", path]);
  await compare(await Deno.readFile(path), { port, name });
}

/** Gets one of the sample files from the web front of a server, and compares it with the original. */
async function getOverHttp({ port, web }: Listening, name: string): Promise<void> {
  console.log(`GET ${web}${name}`);
  const answer = await fetch(web + name);
  indent(`${answer.status} ${answer.headers.get("Content-Type")}`);
  await compare(await answer.bytes(), { port, name });
}

async function compare(
  got: Uint8Array,
  { port, name }: { readonly port: string; readonly name: string },
): Promise<void> {
  const original = await Deno.readFile(sampleFiles + name);
  if (got.length !== original.length || got.some((byte, index) => byte !== original[index])) {
    throw new BuildError(`What the server at port ${port} has of "${name}" is not what was put.`);
  }
  indent(`(the same ${original.length} bytes)`);
}

async function runClient(flags: readonly string[]): Promise<void> {
  const args = ["client", ...flags];
  show(ring, args);
  const { code, stdout, stderr } = await new Deno.Command(ring, { args }).output();
  for (const bytes of [stdout, stderr]) indent(new TextDecoder().decode(bytes));
  if (code !== 0) throw new BuildError(`The client ended with code ${code}.`);
}

/** The line that a server prints when its ring has so many members. */
function ringOf(members: number): RegExp {
  return new RegExp(`^ring (\\S+ -> ){${members}}\\(\\S+\\)$`);
}

/** The line that a server prints when its ring has two members, and none of them at this port. */
function withoutPort(port: string): RegExp {
  return new RegExp(`^ring (?!.*:${port}\\b)(\\S+ -> ){2}\\(\\S+\\)$`);
}

function say(sentence: string): void {
  console.log(`\n${sentence}`);
}

function show(command: string, args: readonly string[]): void {
  console.log(`$ ${[command, ...args].join(" ")}`);
}

function indent(text: string): void {
  if (text !== "") console.log(text.trimEnd().replaceAll(/^/gm, "    "));
}

async function cleanUp(demo: Demo): Promise<void> {
  await Promise.all(demo.servers.map((server) => server.stop("SIGKILL")));
  await Deno.remove(demo.directory, { recursive: true });
}

/** Shows the ring, cleans up whatever happens, and returns the exit code. */
async function showRingAndCleanUp(): Promise<number> {
  const interrupted = Promise.withResolvers<number>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => interrupted.resolve(exitCodeInterrupted));
  }
  const demo: Demo = { directory: await Deno.makeTempDir({ prefix: "ring-demo-" }), servers: [] };
  try {
    return await Promise.race([showRing(demo).then(() => 0), interrupted.promise]);
  } finally {
    await cleanUp(demo);
  }
}

async function main(): Promise<number> {
  Deno.chdir(fileURLToPath(new URL("../../", import.meta.url)));
  try {
    await build();
    return await showRingAndCleanUp();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main());
