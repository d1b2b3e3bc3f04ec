/**
 * The head of the self-extracting executable, with a stand-in for Deno behind it: a shell script that
 * says how it was run. `executable_test.ts` runs the real thing.
 */
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { writeSelfExtracting } from "../../lib/build/self_extracting.ts";
import { runtimeFlags } from "../../lib/build/permissions.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";

const needed: { ignore: boolean } = Deno.build.os === "windows"
  ? { ignore: true }
  : needs("run", "read", "write", "sys");

/** Writes its process number, umask, directory and arguments, each ended by NUL; then its environment. */
const standIn = `#!/bin/sh
if [ "$1" = --version ]; then exit 0; fi
printf '%s\\0' "$$" "$(umask)" "$(pwd)" "$@" '' 
exec env
`;

interface Setting {
  readonly directory: string;
  /** The executable. */
  readonly ring: string;
  /** An absolute path, made for this test, where caches may be. */
  readonly cache: string;
}

interface Report {
  readonly code: number;
  readonly stderr: string;
  readonly pid: number;
  readonly umask: string;
  readonly directory: string;
  readonly args: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
}

function testHead(name: string, body: (setting: Setting) => Promise<void>): void {
  Deno.test({
    name: `the self-extracting head ${name}`,
    ...needed,
    fn: async () => {
      const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "ring test " }));
      try {
        const ring = join(directory, "ring");
        const runtime = join(directory, "deno");
        const bundle = join(directory, "bundle.js");
        await Deno.writeTextFile(runtime, standIn);
        await Deno.writeTextFile(bundle, "// the program\n");
        await writeSelfExtracting({
          bundle,
          runtime,
          permissions: runtimeFlags(),
          output: ring,
        });
        await body({ directory, ring, cache: join(directory, "cache") });
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

interface StartOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
}

async function start(
  command: string,
  { args = [], env = {}, cwd, uid }: StartOptions,
): Promise<Report> {
  const child = await spawn(command, {
    args: [...args],
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", ...env },
    ...(cwd !== undefined && { cwd }),
    ...(uid !== undefined && { uid, gid: uid }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const output = await child.output();
  const text = new TextDecoder().decode(output.stdout);
  const [pid = "", umask = "", directory = "", ...rest] = text.split("\0");
  const environment = (rest.pop() ?? "").split("\n").filter((line) => line !== "");
  assertEquals(pid === "" ? child.pid : Number(pid), child.pid, "the head execs");
  return {
    code: output.code,
    stderr: new TextDecoder().decode(output.stderr),
    pid: child.pid,
    umask,
    directory,
    args: rest.slice(0, -1),
    environment: new Map(environment.map((line) => {
      const equals = line.indexOf("=");
      return [line.slice(0, equals), line.slice(equals + 1)];
    })),
  };
}

/**
 * Starts a program that was just written. Where another test starts one at the same moment, its child
 * has the file open for writing until it is a program of its own, and the kernel says ETXTBSY so long.
 */
function spawn(command: string, options: Deno.CommandOptions): Promise<Deno.ChildProcess> {
  return eventually(() => {
    try {
      return new Deno.Command(command, options).spawn();
    } catch (error) {
      if (error instanceof Error && error.message.includes("Text file busy")) return undefined;
      throw error;
    }
  }, { what: "the executable to be closed" });
}

/** The arguments after those of `deno run` itself. */
function programArgs(report: Report): readonly string[] {
  return report.args.slice(report.args.findIndex((arg) => arg.endsWith("/ring.js")) + 1);
}

/** The one directory that the executable has unpacked into. */
function unpackedDirectory(parent: string): string {
  const [entry, ...others] = [...Deno.readDirSync(parent)];
  assert(entry !== undefined && others.length === 0, "one directory");
  return join(parent, entry.name);
}

function assertUnpacked(directory: string): void {
  const names = [...Deno.readDirSync(directory)].map((entry) => entry.name).sort();
  assertEquals(names, ["deno", "ring.js"]);
  assertEquals(Deno.readTextFileSync(join(directory, "deno")), standIn);
  assertEquals(Deno.readTextFileSync(join(directory, "ring.js")), "// the program\n");
}

testHead("passes every argument exactly", async ({ ring, cache }) => {
  const args = [
    "a b",
    "",
    "--",
    "--foo",
    "-",
    "it's",
    '"',
    "line\nbreak",
    "$(id)",
    "`id`",
    "*",
    "",
  ];
  const report = await start(ring, { args, env: { XDG_CACHE_HOME: cache } });
  assertEquals(report.stderr, "");
  assertEquals(programArgs(report), args);
});

testHead("runs Deno with the permission flags, word for word", async ({ ring, cache }) => {
  const report = await start(ring, { env: { XDG_CACHE_HOME: cache } });
  assertEquals(report.args.slice(0, runtimeFlags().length + 1), ["run", ...runtimeFlags()]);
});

testHead("passes only the variables that the program may read", async ({ ring, cache }) => {
  const { environment } = await start(ring, {
    env: {
      XDG_CACHE_HOME: cache,
      NO_COLOR: "a value with 'quotes'",
      TZ: "Asia/Tokyo",
      DENO_DIR: "/nowhere",
      DENO_V8_FLAGS: "--help",
      DENO_SERVE_ADDRESS: "tcp:0.0.0.0:1",
      NODE_OPTIONS: "--help",
      SECRET: "1",
    },
  });
  assertEquals(environment.get("NO_COLOR"), "a value with 'quotes'");
  assertEquals(environment.get("TZ"), "Asia/Tokyo");
  assertEquals(environment.get("DENO_DIR"), `${unpackedDirectory(`${cache}/ring`)}/deno_dir`);
  for (const name of ["DENO_V8_FLAGS", "DENO_SERVE_ADDRESS", "NODE_OPTIONS", "SECRET", "LANG"]) {
    assertEquals(environment.has(name), false, name);
  }
});

testHead("keeps the directory and the umask of the user", async ({ directory, ring, cache }) => {
  const args = ["-c", 'umask 027; exec "$0"', ring];
  const first = await start("/bin/sh", { args, cwd: directory, env: { XDG_CACHE_HOME: cache } });
  assertEquals([first.directory, first.umask], [directory, "0027"]);
});

testHead("unpacks once, into a directory that only the user can enter", async ({ ring, cache }) => {
  const env = { XDG_CACHE_HOME: cache };
  await start(ring, { env });
  const unpacked = unpackedDirectory(`${cache}/ring`);
  assertUnpacked(unpacked);
  const before = await Deno.stat(`${unpacked}/deno`);
  assertEquals(await modeOf(unpacked), 0o700);
  await start(ring, { env });
  assertEquals((await Deno.stat(`${unpacked}/deno`)).ino, before.ino);
});

testHead(
  "is found through a symbolic link, the PATH and sh",
  async ({ directory, ring, cache }) => {
    const bin = join(directory, "bin");
    await Deno.mkdir(bin);
    await Deno.symlink(ring, join(bin, "linked"));
    const env = { XDG_CACHE_HOME: cache };
    const path = { ...env, PATH: `${bin}:/usr/bin:/bin` };
    const starts: readonly [string, StartOptions][] = [
      [join(bin, "linked"), { args: ["x"], env }],
      ["/bin/sh", { args: ["-c", "exec linked x"], env: path }],
      ["/bin/sh", { args: ["ring", "x"], env, cwd: directory }],
      ["/bin/sh", { args: ["./ring", "x"], env, cwd: directory }],
    ];
    for (const [command, options] of starts) {
      // The cache is emptied, as only a first start reads the executable itself.
      await Deno.remove(cache, { recursive: true }).catch(ignoreNotFound);
      const child = new Deno.Command(command, {
        args: [...options.args ?? []],
        clearEnv: true,
        env: { PATH: "/usr/bin:/bin", ...options.env },
        ...(options.cwd !== undefined && { cwd: options.cwd }),
      });
      const { code, stdout, stderr } = await child.output();
      assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
      assertStringIncludes(new TextDecoder().decode(stdout), "/ring.js\0x\0");
    }
  },
);

const damages: Readonly<Record<string, (unpacked: string) => Promise<void>>> = {
  "a truncated runtime": async (unpacked) => {
    await Deno.chmod(`${unpacked}/deno`, 0o700);
    await Deno.truncate(`${unpacked}/deno`, 10);
    await Deno.chmod(`${unpacked}/deno`, 0o500);
  },
  "a missing runtime": (unpacked) => Deno.remove(`${unpacked}/deno`),
  "a missing program": (unpacked) => Deno.remove(`${unpacked}/ring.js`),
  "a longer program": async (unpacked) => {
    await Deno.remove(`${unpacked}/ring.js`);
    await Deno.writeTextFile(`${unpacked}/ring.js`, "// another program\n", { mode: 0o400 });
  },
  "a runtime that others may write": (unpacked) => Deno.chmod(`${unpacked}/deno`, 0o777),
  "a runtime that is a link": async (unpacked) => {
    await Deno.remove(`${unpacked}/deno`);
    await Deno.symlink("/bin/sh", `${unpacked}/deno`);
  },
  "a runtime that is a directory": async (unpacked) => {
    await Deno.remove(`${unpacked}/deno`);
    await Deno.mkdir(`${unpacked}/deno/deno`, { recursive: true });
  },
  "a directory that others may enter": (unpacked) => Deno.chmod(unpacked, 0o755),
};

for (const [damage, inflict] of Object.entries(damages)) {
  testHead(`mends ${damage}`, async ({ ring, cache }) => {
    const env = { XDG_CACHE_HOME: cache };
    await start(ring, { env });
    const unpacked = unpackedDirectory(`${cache}/ring`);
    await inflict(unpacked);
    const report = await start(ring, { args: ["x"], env });
    assertEquals([report.code, report.stderr, programArgs(report)], [0, "", ["x"]]);
    assertUnpacked(unpacked);
    assertEquals(await modeOf(unpacked), 0o700);
  });
}

testHead("lets eight first starts at one moment all work", async ({ ring, cache }) => {
  const args = ["x"];
  const starts = Array.from(
    { length: 8 },
    () => start(ring, { args, env: { XDG_CACHE_HOME: cache } }),
  );
  for (const report of await Promise.all(starts)) {
    assertEquals([report.code, report.stderr, programArgs(report)], [0, "", ["x"]]);
  }
  assertUnpacked(unpackedDirectory(`${cache}/ring`));
});

testHead("unpacks under HOME when XDG_CACHE_HOME is no absolute path", async ({ ring, cache }) => {
  await start(ring, { env: { XDG_CACHE_HOME: "relative", HOME: cache } });
  assertUnpacked(unpackedDirectory(`${cache}/.cache/ring`));
});

testHead(
  "unpacks under TMPDIR when HOME is unset or cannot be written",
  async ({ ring, cache }) => {
    await Deno.mkdir(cache);
    const unwritable = join(cache, "unwritable");
    await Deno.mkdir(unwritable, { mode: 0o500 });
    // The superuser may write there after all, so a file stands in for such a directory too.
    for (const home of [{}, { HOME: "/dev/null" }, { HOME: unwritable }]) {
      const report = await start(ring, { env: { ...home, TMPDIR: cache }, args: ["x"] });
      assertEquals([report.code, report.stderr, programArgs(report)], [0, "", ["x"]]);
    }
    assertUnpacked(unpackedDirectory(`${cache}/ring-${Deno.uid()}`));
  },
);

testHead("makes its cache private", async ({ ring, cache }) => {
  await Deno.mkdir(join(cache, "ring"), { recursive: true });
  await Deno.chmod(join(cache, "ring"), 0o777);
  await start(ring, { env: { XDG_CACHE_HOME: cache } });
  assertEquals(await modeOf(join(cache, "ring")), 0o700);
  assertUnpacked(unpackedDirectory(`${cache}/ring`));
});

testHead("unpacks only where nobody else can write", async ({ directory, ring, cache }) => {
  if (Deno.uid() !== 0) return; // Only the superuser can become two users.
  await Deno.chmod(directory, 0o755);
  await Deno.mkdir(cache);
  await Deno.chmod(cache, 0o1777);
  const another = join(cache, "another");
  await Deno.mkdir(join(another, "ring"), { recursive: true });
  await Deno.chown(join(another, "ring"), 1, 1);
  await Deno.chmod(join(another, "ring"), 0o777);
  const env = { XDG_CACHE_HOME: another, HOME: directory, TMPDIR: cache };
  const report = await start(ring, { args: ["x"], env, uid: 2 });
  assertEquals([report.code, report.stderr, programArgs(report)], [0, "", ["x"]]);
  assertUnpacked(unpackedDirectory(`${cache}/ring-2`));

  const stolen = await start(ring, { env: { TMPDIR: cache }, uid: 1 });
  assertEquals(stolen.code, 0);
  await Deno.rename(join(cache, "ring-1"), join(cache, "ring-3"));
  const refused = await start(ring, { env: { TMPDIR: cache }, uid: 3 });
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "is not this user's own");
});

testHead("says in one line what is wrong with a damaged executable", async ({ ring, cache }) => {
  const whole = await Deno.stat(ring);
  await Deno.truncate(ring, whole.size - 20);
  const env = { XDG_CACHE_HOME: cache, HOME: cache, TMPDIR: cache };
  const report = await start(ring, { env });
  assertEquals(report.code, 1);
  assertEquals(report.stderr.trimEnd().split("\n").length, 1, report.stderr);
  assertStringIncludes(report.stderr, "Cannot unpack");
  assertStringIncludes(report.stderr, "unexpected end of file");
});

Deno.test({
  name: "writeSelfExtracting() names the content by the program and the runtime",
  ...needed,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    try {
      const runtime = join(directory, "deno");
      await Deno.writeTextFile(runtime, standIn);
      const heads: string[] = [];
      for (const program of ["1", "2", "1"]) {
        const bundle = join(directory, "bundle.js");
        const output = join(directory, `ring${heads.length}`);
        await Deno.writeTextFile(bundle, program);
        await writeSelfExtracting({ bundle, runtime, permissions: [], output });
        heads.push(new TextDecoder().decode(await Deno.readFile(output)));
      }
      assertNotEquals(heads[0], heads[1]);
      assertEquals(heads[0], heads[2]);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

async function modeOf(path: string): Promise<number> {
  return ((await Deno.stat(path)).mode ?? 0) & 0o777;
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
