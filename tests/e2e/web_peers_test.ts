/** Programs of others download from a ring, and take every server of it for the same one. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Machine, ServerProcess } from "./ring_process.ts";
import { sampleBytes, sha256 } from "./sample.ts";
import { testOnMachine } from "./test_on_machine.ts";
import { needsProgram, putOverWeb, webUrl } from "./web_front.ts";

/** What makes two answers the same file. */
const validators = ["content-type", "etag", "last-modified"] as const;

/** A page, which would be compressed for a client that asks for that, and bytes that would not. */
const files: ReadonlyMap<string, Uint8Array<ArrayBuffer>> = new Map([
  ["page.html", new TextEncoder().encode("<p>ring</p>\n".repeat(1000))],
  ["large.bin", sampleBytes(3_000_000)],
]);

/** How a program ended. */
interface Run {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

testOnMachine("curl gets the same from every server", async (machine) => {
  const servers = await machine.startRing(3);
  await putFiles(servers);
  for (const [name, bytes] of files) {
    const heads = [];
    for (const server of servers) {
      const head = machine.path("head");
      const got = await run("curl", ["-sS", "--fail", "-D", head, webUrl(server, name)]);
      assertEquals([got.code, sha256(got.stdout)], [0, sha256(bytes)], got.stderr);
      heads.push(readValidators(await Deno.readTextFile(head)));
    }
    assertAllEqual(heads);
    assertEquals(heads[0]?.[1], `"${sha256(bytes)}"`);
  }
}, needsProgram("curl"));

testOnMachine("curl takes the ETag of one server for that of any other", async (machine) => {
  const servers = await machine.startRing(3);
  const [first, ...others] = servers;
  assert(first);
  await putFiles(servers);
  const etag = machine.path("etag");
  const save = ["-sS", "-o", machine.path("got"), "--etag-save", etag];
  assertEquals((await run("curl", [...save, webUrl(first, "page.html")])).code, 0);
  for (const server of others) {
    const compare = ["-sS", "-w", "%{http_code} %{size_download}", "--etag-compare", etag];
    const { stdout } = await run("curl", [...compare, webUrl(server, "page.html")]);
    assertEquals(new TextDecoder().decode(stdout), "304 0");
  }
}, needsProgram("curl"));

testOnMachine("wget gets the same from every server", async (machine) => {
  const servers = await machine.startRing(3);
  await putFiles(servers);
  for (const [name, bytes] of files) {
    const heads = [];
    for (const server of servers) {
      const got = await wget(machine, ["-S", "-O", "-", webUrl(server, name)]);
      assertEquals([got.code, sha256(got.stdout)], [0, sha256(bytes)], got.stderr);
      heads.push(readValidators(got.stderr));
    }
    assertAllEqual(heads);
    assertEquals(heads[0]?.[1], `"${sha256(bytes)}"`);
  }
}, needsProgram("wget"));

testOnMachine("wget goes on at another server with what it has of a file", async (machine) => {
  const servers = await machine.startRing(3);
  const [first, , third] = servers;
  assert(first && third);
  await putFiles(servers);
  const bytes = files.get("large.bin");
  assert(bytes);
  await Deno.writeFile(machine.path("large.bin"), bytes.subarray(0, 1_000_000));
  const rest = await wget(machine, ["-S", "-c", webUrl(third, "large.bin")]);
  assertEquals(rest.code, 0, rest.stderr);
  assertMatch(rest.stderr, /HTTP\/1\.1 206 /);
  assertMatch(rest.stderr, /Content-Range: bytes 1000000-2999999\/3000000/);
  assertEquals(sha256(await Deno.readFile(machine.path("large.bin"))), sha256(bytes));
  // wget gives the file the time of Last-Modified, and asks the next server for what is newer.
  const newer = await wget(machine, ["-S", "-N", webUrl(first, "large.bin")]);
  assertEquals(newer.code, 0, newer.stderr);
  assertMatch(newer.stderr, /HTTP\/1\.1 304 /);
}, needsProgram("wget"));

testOnMachine(
  "ranges of a file that are got from all servers at once make the file",
  async (machine) => {
    const servers = await machine.startRing(3);
    const [first] = servers;
    assert(first);
    const bytes = sampleBytes(20_000_003);
    const etag = await putOverWeb(first, "large.bin", bytes);
    const ranges = splitEvenly(bytes.length, 8);
    const parts = await Promise.all(ranges.map(async ([start, end], index) => {
      const server = servers[index % servers.length];
      assert(server);
      const headers = { "Range": `bytes=${start}-${end - 1}`, "If-Range": etag };
      return await fetchPart(webUrl(server, "large.bin"), headers);
    }));
    for (const [index, { contentRange }] of parts.entries()) {
      const [start = 0, end = 0] = ranges[index] ?? [];
      assertEquals(contentRange, `bytes ${start}-${end - 1}/${bytes.length}`);
    }
    assertAllEqual(parts.map((part) => part.validators));
    assertEquals(parts[0]?.validators[1], etag);
    const whole = new Uint8Array(await new Blob(parts.map((part) => part.body)).arrayBuffer());
    assertEquals([whole.length, sha256(whole)], [bytes.length, sha256(bytes)]);
  },
);

/** Puts each file at another server. */
async function putFiles(servers: readonly ServerProcess[]): Promise<void> {
  let turn = 0;
  for (const [name, body] of files) {
    const server = servers[turn++ % servers.length];
    assert(server);
    await putOverWeb(server, name, body);
  }
}

/** A part of a file, where there is no other answer than a part. */
async function fetchPart(url: string, headers: Readonly<Record<string, string>>): Promise<{
  body: ArrayBuffer;
  contentRange: string | null;
  validators: readonly (string | null)[];
}> {
  const response = await fetch(url, { headers });
  const body = await response.arrayBuffer();
  assertEquals(response.status, 206);
  return {
    body,
    contentRange: response.headers.get("content-range"),
    validators: validators.map((name) => response.headers.get(name)),
  };
}

/** The starts and ends of `count` ranges of `size` bytes. */
function splitEvenly(size: number, count: number): readonly (readonly [number, number])[] {
  const length = Math.ceil(size / count);
  return Array.from({ length: count }, (_, index) => {
    return [index * length, Math.min(size, (index + 1) * length)] as const;
  });
}

/** The validators in a header as a program shows it, none of them absent. */
function readValidators(header: string): readonly string[] {
  return validators.map((name) => {
    const value = new RegExp(`^\\s*${name}: (.+?)\\s*$`, "im").exec(header)?.[1];
    assert(value, `There is no ${name} in:\n${header}`);
    return value;
  });
}

function assertAllEqual<T>(values: readonly T[]): void {
  assert(values.length > 1);
  for (const value of values) assertEquals(value, values[0]);
}

/** Without the settings of whoever runs the test, and without a second try. */
function wget(machine: Machine, args: readonly string[]): Promise<Run> {
  return run("wget", ["--no-config", "--no-verbose", "--tries=1", ...args], machine.directory);
}

async function run(program: string, args: readonly string[], cwd?: string): Promise<Run> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    ...(cwd === undefined ? {} : { cwd }),
    env: { LC_ALL: "C", TZ: "UTC", no_proxy: "*" },
  }).output();
  return { code, stdout, stderr: new TextDecoder().decode(stderr) };
}
