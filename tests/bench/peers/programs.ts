/** The programs that are compared with: which package has them, and which version is here. */
import { isInstalled } from "../../e2e/web_front.ts";

/** A program, and where it comes from. */
interface Program {
  /** Debian's. */
  readonly package: string;
  /** With these arguments it says its version. */
  readonly versionArgs: readonly string[];
}

const programs: ReadonlyMap<string, Program> = new Map([
  ["etcd", { package: "etcd-server", versionArgs: ["--version"] }],
  ["redis-server", { package: "redis-server", versionArgs: ["--version"] }],
  ["nginx", { package: "nginx-light", versionArgs: ["-v"] }],
  ["caddy", { package: "caddy", versionArgs: ["version"] }],
  ["serf", { package: "serf", versionArgs: ["--version"] }],
  ["wrk", { package: "wrk", versionArgs: ["--version"] }],
]);

/**
 * Installs those of `names` that are missing, where apt is and may; says so, and goes on without them
 * where it is not. Services that a package starts are the system's, and stay as they are.
 */
export async function installMissing(names: Iterable<string>): Promise<void> {
  const missing = [...names].filter((name) => !isInstalled(name)).map(packageOf);
  if (missing.length === 0 || Deno.uid() !== 0 || !isInstalled("apt-get")) return;
  console.error(`Installing ${missing.join(", ")} with apt-get.`);
  await runApt(["update", "-qq"]);
  for (const name of missing) {
    await runApt(["install", "-qq", "-y", "--no-install-recommends", name]);
  }
}

/** Why something with these programs cannot be measured; `undefined` if it can. */
export function reasonMissing(names: readonly string[]): string | undefined {
  const missing = names.filter((name) => !isInstalled(name)).map(packageOf);
  return missing.length === 0 ? undefined : `not installed (apt install ${missing.join(" ")})`;
}

/** What a program says of its version: the first number with dots. */
export async function versionOf(name: string): Promise<string> {
  const args = [...programs.get(name)?.versionArgs ?? []];
  const { stdout, stderr } = await new Deno.Command(name, { args }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  return /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? "of unknown version";
}

function packageOf(name: string): string {
  return programs.get(name)?.package ?? name;
}

async function runApt(args: readonly string[]): Promise<void> {
  const command = new Deno.Command("apt-get", {
    args: [...args],
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
  const { code, stderr } = await command.output();
  if (code === 0) return;
  console.error(`apt-get ${args.join(" ")} has failed: ${new TextDecoder().decode(stderr).trim()}`);
}
