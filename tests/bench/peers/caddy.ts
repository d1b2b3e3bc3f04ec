/** Caddy's `file_server` with files of a directory, defaults otherwise, without HTTPS. */
import type { Machine } from "../../e2e/ring_process.ts";
import { freePort, PeerProcess } from "./peer_process.ts";

/** How to start it. */
export interface CaddyOptions {
  readonly root: string;
  /** The most threads that run Go code at a time; as many as there are cores if absent. */
  readonly processors?: number;
}

/** Serves `root`, and returns where, and by which process, which the caller disposes of. */
export async function startCaddy(
  machine: Machine,
  { root, processors }: CaddyOptions,
): Promise<{ readonly url: string; readonly process: PeerProcess }> {
  const port = freePort(machine.ip);
  const directory = machine.path(`caddy-${port}`);
  await Deno.mkdir(directory);
  await Deno.writeTextFile(`${directory}/Caddyfile`, configuration(machine.ip, { port, root }));
  const limit = processors === undefined ? {} : { GOMAXPROCS: `${processors}` };
  const process = await PeerProcess.listening("caddy", {
    cwd: directory,
    args: ["run", "--config", "Caddyfile", "--adapter", "caddyfile"],
    // At home it would keep certificates, and the configuration it ran last.
    env: { HOME: directory, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory, ...limit },
    ip: machine.ip,
    port,
  });
  return { url: `http://${machine.ip}:${port}/`, process };
}

/** It writes no access log unless told to. */
function configuration(
  ip: string,
  { port, root }: { readonly port: number; readonly root: string },
): string {
  return `
{
  admin off
  auto_https off
}
http://${ip}:${port} {
  bind ${ip}
  root * ${root}
  file_server
}
`;
}
