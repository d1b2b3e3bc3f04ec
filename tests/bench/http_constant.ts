/**
 * A server on the HTTP implementation of the web front that answers with the same bytes whatever is asked:
 * what a rate is when nothing is looked up.
 *
 * As a program it listens on the address in its first argument, at any port, which it prints; the second
 * argument is its answer, as JSON.
 */
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

/** What is answered, with status 200. */
export interface ConstantAnswer {
  /** Names and values in turn, without the fields that the implementation adds by itself. */
  readonly header: readonly string[];
  readonly bodyBytes: number;
}

/** The program, running. */
export class ConstantServer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, readonly url: string) {
    this.#child = child;
  }

  static async start(ip: string, answer: ConstantAnswer): Promise<ConstantServer> {
    const program = fileURLToPath(import.meta.url);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-net", program, ip, JSON.stringify(answer)],
      stdout: "piped",
    }).spawn();
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      return new ConstantServer(child, `http://${ip}:${text.trim()}/`);
    }
    throw new Error("The constant server ended before it listened");
  }

  get pid(): number {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

function serve(ip: string, { header, bodyBytes }: ConstantAnswer): void {
  const body = new Uint8Array(bodyBytes);
  const fields = [...header];
  const server = createServer((_request, response) => {
    response.writeHead(200, fields);
    response.end(body);
  });
  server.listen({ host: ip, port: 0 }, () => {
    const address = server.address();
    if (address !== null && typeof address === "object") console.log(address.port);
  });
}

if (import.meta.main) {
  const [ip = "", answer = ""] = Deno.args;
  serve(ip, JSON.parse(answer));
}
