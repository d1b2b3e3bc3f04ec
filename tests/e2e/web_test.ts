/** The web fronts of a real ring, as curl sees them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { eventually } from "../eventually.ts";
import { HttpConnection } from "../web/exchange.ts";
import type { Machine, ServerProcess } from "./ring_process.ts";
import { sampleBytes, sha256 } from "./sample.ts";
import { testOnMachine } from "./test_on_machine.ts";
import { needsProgram, pageOrigin, putOverWeb, webUrl } from "./web_front.ts";

/** What curl got. */
interface Got {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

function testWithCurl(name: string, body: (machine: Machine) => Promise<void>): void {
  testOnMachine(name, body, needsProgram("curl"));
}

testWithCurl("a file that is put at one server is the same at all others", async (machine) => {
  const servers = await machine.startRing(3);
  const [first, second] = servers;
  assert(first && second);
  for (const [name, size] of [["a.html", 1000], ["large.bin", 3_000_000]] as const) {
    const bytes = sampleBytes(size);
    await Deno.writeFile(machine.path(name), bytes);
    const put = await curl(["-T", machine.path(name), webUrl(first, name)]);
    assertEquals([put.status, put.headers.get("ring-copies")], [201, "3"]);
    assertEquals(put.headers.get("location"), `/${name}`);
    const got = await Promise.all(servers.map((server) => curl([webUrl(server, name)])));
    for (const { status, headers, body } of got) {
      assertEquals([status, sha256(body)], [200, sha256(bytes)]);
      for (const field of ["etag", "last-modified", "content-type"]) {
        assertEquals(headers.get(field), got[0]?.headers.get(field));
      }
      assertEquals(headers.get("etag"), put.headers.get("etag"));
    }
    assertEquals((await curl(["-X", "DELETE", webUrl(second, name)])).status, 204);
    for (const server of servers) assertEquals((await curl([webUrl(server, name)])).status, 404);
  }
});

testWithCurl("an upload that breaks off is stored nowhere", async (machine) => {
  const servers = await machine.startRing(2);
  const [first, second] = servers;
  assert(first && second);
  const bodies = (server: ServerProcess) => arrivingBodies(machine, server);
  {
    using connection = await HttpConnection.open(webPort(first), machine.ip);
    await connection.send("PUT /half HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n");
    await connection.send(sampleBytes(1_000_000));
    await eventually(() => bodies(first) === 1 && bodies(second) === 1, {
      what: "the body to arrive at both servers",
    });
  }
  await eventually(() => bodies(first) === 0 && bodies(second) === 0, {
    what: "the bodies to go",
  });
  for (const server of servers) assertEquals((await curl([webUrl(server, "half")])).status, 404);
});

testWithCurl(
  "a large file that is damaged on the disk is never had as a whole",
  async (machine) => {
    const server = await machine.startServer();
    const bytes = sampleBytes(1_000_000);
    await putOverWeb(server, "large", bytes);
    const hash = sha256(bytes);
    const path = machine.path("ring-data", `${server.port}`, "bodies", hash.slice(0, 2), hash);
    bytes[500_000] = 255 - (bytes[500_000] ?? 0);
    await Deno.writeFile(path, bytes);
    const args = ["--silent", "--fail", "--output", machine.path("got"), webUrl(server, "large")];
    const { code } = await new Deno.Command("curl", { args }).output();
    // It came in part, or was refused, as the scrub had found it before.
    assert(code === 18 || code === 22, `curl ended with ${code}`);
  },
);

testWithCurl("a file above --max-file is refused before its body", async (machine) => {
  const server = await machine.startServer(["--max-file", "1MB"]);
  await Deno.writeFile(machine.path("large"), sampleBytes(1_500_000));
  const put = await curl(["-T", machine.path("large"), webUrl(server, "large")]);
  assertEquals(put.status, 413);
  using connection = await HttpConnection.open(webPort(server), machine.ip);
  await connection.send(
    "PUT /large HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1000001\r\n\r\n",
  );
  const answer = await connection.receive("PUT");
  assertEquals([answer.status, answer.interim], [413, []]);
});

testWithCurl("an upload over HTTP is finished before the server ends", async (machine) => {
  const [first, second] = await machine.startRing(2, ["-v"]);
  assert(first && second);
  const bytes = sampleBytes(2_000_000);
  using idle = await HttpConnection.open(webPort(first), machine.ip);
  assertEquals((await idle.ask({ target: "/_ring/health" })).status, 200);
  using listener = await HttpConnection.open(webPort(first), machine.ip);
  await listener.send("GET /_ring/events HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals((await listener.receiveHead()).status, 200);
  using connection = await HttpConnection.open(webPort(first), machine.ip);
  await connection.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n");
  await connection.send(bytes.subarray(0, 1_000_000));
  await eventually(() => arrivingBodies(machine, first) === 1, { what: "the body to arrive" });
  first.kill("SIGTERM");
  await eventually(() => first.stderr.includes("SIGTERM"), { what: "the signal to be heard" });
  assert(await idle.isEnded(), "a connection that is idle is closed at once");
  await connection.send(bytes.subarray(1_000_000));
  const answer = await connection.receive("PUT");
  assertEquals([answer.status, answer.header("ring-copies")], [201, "2"], answer.text);
  assertEquals(answer.header("connection"), "close");
  assertEquals(await first.exited, 0);
  const got = await curl([webUrl(second, "a")]);
  assertEquals([got.status, sha256(got.body)], [200, sha256(bytes)]);
});

testWithCurl(
  "the servers of a ring tell of each other's web fronts, and of themselves",
  async (machine) => {
    const servers = await machine.startRing(3, ["-v", "--log-format", "json"]);
    const [first, second] = servers;
    assert(first && second);
    await eventually(async () => (await curl([webUrl(second, "_ring/ready")])).status === 200, {
      what: "the server to be ready",
    });
    await curl(["-X", "PUT", "--data-binary", "hello", webUrl(second, "a.txt")]);
    const status = JSON.parse(text(await curl([webUrl(first, "_ring/status.json")])));
    assertEquals(
      status.members.map(({ web }: { web: string }) => web),
      servers.map((server) => webUrl(server, "")),
    );
    const metrics = text(await curl([webUrl(second, "_ring/metrics")]));
    assertMatch(metrics, /^ring_http_requests_total\{method="PUT",status="201"\} 1$/m);
    assertMatch(metrics, /^ring_members\{status="alive"\} 3$/m);
    assertMatch(metrics, /^ring_circles_total\{about="WRITE"\} 1$/m);
    assertMatch(metrics, /^ring_files 1$/m);
    assertMatch(metrics, /^ring_check_duration_seconds_count [1-9]/m);
    const entry = await eventually(
      () => second.stderr.split("\n").find((line) => /PUT/.test(line)),
      {
        what: "the request in the log",
      },
    );
    const { category, message } = JSON.parse(entry);
    assertEquals(category, "http");
    assertMatch(message, /^127\.\S+:\d+ PUT "\/a\.txt" 201 \d+ bytes \d+\.\d ms$/);
  },
);

testOnMachine("a web port that is taken is an error where it was asked for", async (machine) => {
  const first = await machine.startServer();
  const second = machine.spawnServer(["--http-port", `${webPort(first)}`]);
  assertEquals(await second.exited, 1);
  assertMatch(
    second.stderr,
    /^ring: Cannot listen on \S+:8043 for HTTP: the port is taken; choose another with --http-port, or --no-http\n$/,
  );
  const third = await machine.startServer(["--no-http", "--port", "4050"]);
  assertEquals(third.lines.filter((line) => line.startsWith("web ")), []);
  using taken = Deno.listen({ hostname: machine.ip, port: 8051 });
  const fourth = await machine.startServer(["--port", "4051"]);
  assertEquals(webPort(fourth), taken.addr.port + 1);
});

testWithCurl(
  "with --ring-http-port a server tells of two addresses, and others of that of its page",
  async (machine) => {
    const ringPort = ["--ring-http-port", "9043"];
    const first = await machine.startServer(ringPort);
    const origin = pageOrigin(first);
    assertEquals([new URL(origin).port, webPort(first)], ["9043", 8043]);
    const tooMany = machine.spawnServer(["--port", "4050", ...ringPort]);
    assertEquals(await tooMany.exited, 1);
    assertMatch(
      tooMany.stderr,
      /^ring: Cannot listen on \S+:9043 for HTTP: the port is taken; choose another with --ring-http-port\n$/,
    );
    const second = await machine.startServer(["--prev-port", `${first.port}`]);
    const { members } = JSON.parse(text(await curl([webUrl(second, "_ring/status.json")])));
    assertEquals(
      members.map(({ web }: { web: string }) => web).toSorted(),
      [webUrl(second, ""), `${origin}/`].toSorted(),
    );
    await putOverWeb(first, "a.txt", new TextEncoder().encode("abc"));
    const followed = await curl(["--location", `${origin}/a.txt`]);
    assertEquals(text(followed).endsWith("abc"), true);
    assertEquals((await curl([webUrl(first, "_ring/status.json")])).status, 404);
    assertEquals((await curl([`${origin}/_ring/health`])).status, 200);
    assertEquals(await first.stop("SIGTERM"), 0);
  },
);

/** How many large bodies a server is receiving. */
function arrivingBodies(machine: Machine, { port }: ServerProcess): number {
  return [...Deno.readDirSync(machine.path("ring-data", `${port}`, "bodies", "tmp"))].length;
}

function webPort(server: ServerProcess): number {
  return Number(new URL(webUrl(server, "")).port);
}

async function curl(args: readonly string[]): Promise<Got> {
  const { stdout, stderr, code } = await new Deno.Command("curl", {
    args: ["--silent", "--show-error", "--include", "--max-time", "20", ...args],
  }).output();
  if (code !== 0) throw new Error(`curl ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return readAnswer(stdout);
}

/** The last answer in what curl prints: interim ones come before it. */
function readAnswer(bytes: Uint8Array): Got {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 16 * 1024));
  const end = head.indexOf("\r\n\r\n");
  const [line = "", ...fields] = head.slice(0, end).split("\r\n");
  const status = Number(line.split(" ")[1]);
  const body = bytes.subarray(end + 4);
  if (status < 200) return readAnswer(body);
  const headers = new Map(fields.map((field) => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const;
  }));
  return { status, headers, body };
}

function text({ body }: Got): string {
  return new TextDecoder().decode(body);
}
