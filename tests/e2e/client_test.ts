/** What `ring client` says, and what exit codes it gives: the interface for people and programs. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertOneSentence } from "./one_sentence.ts";
import { type CommandResult } from "./ring_process.ts";
import { sha256 } from "./sample.ts";
import { testOnMachine } from "./test_on_machine.ts";

testOnMachine("-put and -get, with one dash, do the same", async (machine) => {
  const server = await machine.startServer();
  await Deno.writeTextFile(machine.path("a"), "old spelling");
  assertEquals((await server.runClient(["-put", "a"])).stdout, "put a 12 B, 1 copy\n");
  assertEquals((await server.runClient(["-get", "a"])).stdout, "old spelling");
});

testOnMachine("a client with no --port asks the server at 4043", async (machine) => {
  await machine.startServer();
  assertEquals((await machine.runClient(["--put", "-", "--as", "a"], { stdin: "a" })).code, 0);
  assertEquals((await machine.runClient(["--get", "a"])).stdout, "a");
});

testOnMachine("what is not there is not found: exit code 3", async (machine) => {
  const [first, second] = await machine.startRing(2);
  assert(first && second);
  const none = "no server has a file of this name\n";
  for (const server of [first, second]) {
    const got = await server.runClient(["--get", "nothing"]);
    assertEquals([got.code, got.stdout], [3, ""]);
    assertEquals(got.stderr, `ring: Cannot get "nothing": ${none}`);
    const deleted = await server.runClient(["--delete", "nothing"]);
    assertEquals([deleted.code, deleted.stdout], [3, ""]);
    assertEquals(deleted.stderr, `ring: Cannot delete "nothing": ${none}`);
  }
  const saved = await first.runClient(["--get", "nothing", "-o", "file"]);
  assertEquals(saved.code, 3);
  assertEquals([...Deno.readDirSync(machine.directory)].map(({ name }) => name), ["ring-data"]);
});

testOnMachine("a file that was deleted at one server is gone at all", async (machine) => {
  const [first, second] = await machine.startRing(2);
  await first?.runClient(["--put", "-", "--as", "a"], { stdin: "a" });
  const deleted = await second?.runClient(["--delete", "a"]);
  assertEquals([deleted?.code, deleted?.stdout], [0, "deleted a, 2 servers\n"]);
  assertEquals((await first?.runClient(["--get", "a"]))?.code, 3);
  assertEquals((await second?.runClient(["--get", "a"]))?.code, 3);
  assertEquals((await first?.runClient(["--list"]))?.stdout, "");
});

testOnMachine("--list lists names in order, and those with a prefix", async (machine) => {
  const [first, second] = await machine.startRing(2);
  assert(first && second);
  for (const name of ["css/b", "a", "css/a", "d"]) {
    await first.runClient(["--put", "-", "--as", name], { stdin: name });
  }
  assertEquals((await second.runClient(["--list"])).stdout, "a\ncss/a\ncss/b\nd\n");
  assertEquals((await second.runClient(["--list", "css/"])).stdout, "css/a\ncss/b\n");
  const none = await second.runClient(["--list", "x"]);
  assertEquals([none.code, none.stdout, none.stderr], [0, "", ""]);
});

testOnMachine("--status shows the ring from the server that is asked", async (machine) => {
  const { ip } = machine;
  const [first, second] = await machine.startRing(2);
  assert(first && second);
  await first.runClient(["--put", "-", "--as", "a"], { stdin: "12345" });
  const status = await second.runClient(["--status"]);
  assertEquals([status.code, status.stderr], [0, ""]);
  const [, self = "", other = "", ...rest] = status.stdout.split("\n");
  assertMatch(self, new RegExp(`^${ip}:4044 +alive .* this server$`));
  assertMatch(other, new RegExp(`^${ip}:4043 +alive\\b`));
  assertEquals(rest.slice(0, 2), ["", "files    1 file, 5 B"]);
  const digest = /^digest +[0-9a-f]{64}$/m.exec(status.stdout)?.[0];
  assert(digest !== undefined, status.stdout);
  const atFirst = (await first.runClient(["--status"])).stdout;
  assert(atFirst.includes(digest), `two servers with one file have one digest:\n${atFirst}`);
});

testOnMachine("--json prints one object for everything that is done", async (machine) => {
  const [server] = await machine.startRing(2);
  assert(server);
  await Deno.writeTextFile(machine.path("a"), "12345");
  const hash = sha256(new TextEncoder().encode("12345"));

  const put = json(await server.runClient(["--put", "a", "--json"]));
  const [file] = put.files as Record<string, unknown>[];
  assert(file);
  const stamp = `${file.stamp}`;
  assertEquals(put, {
    ok: true,
    command: "put",
    files: [{ name: "a", path: "a", size: 5, status: 201, copies: 2, sha256: hash, stamp }],
  });

  const contentType = "application/octet-stream";
  const got = json(await server.runClient(["--get", "a", "-o", "b", "--json"]));
  assertEquals(got, {
    ok: true,
    command: "get",
    name: "a",
    output: "b",
    size: 5,
    sha256: hash,
    contentType,
    stamp,
  });

  const listed = json(await server.runClient(["--list", "--json"]));
  const { files: [{ written, ...record }] } = listed as { files: [Record<string, unknown>] };
  assertEquals(record, { name: "a", size: 5, sha256: hash, contentType, stamp });
  assertMatch(`${written}`, /^\d{4}-\d\d-\d\dT/);

  const status = json(await server.runClient(["--status", "--json"]));
  assertEquals([status.ok, status.command, status.files, status.bytes], [true, "status", 1, 5]);
  assertEquals((status.members as { status: string }[]).map((member) => member.status), [
    "alive",
    "alive",
  ]);

  const deleted = json(await server.runClient(["--delete", "a", "--json"]));
  assertEquals([deleted.ok, deleted.command, deleted.name, deleted.copies], [
    true,
    "delete",
    "a",
    2,
  ]);
});

testOnMachine("--json prints one object for everything that is not done", async (machine) => {
  const server = await machine.startServer();
  const at = server.clientFlags;
  const nobody = ["--ip", machine.ip, "--port", "9"];
  const mistakes: [readonly string[], number, string][] = [
    [[...at, "--get", "nothing", "-o", "x"], 3, "notFound"],
    [[...at, "--delete", "nothing"], 3, "notFound"],
    [[...nobody, "--status"], 5, "unavailable"],
    [[...at, "--statsu"], 2, "usage"],
    [[...at, "--get", "../x", "-o", "x"], 2, "usage"],
  ];
  for (const [args, code, kind] of mistakes) {
    const result = await machine.run(["client", ...args, "--json"]);
    assertEquals(result.stderr, "");
    const { ok, error } = json(result, code) as {
      ok: boolean;
      error: { kind: string; message: string; exitCode: number };
    };
    assertEquals([ok, error.kind, error.exitCode], [false, kind, code], args.join(" "));
    assertMatch(error.message, /^[A-Z-]/);
  }
  const put = json(await server.runClient(["--put", "no-such-file", "--json"]), 1);
  assertEquals(put.ok, false);
  assertMatch(JSON.stringify(put), /there is no such file/);
});

testOnMachine(
  "of several files, what cannot be put is named, and the rest is put",
  async (machine) => {
    const server = await machine.startServer();
    await Deno.writeTextFile(machine.path("a"), "1");
    await Deno.writeTextFile(machine.path("b"), "2");
    const put = await server.runClient(["--put", "a", "missing", "b"]);
    assertEquals(put.code, 1);
    assertOneSentence(put.stderr);
    assertMatch(put.stderr, /"missing"/);
    assertEquals((await server.runClient(["--list"])).stdout, "a\nb\n");
  },
);

testOnMachine("where no server is, a client says so: exit code 5", async (machine) => {
  for (const args of [["--get", "a"], ["--list"], ["--status"], ["--put", "-", "--as", "a"]]) {
    const result = await machine.runClient([...args], { stdin: "a" });
    assertEquals([result.code, result.stdout], [5, ""], args.join(" "));
    assertOneSentence(result.stderr);
    assertMatch(result.stderr, new RegExp(`${machine.ip}:4043`));
  }
});

/** A few: `tests/cli/` has them all. */
const mistyped: [readonly string[], RegExp][] = [
  [[], /Usage/],
  [["sevrer"], /did you mean server\?/],
  [["client"], /Say what to do/],
  [["client", "--gett", "a"], /did you mean --get\?/],
  [["client", "--get", "a//b"], /Cannot use the name "a\/\/b"/],
  [["server", "--prev-prot", "1"], /did you mean --prev-port\?/],
];
testOnMachine("a command line that makes no sense is explained: exit code 2", async (machine) => {
  const results = await Promise.all(mistyped.map(([args]) => machine.run(args)));
  for (const [index, [args, explanation]] of mistyped.entries()) {
    const { code, stdout, stderr } = results[index] ?? {};
    assertEquals([code, stdout], [2, ""], `ring ${args.join(" ")}`);
    assertMatch(stderr ?? "", explanation);
    if (args.length > 0) assertOneSentence(stderr ?? "");
  }
});

testOnMachine("help and version go to stdout: exit code 0", async (machine) => {
  for (const args of [["--help"], ["server", "--help"], ["client", "-h"]]) {
    const { code, stdout, stderr } = await machine.run([...args]);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^ring.*\n\nUsage\n/);
  }
  assertMatch((await machine.run(["--version"])).stdout, /^ring \d+\.\d+\.\d+\n$/);
});

/** The one JSON object that a command prints on stdout. */
function json({ code, stdout }: CommandResult, expectedCode = 0): Record<string, unknown> {
  assertEquals(code, expectedCode, stdout);
  assertEquals(stdout.split("\n").length, 2, `one line, not:\n${stdout}`);
  return JSON.parse(stdout);
}
