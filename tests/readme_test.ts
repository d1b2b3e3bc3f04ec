/** What the README shows is what there is. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { helpText } from "../lib/cli/help.ts";
import { RingClient } from "../lib/client/client.ts";
import { Credentials } from "../lib/protocol/credentials.ts";
import { parseAddress } from "../lib/ring/address.ts";
import { startServer } from "../lib/server/server.ts";
import { needsProgram } from "./e2e/web_front.ts";
import { eventually } from "./eventually.ts";
import { needs } from "./permission.ts";
import { needsOpenssl } from "./tls/authority.ts";

const root = new URL("../", import.meta.url);
const readme = new URL("README.md", root);

for (const command of ["server", "client"] as const) {
  Deno.test({
    name: `the README shows the help of ring ${command} as it is`,
    ...needs("read"),
    async fn() {
      const shown = codeBlocks(await Deno.readTextFile(readme), "text");
      assert(shown.includes(helpText(command)), `it should hold:\n${helpText(command)}`);
    },
  });
}

Deno.test({
  name: "the README's Python client puts a file at one server and gets it from another",
  ignore: needs("read", "net", "run").ignore || needsProgram("python3").ignore,
  async fn() {
    const [program = ""] = codeBlocks(await Deno.readTextFile(readme), "python");
    const ip = "127.0.0.1";
    await using first = stopping(await startServer({ ip, port: 0 }));
    await using second = stopping(await startServer({ ip, port: 0, previous: first.address }));
    const { stdout, stderr } = await new Deno.Command("python3", {
      args: ["-c", withAddresses(program, [first.address, second.address])],
    }).output();
    const text = new TextDecoder();
    assertEquals(text.decode(stderr), "");
    assertEquals(text.decode(stdout), "2\nb'Hello, ring'\n");
  },
});

Deno.test({
  name: "curl prints what the README says, but for what is left out there",
  ignore: needs("read", "net", "run").ignore || needsProgram("curl").ignore,
  async fn() {
    const ip = "127.0.0.1";
    await using first = stopping(await startServer({ ip, port: 0, web: {} }));
    const others = { ip, port: 0, previous: first.address, web: {} };
    await using second = stopping(await startServer(others));
    await using third = stopping(await startServer(others));
    const webs = [first, second, third].map(({ web = "" }) => web);
    const session = codeBlocks(await Deno.readTextFile(readme), "console")
      .find((block) => block.startsWith("$ curl")) ?? "";
    const examples = session.split(/^\$ /m).slice(1);
    assertEquals(examples.length, 3);
    for (const example of examples) {
      const [command = "", ...shown] = example.trimEnd().split("\n");
      assertMatch(await runShell(withWebs(command, webs)), patternOf(shown), command);
    }
  },
});

Deno.test({
  name: "a ring takes the certificates that are made as the README says",
  ...needsOpenssl,
  async fn() {
    const block = codeBlocks(await Deno.readTextFile(readme), "sh")
      .find((block) => block.includes("openssl")) ?? "";
    const [commands = ""] = block.split("./ring");
    const directory = await Deno.makeTempDir({ prefix: "ring-readme-" });
    try {
      const ip = "127.0.0.1";
      await runShell(commands.replaceAll("10.0.0.1", ip), directory);
      const read = (name: string) => Deno.readTextFile(`${directory}/${name}`);
      const credentials = new Credentials({
        certificate: await read("ring.pem"),
        key: await read("ring.key"),
        authority: await read("ca.pem"),
      });
      await using first = stopping(await startServer({ ip, port: 0, credentials }));
      const previous = first.address;
      await using second = stopping(await startServer({ ip, port: 0, credentials, previous }));
      await eventually(async () => {
        const client = await RingClient.connect(second.address, { timeoutMs: 10_000, credentials });
        const { members } = await client.status();
        client.close();
        return members.filter(({ status }) => status === "alive").length === 2;
      });
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

for (const page of ["README.md", "lib/ring/DESIGN.md"]) {
  Deno.test({
    name: `every file that ${page} points to is there`,
    ...needs("read"),
    async fn() {
      const text = await Deno.readTextFile(new URL(page, root));
      const linked = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)].map(([, path]) =>
        new URL(path ?? "", new URL(page, root))
      );
      const named = [...text.matchAll(/`((?:lib|tests)\/[\w./]+)`/g)].map(([, path]) =>
        new URL(path ?? "", root)
      );
      assert(linked.length + named.length > 10);
      for (const file of [...linked, ...named]) await Deno.stat(file);
    },
  });
}

/** The blocks of one language. */
function codeBlocks(markdown: string, language: string): string[] {
  const fenced = new RegExp("^```" + language + "\\n(.*?)^```$", "gms");
  return [...markdown.matchAll(fenced)].map((match) => match[1] ?? "");
}

/** The program, asking servers of ours instead of those that the reader has started. */
function withAddresses(program: string, addresses: readonly string[]): string {
  return addresses.reduce((text, address, index) => {
    const { host, port } = parseAddress(address) ?? { host: "", port: 0 };
    return text.replaceAll(`("127.0.1.1", ${4043 + index})`, `("${host}", ${port})`);
  }, program);
}

/** The same for the web fronts. */
function withWebs(command: string, webs: readonly string[]): string {
  return webs.reduce(
    (text, web, index) => text.replaceAll(`http://127.0.1.1:${8043 + index}/`, web),
    command,
  );
}

async function runShell(command: string, cwd = fileURLToPath(root)): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", command], cwd }).output();
  return new TextDecoder().decode(stdout).replaceAll("\r", "");
}

/** What has these lines, and anything where there is an ellipsis. */
function patternOf(lines: readonly string[]): RegExp {
  const parts = lines.map((line) => line === "…" ? "(?:.*\\n)*?" : `${escape(line)}\\n`);
  return new RegExp(`^${parts.join("")}$`);
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function stopping<T extends { stop(): Promise<void> }>(server: T): T & AsyncDisposable {
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.stop() });
}
