/** nginx as a caching reverse proxy in front of a ring, with the rights of whoever runs the test. */
import { join } from "node:path";
import { eventually } from "../eventually.ts";
import type { Machine, ServerProcess } from "./ring_process.ts";
import { webUrl } from "./web_front.ts";

/** A running nginx. */
export class Nginx implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #log: Promise<string>;
  #hasEnded = false;

  private constructor(child: Deno.ChildProcess, readonly url: string) {
    this.#child = child;
    this.#log = new Response(child.stderr).text();
    void child.status.then(() => this.#hasEnded = true);
  }

  /**
   * Starts it at a free port of the machine, in a directory of its own: `/` is cached, `/direct/` is
   * not. Requests go to each of `servers` in turn.
   */
  static async start(machine: Machine, servers: readonly ServerProcess[]): Promise<Nginx> {
    const address = `${machine.ip}:${freePort(machine.ip)}`;
    const prefix = machine.path("nginx");
    await Deno.mkdir(prefix);
    await Deno.writeTextFile(join(prefix, "nginx.conf"), configuration(address, servers));
    const child = new Deno.Command("nginx", {
      args: ["-p", prefix, "-e", "stderr", "-c", "nginx.conf"],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const nginx = new Nginx(child, `http://${address}/`);
    await nginx.#waitUntilListening();
    return nginx;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.#child.kill("SIGTERM");
    await Promise.all([this.#child.status, this.#log]);
  }

  async #waitUntilListening(): Promise<void> {
    const { hostname, port } = new URL(this.url);
    await eventually(async () => {
      if (this.#hasEnded) throw new Error(`nginx has ended: ${await this.#log}`);
      return await canConnect({ hostname, port: Number(port) });
    }, { what: "nginx" });
  }
}

/**
 * One process, which is not to be a daemon. How long an answer is fresh, the ring says; what is stale is
 * asked for with its validators.
 */
function configuration(address: string, servers: readonly ServerProcess[]): string {
  const upstream = servers.map((server) => `server ${new URL(webUrl(server, "")).host};`);
  return `
daemon off;
master_process off;
pid nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  proxy_cache_path cache keys_zone=ring:1m;
  upstream ring { ${upstream.join(" ")} }
  server {
    listen ${address};
    client_max_body_size 0;
    location / {
      proxy_pass http://ring;
      proxy_cache ring;
      proxy_cache_revalidate on;
      add_header X-Cache $upstream_cache_status always;
    }
    location /direct/ { proxy_pass http://ring/; }
  }
}
`;
}

/** A port that is free, and stays so: nobody else uses the machine's address. */
function freePort(hostname: string): number {
  using listener = Deno.listen({ hostname, port: 0 });
  return listener.addr.port;
}

async function canConnect(options: Deno.ConnectOptions): Promise<boolean> {
  try {
    (await Deno.connect(options)).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}
