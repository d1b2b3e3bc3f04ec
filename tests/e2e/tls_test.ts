/** A ring with TLS, as its users start and ask it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { eventually } from "../eventually.ts";
import { Authority, needsOpenssl } from "../tls/authority.ts";
import type { Machine, ServerProcess } from "./ring_process.ts";
import { testOnMachine } from "./test_on_machine.ts";
import { needsProgram, webUrl } from "./web_front.ts";

/** How long a silent or dead server may stay in the ring, in milliseconds. */
const closeMsMax = 10_000;

const withCurl = { ignore: needsOpenssl.ignore || needsProgram("curl").ignore };

/** The flags that name a certificate of an authority, for this machine. */
async function makeFlags(authority: Authority, machine: Machine, name = "a"): Promise<string[]> {
  await authority.issue(name, { hosts: [`IP:${machine.ip}`] });
  return [
    ...["--tls-cert", authority.path(`${name}.pem`), "--tls-key", authority.path(`${name}.key`)],
    ...["--tls-ca", authority.path("ca.pem")],
  ];
}

async function makeSecret(machine: Machine): Promise<string[]> {
  const { stdout } = await machine.run(["secret"]);
  await Deno.writeTextFile(machine.path("ring.secret"), stdout, { mode: 0o600 });
  return ["--secret-file", machine.path("ring.secret")];
}

/** Runs curl; returns what it printed. */
async function curl(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command("curl", {
    args: ["-sS", "--max-time", "20", ...args],
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

testOnMachine(
  "three servers with TLS and a secret form a ring, serve who belongs, and close over one that is killed",
  async (machine) => {
    await using authority = await Authority.create();
    await using other = await Authority.create();
    const secret = await makeSecret(machine);
    const flags = [...secret, ...await makeFlags(authority, machine)];
    const [first, second, third] = await machine.startRing(3, flags);
    if (first === undefined || second === undefined || third === undefined) throw new Error("none");
    await Deno.writeTextFile(machine.path("a.txt"), "abc");
    const put = await first.runClient(["--put", machine.path("a.txt"), ...flags]);
    assertEquals(put.code, 0, put.stderr);
    assertMatch(put.stdout, /3 copies/);
    const got = await third.runClient(["--get", "a.txt", ...flags]);
    assertEquals([got.code, got.stdout], [0, "abc"], got.stderr);

    const strangers: [string, readonly string[], RegExp][] = [
      ["no TLS", secret, /speaks TLS: name its authority with --tls-ca/],
      ["browsers' authorities", [...secret, "--tls"], /of no known authority/],
      [
        "no certificate",
        [...secret, "--tls-ca", authority.path("ca.pem")],
        /wants a certificate of its authority: give one with --tls-cert and --tls-key/,
      ],
      [
        "others' certificate",
        [...secret, ...await makeFlags(other, machine)],
        /not of the authority that --tls-ca names/,
      ],
      ["no secret", flags.slice(secret.length), /this ring has a secret/],
    ];
    for (const [what, used, text] of strangers) {
      const refused = await first.runClient(["--get", "a.txt", ...used]);
      assertEquals([refused.code, refused.stdout], [1, ""], what);
      assertMatch(refused.stderr, text, what);
    }

    // What the runtime is told to trust stands for what browsers do.
    const env = { DENO_CERT: authority.path("ca.pem") };
    const trusting = [...secret, "--tls", ...flags.slice(secret.length, -2)];
    assertEquals((await first.runClient(["--get", "a.txt", ...trusting], { env })).stdout, "abc");

    const verified = await first.runClient(["--verify", ...flags]);
    assertEquals(verified.code, 0, verified.stderr);

    await second.stop("SIGKILL");
    const left = `${first.port} -> ${third.port} -> (${first.port})`;
    await eventually(() => first.ports() === left, { what: left, withinMs: closeMsMax });
    const after = await third.runClient(["--put", machine.path("a.txt"), "--as", "b", ...flags]);
    assertMatch(after.stdout, /2 copies/, after.stderr);
    assertEquals(await third.stop("SIGTERM"), 0);
    await eventually(() => first.circle().length === 1, { withinMs: closeMsMax });
  },
  needsOpenssl,
);

testOnMachine(
  "curl puts and gets over HTTPS, believes nobody else, and is led there from HTTP",
  async (machine) => {
    await using authority = await Authority.create();
    await using other = await Authority.create();
    const [first, second] = await machine.startRing(2, await makeFlags(authority, machine));
    if (first === undefined || second === undefined) throw new Error("There is no ring");
    const ca = ["--cacert", authority.path("ca.pem")];
    await Deno.writeTextFile(machine.path("a.txt"), "abc");
    assertMatch(webUrl(first, "a.txt"), /^https:/);
    await curl(...ca, "-T", machine.path("a.txt"), webUrl(first, "a.txt"));
    assertEquals(await curl(...ca, webUrl(second, "a.txt")), "abc");
    const large = crypto.getRandomValues(new Uint8Array(65_536));
    using file = await Deno.open(machine.path("large"), { write: true, create: true });
    for (let count = 0; count < 400; count++) await file.write(large);
    await curl(...ca, "-T", machine.path("large"), webUrl(first, "large"));
    await curl(...ca, "-o", machine.path("got"), webUrl(second, "large"));
    const [sent, got] = await Promise.all(
      ["large", "got"].map((name) => Deno.readFile(machine.path(name))),
    );
    assertEquals(got?.length, sent?.length);
    assert(got?.every((byte, index) => byte === sent?.[index]));

    const foreign = ["--cacert", other.path("ca.pem"), webUrl(first, "a.txt")];
    const refused = await curl(...foreign).catch((error) => error.message);
    assertMatch(refused, /certificate/);

    const plain = webUrl(first, "a.txt?b=c").replace("https:", "http:");
    const format = ["-o", "/dev/null", "-w", "%{http_code} %{redirect_url}"];
    assertEquals(await curl(...format, plain), `308 ${webUrl(first, "a.txt?b=c")}`);
    assertEquals(await curl(...ca, "-L", plain), "abc");
    const status = JSON.parse(await curl(...ca, webUrl(first, "_ring/status.json")));
    for (const { web } of status.members) assertMatch(web, /^https:/);
  },
  withCurl,
);

testOnMachine(
  "SIGHUP brings in a new certificate, and leaves the old one where the new cannot be used",
  async (machine) => {
    await using authority = await Authority.create();
    const flags = await makeFlags(authority, machine);
    const server = await machine.startServer(flags);
    const ca = ["--cacert", authority.path("ca.pem")];
    const shown = () => showsSerial(server, authority);
    await authority.issue("probe");
    const before = await shown();
    // A connection from before: its stream of events goes on.
    const { promise: hasBegun, resolve: begin } = Promise.withResolvers<void>();
    const events = new Deno.Command("curl", {
      args: ["-sSN", ...ca, webUrl(server, "_ring/events")],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let received = "";
    const reading = (async () => {
      for await (const chunk of events.stdout.pipeThrough(new TextDecoderStream())) {
        received += chunk;
        begin();
      }
    })();
    await hasBegun;

    await makeFlags(authority, machine);
    assertEquals(await shown(), before);
    server.kill("SIGHUP");
    await eventually(() => /SIGHUP: connections that begin from now on use/.test(server.stderr));
    const after = await shown();
    assert(after !== before);
    assertEquals((await server.runClient(["--status", ...flags])).code, 0);

    await Deno.writeTextFile(authority.path("a.key"), "nonsense");
    server.kill("SIGHUP");
    await eventually(() =>
      /SIGHUP: the certificate stays as it was: Cannot use the key in .*a\.key": it holds no/.test(
        server.stderr,
      )
    );
    assertEquals(await shown(), after);
    await makeFlags(authority, machine, "b");
    const other = ["--tls-cert", authority.path("b.pem"), "--tls-key", authority.path("b.key")];
    const status = await server.runClient(["--status", ...other, ...flags.slice(4)]);
    assertEquals(status.code, 0, status.stderr);

    await Deno.writeTextFile(machine.path("a.txt"), "abc");
    await curl(...ca, "-T", machine.path("a.txt"), webUrl(server, "while-it-goes-on"));
    await eventually(() => received.includes("while-it-goes-on"));
    events.kill();
    await Promise.all([reading, events.status]);
  },
  withCurl,
);

/** The serial number of the certificate that the ring port of a server shows. */
async function showsSerial({ address }: ServerProcess, authority: Authority): Promise<string> {
  const command = `openssl s_client -connect ${address} -cert ${authority.path("probe.pem")} ` +
    `-key ${authority.path("probe.key")} </dev/null 2>/dev/null | openssl x509 -noout -serial`;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", command] }).output();
  const text = new TextDecoder().decode(stdout).trim();
  assertMatch(text, /^serial=/);
  return text;
}

testOnMachine(
  "a server that cannot use its certificate does not start, and says why",
  async (machine) => {
    await using authority = await Authority.create();
    const flags = await makeFlags(authority, machine);
    const elsewhere = await authority.issue("elsewhere", { hosts: ["DNS:elsewhere.example"] });
    assert(elsewhere.key !== "");
    await authority.issue("expired", { hosts: [`IP:${machine.ip}`], days: -1 });
    const named = (certificate: string, key = certificate) => [
      ...["--tls-cert", authority.path(`${certificate}.pem`)],
      ...["--tls-key", authority.path(`${key}.key`)],
    ];
    const cases: [readonly string[], number, RegExp][] = [
      [["--tls-cert", authority.path("a.pem")], 2, /--tls-cert and --tls-key go together/],
      [flags.slice(4), 2, /--tls-ca needs --tls-cert FILE and --tls-key FILE/],
      [named("none"), 1, /Cannot read the certificate in .*: there is no such file/],
      [named("a", "elsewhere"), 1, /Cannot use the key in .*: it is not the key of the cert/],
      [named("expired"), 1, /Cannot use the certificate in .*: it expired on \d{4}-\d\d-\d\d$/m],
      [named("elsewhere"), 1, /it is for DNS:elsewhere\.example, and others connect to 127\./],
    ];
    for (const [used, code, text] of cases) {
      const server = machine.spawnServer(used);
      assertEquals(await server.exited, code, server.transcript);
      assertMatch(server.stderr, text);
    }
    await Deno.chmod(authority.path("a.key"), 0o644);
    const server = await machine.startServer(flags);
    assertMatch(server.stderr, /Others on this machine may read the key in .*: chmod 600 it/);
  },
  needsOpenssl,
);

testOnMachine(
  "a newcomer whom the ring does not believe ends with 5, and says why",
  async (machine) => {
    await using authority = await Authority.create();
    await using other = await Authority.create();
    const flags = await makeFlags(authority, machine);
    const first = await machine.startServer(flags);
    const cases: [readonly string[], RegExp][] = [
      [[], /^ring: Cannot join the ring of .*This ring speaks TLS/m],
      [await makeFlags(other, machine), /^ring: Cannot join the ring of .*not of the authority/m],
    ];
    for (const [used, text] of cases) {
      const newcomer = machine.spawnServer(["--prev-port", `${first.port}`, ...used]);
      assertEquals(await newcomer.exited, 5);
      assertMatch(newcomer.stderr, text);
    }
    await eventually(() => /Refused 127\..*This ring speaks TLS/.test(first.stderr));
    assertEquals(first.circle().length, 1);
  },
  needsOpenssl,
);
