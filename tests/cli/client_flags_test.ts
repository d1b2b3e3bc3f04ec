import { assertEquals, assertThrows } from "@std/assert";
import { type ClientAction, parseClientCommand } from "../../lib/cli/client_flags.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";

const defaults = {
  type: "ask",
  addresses: ["127.0.1.1:4043", "127.0.0.1:4043"],
  timeoutMs: 10_000,
  json: false,
  verbose: false,
};

const actions: [string[], ClientAction][] = [
  [["--put", "a"], { type: "put", paths: ["a"] }],
  [["-put", "a"], { type: "put", paths: ["a"] }],
  [["--put", "a", "b/"], { type: "put", paths: ["a", "b/"] }],
  [["--put=a", "b"], { type: "put", paths: ["a", "b"] }],
  [["--put", "a", "--put", "b"], { type: "put", paths: ["a", "b"] }],
  [["--put", "--", "-a", "--b"], { type: "put", paths: ["-a", "--b"] }],
  [["--put", "1", "2"], { type: "put", paths: ["1", "2"] }],
  [["--put", "a", "--as", "b"], { type: "put", paths: ["a"], name: "b" }],
  [["--put", "-", "--as", "b"], { type: "put", paths: ["-"], name: "b" }],
  [["--as", "b", "--put", "-"], { type: "put", paths: ["-"], name: "b" }],
  [["--get", "a"], { type: "get", name: "a" }],
  [["-get", "a"], { type: "get", name: "a" }],
  [["--get=a"], { type: "get", name: "a" }],
  [["-get=a=b"], { type: "get", name: "a=b" }],
  [["--get=-a"], { type: "get", name: "-a" }],
  [["--get", "__proto__"], { type: "get", name: "__proto__" }],
  [["--get", "a b/ü"], { type: "get", name: "a b/ü" }],
  [["--get", "a", "-o", "b"], { type: "get", name: "a", output: "b" }],
  [["--get", "a", "--output=b"], { type: "get", name: "a", output: "b" }],
  [["--get", "a", "-o", "-"], { type: "get", name: "a" }],
  [["--delete", "a"], { type: "delete", name: "a" }],
  [["-delete", "a"], { type: "delete", name: "a" }],
  [["--list"], { type: "list", prefix: "" }],
  [["--list", "css/"], { type: "list", prefix: "css/" }],
  [["--list", "true"], { type: "list", prefix: "true" }],
  [["--list="], { type: "list", prefix: "" }],
  [["--status"], { type: "status" }],
  [["--verify"], { type: "verify" }],
  [["-verify"], { type: "verify" }],
  [["--gc"], { type: "gc" }],
];
for (const [args, action] of actions) {
  Deno.test(`ring client ${args.join(" ")} is to ${action.type}`, () => {
    assertEquals<unknown>(parseClientCommand(args), { ...defaults, action });
  });
}

const settings: [string[], Record<string, unknown>][] = [
  [["-p", "5"], { addresses: ["127.0.1.1:5", "127.0.0.1:5"] }],
  [["-p5"], { addresses: ["127.0.1.1:5", "127.0.0.1:5"] }],
  [["-port", "5"], { addresses: ["127.0.1.1:5", "127.0.0.1:5"] }],
  [["-i", "10.0.0.1"], { addresses: ["10.0.0.1:4043"] }],
  [["--ip=::1", "--port=7"], { addresses: ["[::1]:7"] }],
  [["-i", "[::1]"], { addresses: ["[::1]:4043"] }],
  [["-i", "localhost"], { addresses: ["localhost:4043"] }],
  [["--timeout", "500ms"], { timeoutMs: 500 }],
  [["--json", "-v"], { json: true, verbose: true }],
  [["-vp", "5"], { verbose: true, addresses: ["127.0.1.1:5", "127.0.0.1:5"] }],
  [["-v", "-v"], { verbose: true }],
];
for (const [args, expected] of settings) {
  Deno.test(`ring client --status ${args.join(" ")} is understood`, () => {
    const action = { type: "status" };
    assertEquals<unknown>(parseClientCommand(["--status", ...args]), {
      ...defaults,
      action,
      ...expected,
    });
  });
}

Deno.test("a word after a switch is not its value", () => {
  const command = parseClientCommand(["--put", "a", "--json", "true"]);
  const action = { type: "put", paths: ["a", "true"] };
  assertEquals<unknown>(command, { ...defaults, action, json: true });
});

for (const args of [["--help"], ["-h"], ["-help"], ["--get", "--help"], ["--nonsense", "-h"]]) {
  Deno.test(`ring client ${args.join(" ")} is to help`, () => {
    assertEquals<unknown>(parseClientCommand(args), { type: "help" });
  });
}

const mistakes: [string[], string][] = [
  [[], "Say what to do: --put, --get, --delete, --list, --status"],
  [["--gte", "a"], "There is no flag --gte; did you mean --get?"],
  [["--list", "--prot=5"], "There is no flag --prot; did you mean --port?"],
  [["-x", "--list"], "There is no flag -x"],
  [["--no-json", "--list"], "There is no flag --no-json; did you mean --json?"],
  [["--__proto__", "--list"], "There is no flag --__proto__"],
  [["--constructor=5", "--list"], "There is no flag --constructor"],
  [["--json.x", "--list"], "There is no flag --json.x; did you mean --json?"],
  [["list"], 'Unexpected argument "list"; did you mean --list?'],
  [["--get", "a", "b"], 'Unexpected argument "b"'],
  [["--get"], "--get needs a value"],
  [["--get", ""], "--get needs a value"],
  [["--get", "-a"], "--get needs a value (one that begins with a dash is written --get=NAME)"],
  [["--put"], "--put needs a value"],
  [["--list", "-p"], "--port needs a value"],
  [["--list", "-p", "-5"], "--port needs a value"],
  [["--list", "-p", "1", "-p", "2"], "--port is given twice"],
  [["--list", "a", "--list", "b"], "--list is given twice"],
  [["--list", "--json=yes"], "--json takes no value"],
  [["--list", "-p", "0"], '--port must be a whole number from 1 to 65535, not "0"'],
  [["--list", "-p", "65536"], '--port must be a whole number from 1 to 65535, not "65536"'],
  [["--list", "-p", "abc"], '--port must be a whole number from 1 to 65535, not "abc"'],
  [["--list", "-p", "1.5"], '--port must be a whole number from 1 to 65535, not "1.5"'],
  [["--list", "-p", "1e3"], '--port must be a whole number from 1 to 65535, not "1e3"'],
  [["--list", "-i", "a b"], '--ip must be an IP address or a host name, not "a b"'],
  [["--list", "-i", "1.1.1.1:5"], '--ip must be an IP address or a host name, not "1.1.1.1:5"'],
  [["--list", "--timeout", "5"], "--timeout must be a time from 1ms to 60m, such as"],
  [["--list", "--timeout", "0s"], "--timeout must be a time from 1ms to 60m, such as"],
  [["--get", "a", "--put", "b"], "--put and --get cannot be given together"],
  [["--status", "--list"], "--list and --status cannot be given together"],
  [["--verify", "--gc"], "--verify and --gc cannot be given together"],
  [["--gc", "--delete", "a"], "--delete and --gc cannot be given together"],
  [["--verify", "a"], 'Unexpected argument "a"'],
  [["--gc=yes"], "--gc takes no value"],
  [["--verfiy"], "There is no flag --verfiy; did you mean --verify?"],
  [["--verify", "-o", "b"], "--output goes with --get, not with --verify"],
  [["--gc", "--as", "b"], "--as goes with --put, not with --gc"],
  [["--list", "--as", "a"], "--as goes with --put, not with --list"],
  [["--put", "a", "-o", "b"], "--output goes with --get, not with --put"],
  [["--put", "a", "b", "--as", "c"], "--as names one file, and 2 are given"],
  [["--put", "-"], "--put - reads stdin, and needs --as NAME"],
  [["--put", "a", "--as", "../b"], 'Cannot use the name "../b"'],
  [["--get", "a//b"], 'Cannot use the name "a//b"'],
  [["--delete", "/a"], 'Cannot use the name "/a"'],
  [["--get", "a", "--json"], "--json with --get needs -o FILE"],
  [["--get", "a", "--json", "-o", "-"], "--json with --get needs -o FILE"],
];
for (const [args, message] of mistakes) {
  Deno.test(`ring client ${args.join(" ")} is refused: ${message}`, () => {
    const error = assertThrows(() => parseClientCommand(args), UsageError, message);
    assertEquals(error instanceof UsageError && error.command, "ring client");
  });
}
