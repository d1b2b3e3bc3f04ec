/** The web front of a real server, and the programs that ask it. */
import { needs } from "../permission.ts";
import type { ServerProcess } from "./ring_process.ts";

const reported = new Set<string>();

/**
 * Where a server has a file.
 *
 * @throws {Error} if it has not said where it serves HTTP.
 */
export function webUrl(server: ServerProcess, name: string): string {
  const line = server.lines.find((line) => line.startsWith("web "));
  if (line === undefined) throw new Error(`A server has no web front.\n${server.transcript}`);
  return line.slice("web ".length) + name;
}

/** The origin of a server's web front. */
export function webOrigin(server: ServerProcess): string {
  return new URL(webUrl(server, "")).origin;
}

/**
 * The origin of a server's page, where that has a port of its own.
 *
 * @throws {Error} if it has not said so.
 */
export function pageOrigin(server: ServerProcess): string {
  const line = server.lines.find((line) => line.startsWith("page "));
  if (line === undefined) {
    throw new Error(`A server has no port for its page.\n${server.transcript}`);
  }
  return new URL(line.slice("page ".length)).origin;
}

/**
 * Puts a file over HTTP, and returns its ETag.
 *
 * @throws {Error} if it is not stored.
 */
export async function putOverWeb(
  server: ServerProcess,
  name: string,
  body: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const response = await fetch(webUrl(server, name), { method: "PUT", body });
  const text = await response.text();
  const etag = response.headers.get("etag");
  if (response.ok && etag !== null) return etag;
  throw new Error(`Cannot put "${name}": ${response.status} ${text}`);
}

/** For the definition of a test: ignores it, and says why once, where a program is not installed. */
export function needsProgram(name: string): { ignore: boolean } {
  const { ignore } = needs("run");
  if (ignore || isInstalled(name)) return { ignore };
  if (!reported.has(name)) {
    console.info(`Tests with ${name} are ignored: it is not installed (apt install ${name}).`);
  }
  reported.add(name);
  return { ignore: true };
}

/** Whether a program can be run, however it ends: not all of them know `--version`. */
export function isInstalled(name: string): boolean {
  try {
    new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
