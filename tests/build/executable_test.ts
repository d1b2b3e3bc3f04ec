/**
 * Both forms of the executable, built for real around `probe.ts`. Building takes seconds, so each
 * form is built once and asked everything.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildError } from "../../lib/build/build_error.ts";
import {
  buildExecutable,
  buildSelfExtracting,
  compileArguments,
} from "../../lib/build/executable.ts";
import { netHosts, runtimeFlags } from "../../lib/build/permissions.ts";
import { needs } from "../permission.ts";

const needed: { ignore: boolean } = Deno.build.os === "windows"
  ? { ignore: true }
  : needs("run", "read", "write", "env");

const probe = fileURLToPath(new URL("./probe.ts", import.meta.url));
const ring = fileURLToPath(new URL("../../main.ts", import.meta.url));
const permissions = runtimeFlags();

/** What the program may do, and what it must not; see `probe.ts`. */
const outcomes: Readonly<Record<string, string>> = {
  "connect to a public address": "NotCapable",
  "connect to a public name": "NotCapable",
  "listen on every interface": "NotCapable",
  "listen on loopback": "done",
  "listen on localhost": "done",
  "run a program": "NotCapable",
  "call a foreign function": "NotCapable",
  "read the host's name": "NotCapable",
  "read an unlisted variable": "NotCapable",
  "read every variable": "NotCapable",
  "read NO_COLOR": "done",
  "import from elsewhere": "TypeError",
  "read a file": "done",
  "open a database": "done",
};

/** The same when it has given up all files but those of one directory. */
const confinedOutcomes: Readonly<Record<string, string>> = {
  "read by a name": "done",
  "read outside by a name": "NotCapable",
  "read outside by an encoded name": "NotCapable",
  "read outside": "NotCapable",
  "list outside": "NotCapable",
  "look outside": "NotCapable",
  "write": "done",
  "write outside": "NotCapable",
  "remove outside": "NotCapable",
  "make a link to what is outside": "NotCapable",
  "open a database": "done",
  "open a database outside": "NotCapable",
  "ask for more": "NotCapable",
};

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function testBuild(name: string, body: (directory: string, t: Deno.TestContext) => Promise<void>) {
  Deno.test({
    name,
    ...needed,
    fn: async (t) => {
      const directory = await Deno.makeTempDir({ prefix: "ring build " });
      try {
        await body(directory, t);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

function spawn(output: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(output, {
    args: [...args],
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin", XDG_CACHE_HOME: join(dirname(output), "cache"), HOME: "/" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function run(output: string, args: readonly string[], stdin = ""): Promise<Run> {
  const child = spawn(output, args);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** What every form does. */
async function checkExecutable(output: string, t: Deno.TestContext): Promise<void> {
  await t.step("passes every argument exactly", async () => {
    const args = [
      "a b",
      "",
      "--",
      "--allow-all",
      "-",
      "it's",
      '"',
      "line\nbreak",
      "$(id)",
      "*",
      "",
    ];
    const { code, stdout, stderr } = await run(output, ["args", ...args]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(JSON.parse(stdout), args);
  });
  await t.step("brings its npm dependencies", async () => {
    assertEquals((await run(output, ["nearest", "serve"])).stdout, "server\n");
  });
  await t.step("passes the exit code", async () => {
    assertEquals((await run(output, ["exit", "37"])).code, 37);
  });
  await t.step("passes stdin and stdout", async () => {
    assertEquals((await run(output, ["echo"], "some\ntext")).stdout, "some\ntext");
  });
  await t.step("receives the signals sent to its process", async () => {
    const child = spawn(output, ["signal"]);
    const reader = child.stdout.getReader();
    assertEquals(new TextDecoder().decode((await reader.read()).value), "ready\n");
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 42);
    await Promise.all([reader.cancel(), child.stderr.cancel(), child.stdin.close()]);
  });
  await t.step("may do what it needs, no more, and never prompts", async () => {
    const { stdout, stderr } = await run(output, ["attempt"], "y\ny\ny\n");
    assertEquals(JSON.parse(stdout), outcomes);
    assertEquals(stderr, "");
  });
  await t.step(
    "reads and writes nothing outside a directory to which it confines itself",
    async () => {
      const directory = join(dirname(output), "data");
      await Deno.mkdir(directory, { recursive: true });
      await Deno.writeTextFile(join(directory, "inside"), "");
      const { stdout, stderr } = await run(output, ["confined", directory], "y\ny\ny\n");
      assertEquals([JSON.parse(stdout), stderr], [confinedOutcomes, ""]);
      await Deno.remove(directory, { recursive: true });
    },
  );
}

testBuild("deno run with these permissions is held to them as well", async (directory, t) => {
  const output = join(directory, "ring");
  const words = [Deno.execPath(), "run", "--quiet", ...permissions, probe];
  const quoted = words.map((word) => `'${word}'`).join(" ");
  // The modules are where they were found before.
  const cache = `DENO_DIR='${await denoDirectory()}'`;
  await Deno.writeTextFile(output, `#!/bin/sh\n${cache} exec ${quoted} "$@"\n`, { mode: 0o700 });
  await checkExecutable(output, t);
});

testBuild("buildExecutable() makes an executable", async (directory, t) => {
  const output = join(directory, "ring");
  const reasons: string[] = [];
  const form = await buildExecutable({ main: probe, output, permissions }, (reason) => {
    reasons.push(reason);
  });
  assertEquals(namesIn(directory), ["ring"]);
  assertEquals(reasons.length, form === "selfExtracting" ? 1 : 0);
  assert(reasons.every((reason) => !reason.includes("\n")), "the reason is one line");
  if (form === "compiled") {
    await t.step("compiled", (t) => checkExecutable(output, t));
    await buildSelfExtracting({ main: probe, output, permissions });
  }
  await t.step("self-extracting", async (t) => {
    await t.step("starts twice at one moment, the first time", async () => {
      const runs = await Promise.all([run(output, ["args", "1"]), run(output, ["args", "2"])]);
      assertEquals(runs.map(({ stdout }) => stdout), ['["1"]\n', '["2"]\n']);
    });
    await checkExecutable(output, t);
  });
});

const embedded: readonly { main: string; texts: readonly string[] }[] = [
  { main: probe, texts: ["connect to a public address", "closestString"] },
  { main: ring, texts: ["runServer", "runClient", "mergeMember", "@logtape", "deno-std"] },
];

for (const { main, texts } of embedded) {
  testBuild(`deno compile embeds ${basename(main)} and its permissions`, async (directory) => {
    const output = join(directory, "ring");
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...compileArguments({ main, output, permissions })],
      cwd: dirname(main),
      // Any executable serves as the base for making the archive.
      env: { DENORT_BIN: "/bin/sh", NO_COLOR: "1" },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const archive = new TextDecoder("latin1").decode(await Deno.readFile(output));
    for (const text of [...texts, ...netHosts]) assert(archive.includes(text), text);
    assert(!archive.includes("xoroshiro128plus"), "nothing of fast-check, which only tests need");
  });
}

testBuild("buildExecutable() leaves the executable alone when it fails", async (directory) => {
  const output = join(directory, "ring");
  const broken = join(directory, "broken.ts");
  await Deno.writeTextFile(output, "the one before");
  await Deno.writeTextFile(broken, "const text: string = 1;\n");
  const build = () => buildExecutable({ main: broken, output, permissions }, () => {});
  await assertRejects(build, BuildError, "is not assignable to type 'string'");
  assertEquals(await Deno.readTextFile(output), "the one before");
  assertEquals(namesIn(directory), ["broken.ts", "ring"]);
});

async function denoDirectory(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const info: unknown = JSON.parse(new TextDecoder().decode(stdout));
  if (typeof info === "object" && info !== null && "denoDir" in info) return String(info.denoDir);
  throw new Error("deno info does not name its directory");
}

function namesIn(directory: string): readonly string[] {
  return [...Deno.readDirSync(directory)].map((entry) => entry.name).sort();
}
