/** nginx with files of a directory: one worker, defaults otherwise. */
import { join } from "node:path";
import type { Machine } from "../../e2e/ring_process.ts";
import { freePort, PeerProcess } from "./peer_process.ts";

/** Serves `root`, and returns where, and by which process, which the caller disposes of. */
export async function startNginx(
  machine: Machine,
  root: string,
): Promise<{ readonly url: string; readonly process: PeerProcess }> {
  const port = freePort(machine.ip);
  const prefix = machine.path("nginx");
  await Deno.mkdir(prefix);
  const text = configuration(`${machine.ip}:${port}`, root);
  await Deno.writeTextFile(join(prefix, "nginx.conf"), text);
  const args = ["-p", prefix, "-e", "stderr", "-c", "nginx.conf"];
  const options = { cwd: prefix, args, ip: machine.ip, port };
  const process = await PeerProcess.listening("nginx", options);
  return { url: `http://${machine.ip}:${port}/`, process };
}

/**
 * No daemon, and the worker in the process that is started, so that its time can be read. The user is
 * named, as only root could change it. Connections are kept for as many requests as there are: each
 * thousand, as by default, would be a cost that the others do not have.
 */
function configuration(address: string, root: string): string {
  return `
daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  keepalive_requests 1000000000;
  server {
    listen ${address};
    root ${root};
  }
}
`;
}
