import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseServerCommand, serverOptions } from "../../lib/cli/server_flags.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";

const defaults = { type: "serve", web: {}, verbose: false, logFormat: "text" };

const commands: [string[], Record<string, unknown>][] = [
  [[], {}],
  [["--ip", "10.0.0.1", "--port", "0", "--insecure"], { ip: "10.0.0.1", port: 0 }],
  [["-ip", "10.0.0.1", "--insecure"], { ip: "10.0.0.1" }],
  [["--ip", "[::1]"], { ip: "::1" }],
  [["--port", "65535"], { port: 65535 }],
  [["--prev-port", "4043"], { previousPort: 4043 }],
  [["-prev-ip=10.0.0.2"], { previousIp: "10.0.0.2" }],
  [["--ip", "0.0.0.0", "--advertise", "a.example", "--insecure"], {
    ip: "0.0.0.0",
    advertise: "a.example",
  }],
  [["--ip", "::", "--advertise", "[::1]:5", "--insecure"], { ip: "::", advertise: "[::1]:5" }],
  [["--advertise", "1.2.3.4:5", "--insecure"], { advertise: "1.2.3.4:5" }],
  [["--advertise", "[fd00::1]", "--insecure"], { advertise: "fd00::1" }],
  [["--data", "d"], { data: { directory: "d" } }],
  [["--memory"], { data: "memory" }],
  [["--check-interval", "0.2s"], { checkIntervalMs: 200 }],
  [["--max-bytes", "500GB", "--max-files", "1000"], { bytesMax: 5e11, filesMax: 1000 }],
  [["--max-connections", "64"], { connectionsMax: 64 }],
  [["--max-per-address", "0"], { connectionsPerAddressMax: 0 }],
  [["--min-copies", "2"], { minCopies: 2 }],
  [["--http-port", "80", "--http-ip", "::1"], { web: { port: 80, ip: "::1" } }],
  [["--http-port", "0"], { web: { port: 0 } }],
  [["--cache-control", "max-age=60"], { web: { cacheControl: "max-age=60" } }],
  [["--listing", "--spa"], { web: { listing: true, spa: true } }],
  [["--cors", "*"], { web: { cors: "*" } }],
  [["--cors", "https://a.example:8443"], { web: { cors: "https://a.example:8443" } }],
  [["--max-file", "500MB"], { web: { fileBytesMax: 500_000_000 } }],
  [["--secret-file", "s"], { secretFile: "s" }],
  [["--ip", "10.0.0.1", "--secret-file", "s"], { ip: "10.0.0.1", secretFile: "s" }],
  [["--tls-cert", "c", "--tls-key", "k"], { tls: { certificate: "c", key: "k" } }],
  [
    ["--tls-cert", "c", "--tls-key", "k", "--tls-ca", "a"],
    { tls: { certificate: "c", key: "k", authority: "a" } },
  ],
  [["--private", "--secret-file", "s"], { secretFile: "s", web: { isPrivate: true } }],
  [["--ip", "127.0.0.9"], { ip: "127.0.0.9" }],
  [["--ip", "localhost"], { ip: "localhost" }],
  [["-v"], { verbose: true }],
  [["--verbose", "--log-format", "json"], { verbose: true, logFormat: "json" }],
];
for (const [args, expected] of commands) {
  Deno.test(`ring server ${args.join(" ")} is understood`, () => {
    assertEquals<unknown>(parseServerCommand(args), { ...defaults, ...expected });
  });
}

Deno.test("ring server --help is to help, whatever else there is", () => {
  assertEquals<unknown>(parseServerCommand(["--port", "abc", "--help"]), { type: "help" });
});

Deno.test("ring server --no-http has no web front", () => {
  const command = parseServerCommand(["--no-http"]);
  assert(!("web" in command));
  assert(!("web" in optionsOf(["--no-http"])));
  assertEquals(optionsOf(["--spa"]).web, { spa: true });
});

Deno.test("the environment names the secret's file unless the flag does", () => {
  const environment = { secretFile: "e" };
  const fileOf = (args: readonly string[]) => {
    const command = parseServerCommand(args, environment);
    return command.type === "serve" && command.secretFile;
  };
  assertEquals(fileOf(["--ip", "10.0.0.1", "--private"]), "e");
  assertEquals(fileOf(["--secret-file", "f"]), "f");
});

const mistakes: [string[], string][] = [
  [["--prev-prot", "5"], "There is no flag --prev-prot; did you mean --prev-port?"],
  [["-p", "5"], "There is no flag -p"],
  [["now"], 'Unexpected argument "now"'],
  [["--port", "abc"], '--port must be a whole number from 0 to 65535, not "abc"'],
  [["--port", "65536"], '--port must be a whole number from 0 to 65535, not "65536"'],
  [["--port", "1", "--port", "2"], "--port is given twice"],
  [["--prev-port", "0"], '--prev-port must be a whole number from 1 to 65535, not "0"'],
  [["--ip", "0.0.0.0"], "--ip 0.0.0.0 means every address of this machine"],
  [["--ip", "0"], "--ip 0 means every address of this machine"],
  [["--ip", "::"], "--ip :: means every address of this machine"],
  [["--ip", "[::]"], "--ip :: means every address of this machine"],
  [["--ip", "a/b"], '--ip must be an IP address or a host name, not "a/b"'],
  [["--advertise", "0.0.0.0"], "--advertise must be HOST or HOST:PORT"],
  [["--advertise", "a:70000"], "--advertise must be HOST or HOST:PORT"],
  [["--data", "d", "--memory"], "--data and --memory cannot be given together"],
  [["--min-copies", "0"], "--min-copies must be a whole number from 1 to 512"],
  [["--check-interval", "1"], "--check-interval must be a time from 200ms to 1m"],
  [["--check-interval", "2m"], "--check-interval must be a time from 200ms to 1m"],
  [["--http-port", "65536"], '--http-port must be a whole number from 0 to 65535, not "65536"'],
  [["--no-http", "--spa"], "--no-http and --spa cannot be given together"],
  [["--no-http", "--http-port", "1"], "--no-http and --http-port cannot be given together"],
  [["--no-http", "--ring-http-port", "1"], "--no-http and --ring-http-port cannot be given"],
  [["--cache-control", "a\r\nb"], "--cache-control must be visible ASCII characters"],
  [["--cors", "example.com"], "--cors must be * or an origin such as https://example.com"],
  [["--cors", "https://a.example/x"], "--cors must be * or an origin"],
  [["--max-file", "big"], '--max-file must be a size, such as 500MB, 1GiB or 1048576, not "big"'],
  [["--ip", "10.0.0.1"], "At 10.0.0.1 others than this machine could read, write and join"],
  [["--ip", "1270.0.0.1"], "add --insecure"],
  [["--ip", "fd00::1"], "ring secret > ring.secret"],
  [["--http-ip", "192.168.1.1"], "At 192.168.1.1 others than this machine"],
  [["--advertise", "a.example"], "At a.example others than this machine"],
  [["--advertise", "10.0.0.1:5"], "At 10.0.0.1:5 others than this machine"],
  [["--private"], "--private needs --secret-file FILE"],
  [["--tls-cert", "c"], "--tls-cert and --tls-key go together"],
  [["--tls-key", "k"], "--tls-cert and --tls-key go together"],
  [["--tls-ca", "a"], "--tls-ca needs --tls-cert FILE and --tls-key FILE"],
  [["--log-format", "xml"], '--log-format must be text or json, not "xml"'],
];
for (const [args, message] of mistakes) {
  Deno.test(`ring server ${args.join(" ")} is refused: ${message}`, () => {
    assertThrows(() => parseServerCommand(args), UsageError, message);
  });
}

const previous: [string[], string, string | undefined][] = [
  [[], "127.0.1.1", undefined],
  [["--prev-port", "4044"], "127.0.1.1", "127.0.1.1:4044"],
  [["--prev-port", "4044"], "127.0.0.1", "127.0.0.1:4044"],
  [["--prev-port", "4044"], "0.0.0.0", "127.0.0.1:4044"],
  [["--prev-port", "4044"], "::", "[::1]:4044"],
  [["--prev-ip", "10.0.0.2"], "10.0.0.1", "10.0.0.2:4043"],
  [["--prev-ip", "fd00::2", "--prev-port", "5"], "fd00::1", "[fd00::2]:5"],
];
for (const [args, ip, address] of previous) {
  Deno.test(`on ${ip} the previous server of "${args.join(" ")}" is ${address}`, () => {
    assertEquals(optionsOf(args, ip).previous, address);
  });
}

Deno.test("data are in a folder named after the port, where told, or in memory", () => {
  assertEquals(optionsOf([]).dataDirectory?.(4044), "ring-data/4044");
  assertEquals(optionsOf(["--data", "d"]).dataDirectory?.(4044), "d");
  assertEquals(optionsOf(["--memory"]).dataDirectory, undefined);
});

Deno.test("without --port the server chooses one", () => {
  assert(!("port" in optionsOf([])));
  assertEquals(optionsOf(["--port", "0"]).port, 0);
});

function optionsOf(args: readonly string[], ip = "127.0.1.1") {
  const command = parseServerCommand(args);
  assert(command.type === "serve");
  return serverOptions(command, ip);
}
