/** Bytes go in at one server and come out at another: small, large, empty, many. */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sampleBytes, sha256 } from "./sample.ts";
import { testOnMachine } from "./test_on_machine.ts";

const testFiles = fileURLToPath(new URL("../../test_files", import.meta.url));

testOnMachine("a file put at one of three servers is got at each", async (machine) => {
  const servers = await machine.startRing(3);
  await Deno.writeTextFile(machine.path("a.txt"), "Hello\n");
  const put = await servers[0]?.runClient(["--put", "a.txt"]);
  assertEquals(put, {
    code: 0,
    stdout: "put a.txt 6 B, 3 copies\n",
    stderr: "",
    bytes: new TextEncoder().encode("put a.txt 6 B, 3 copies\n"),
  });
  for (const server of servers) {
    const got = await server.runClient(["--get", "a.txt"]);
    assertEquals([got.code, got.stdout, got.stderr], [0, "Hello\n", ""]);
  }
});

testOnMachine(
  "a folder is put with names relative to it, and comes back whole",
  async (machine) => {
    const [first, second] = await machine.startRing(2);
    assert(first && second);
    const put = await first.runClient(["--put", testFiles]);
    const names = await filesIn(testFiles);
    assertEquals([put.code, put.stderr], [0, ""]);
    const lines = put.stdout.trimEnd().split("\n");
    assertEquals(lines.pop()?.replace(/, .*/, ""), `${names.length} files`);
    assertEquals(lines.map((line) => line.split(" ")[1]).toSorted(), names);
    assert(lines.every((line) => line.endsWith(", 2 copies")), put.stdout);
    assertEquals((await second.runClient(["--list"])).stdout, names.map((n) => `${n}\n`).join(""));
    for (const name of names) {
      const got = await second.runClient(["--get", name]);
      assertEquals(sha256(got.bytes), sha256(await Deno.readFile(join(testFiles, name))), name);
    }
  },
);

testOnMachine("stdin is put with --put - --as NAME", async (machine) => {
  const [first, second] = await machine.startRing(2);
  const put = await first?.runClient(["--put", "-", "--as", "notes/x"], { stdin: "from a pipe" });
  assertEquals(put?.stdout, "put notes/x 11 B, 2 copies\n");
  assertEquals((await second?.runClient(["--get", "notes/x"]))?.stdout, "from a pipe");
});

testOnMachine("an empty file is a file", async (machine) => {
  const [first, second] = await machine.startRing(2);
  await Deno.writeTextFile(machine.path("empty"), "");
  assertEquals((await first?.runClient(["--put", "empty"]))?.stdout, "put empty 0 B, 2 copies\n");
  const got = await second?.runClient(["--get", "empty", "-o", "copy"]);
  assertEquals([got?.code, got?.stdout], [0, "got empty 0 B, in copy\n"]);
  assertEquals((await Deno.stat(machine.path("copy"))).size, 0);
});

const oddNames = ["two words.txt", "Grüße/日本語 🎉.html", "-dash"];
testOnMachine("names may have spaces, letters of any script, and a dash", async (machine) => {
  const [first, second] = await machine.startRing(2);
  for (const name of oddNames) {
    const put = await first?.runClient(["--put", "-", `--as=${name}`], { stdin: name });
    assertEquals([put?.stdout, put?.stderr], [`put ${name} ${size(name)} B, 2 copies\n`, ""]);
    assertEquals((await second?.runClient([`--get=${name}`]))?.stdout, name);
  }
  const listed = (await second?.runClient(["--list"]))?.stdout;
  assertEquals(listed, oddNames.toSorted().map((name) => `${name}\n`).join(""));
  const deleted = await second?.runClient([`--delete=${oddNames[0]}`]);
  assertEquals(deleted?.stdout, `deleted ${oddNames[0]}, 2 servers\n`);
});

testOnMachine("a binary file of more than 64 KiB goes to stdout as it is", async (machine) => {
  const [first, second] = await machine.startRing(2);
  const bytes = sampleBytes(64 * 1024 + 1);
  await Deno.writeFile(machine.path("b.bin"), bytes);
  assertEquals((await first?.runClient(["--put", "b.bin"]))?.code, 0);
  const got = await second?.runClient(["--get", "b.bin"]);
  assertEquals(sha256(got?.bytes ?? new Uint8Array()), sha256(bytes));
});

testOnMachine("40 MiB put at one server are got at another, from disk to disk", async (machine) => {
  const servers = await machine.startRing(3);
  const bytes = sampleBytes(40 * 1024 * 1024);
  await Deno.writeFile(machine.path("large.bin"), bytes);
  const put = await servers[0]?.runClient(["--put", "large.bin"]);
  assertEquals([put?.stdout, put?.stderr], ["put large.bin 41.9 MB, 3 copies\n", ""]);
  const got = await servers[2]?.runClient(["--get", "large.bin", "-o", "copy.bin"]);
  assertEquals([got?.stdout, got?.stderr], ["got large.bin 41.9 MB, in copy.bin\n", ""]);
  assertEquals(sha256(await Deno.readFile(machine.path("copy.bin"))), sha256(bytes));
});

testOnMachine("a server that has just joined answers a GET, of any size", async (machine) => {
  const first = await machine.startServer();
  const bytes = sampleBytes(8 * 1024 * 1024);
  await first.runClient(["--put", "-", "--as", "small"], { stdin: "small" });
  await first.runClient(["--put", "-", "--as", "large"], { stdin: bytes });
  const second = await machine.startServer(["--prev-port", "4043"]);
  const [small, large] = await Promise.all([
    second.runClient(["--get", "small"]),
    second.runClient(["--get", "large"]),
  ]);
  assertEquals([small.code, small.stdout, small.stderr], [0, "small", ""]);
  assertEquals(sha256(large.bytes), sha256(bytes), large.stderr);
});

testOnMachine("clients at all servers at once get their own answers", async (machine) => {
  const servers = await machine.startRing(3);
  const names = Array.from({ length: 9 }, (_, index) => `file-${index}`);
  const puts = await Promise.all(
    names.map((name, index) =>
      servers[index % 3]?.runClient(["--put", "-", "--as", name], { stdin: `I am ${name}` })
    ),
  );
  assertEquals(puts.map((put) => put?.stdout), names.map((n) => `put ${n} 11 B, 3 copies\n`));
  const gets = await Promise.all(
    names.map((name, index) => servers[(index + 1) % 3]?.runClient(["--get", name])),
  );
  assertEquals(gets.map((get) => get?.stdout), names.map((name) => `I am ${name}`));
});

/** The files under a folder, by paths relative to it, in order. */
async function filesIn(folder: string, prefix = ""): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(join(folder, prefix))) {
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory) names.push(...await filesIn(folder, `${name}/`));
    else names.push(name);
  }
  return names.toSorted();
}

function size(text: string): number {
  return new TextEncoder().encode(text).length;
}
