/** Reads: what a GET or a HEAD of a name, or of a folder, is answered with. */
import { nameError } from "../protocol/name.ts";
import type { Backend } from "./backend.ts";
import { FileAnswer } from "./file_answer.ts";
import { FileFinder } from "./file_finder.ts";
import { afterOf, listFolder, sendListing } from "./listing.ts";
import { servePage } from "./page.ts";
import { redirect, sendProblem } from "./problem.ts";
import { cacheControlDefault } from "./representation.ts";
import { encodeName, type RequestTarget } from "./request_target.ts";
import type { Exchange } from "./send_body.ts";
import type { WebOptions } from "./web_options.ts";

/** What stands for a folder. */
const indexName = "index.html";

/** What stands for what is not there. */
const notFoundName = "404.html";

/** The target of a read. */
export type ReadTarget = Extract<RequestTarget, { type: "file" | "folder" }>;

/** Answers the reads of one web front. */
export class Reads {
  readonly #backend: Backend;
  readonly #options: WebOptions;
  readonly #finder: FileFinder;
  readonly #answer: FileAnswer;

  constructor(backend: Backend, options: WebOptions) {
    const cacheControl = cacheControlOf(options);
    this.#backend = backend;
    this.#options = options;
    this.#finder = new FileFinder(backend, cacheControl);
    this.#answer = new FileAnswer({ backend, finder: this.#finder, cacheControl });
  }

  /** Answers a GET of a name if that takes no waiting; `false`, and nothing is sent, if it does. */
  handleAtOnce(exchange: Exchange, name: string): boolean {
    const file = this.#finder.findHere(name);
    return file !== undefined && this.#answer.sendAtOnce(exchange, file);
  }

  /** Answers a read. */
  async handle(exchange: Exchange, target: ReadTarget): Promise<void> {
    const name = target.type === "file" ? target.name : target.prefix + indexName;
    const found = await this.#finder.find(name);
    switch (found.outcome) {
      case "found":
        return await this.#answer.send(exchange, found.file);
      case "failed":
        return sendProblem(exchange.request, exchange.response, found);
      case "absent":
        return await this.#answerAbsent(exchange, target);
    }
  }

  async #answerAbsent(exchange: Exchange, target: ReadTarget): Promise<void> {
    if (target.type === "file") {
      if (await this.#isFolder(target.name)) {
        // What is in it would be looked for beside it otherwise.
        return redirect(exchange.request, exchange.response, `${encodeName(target.name)}/`);
      }
    } else {
      if (this.#options.listing && await this.#list(exchange, target.prefix)) return;
      const hasPage = this.#options.ringHttpPort === undefined;
      if (target.prefix === "" && hasPage) return servePage(exchange.request, exchange.response);
    }
    if (this.#options.spa && await this.#sendApplication(exchange)) return;
    await this.#sendNotFound(exchange);
  }

  /** Whether there is something to be shown at this name with a slash. */
  async #isFolder(name: string): Promise<boolean> {
    if (nameError(`${name}/${indexName}`) !== undefined) return false;
    if (await this.#finder.exists(`${name}/${indexName}`)) return true;
    if (!this.#options.listing || !this.#backend.isCurrent) return false;
    return this.#backend.list({ prefix: `${name}/`, limit: 1, tombstones: false }).length > 0;
  }

  /** Whether there was anything to list, or that is unknown and was said so. */
  async #list(exchange: Exchange, prefix: string): Promise<boolean> {
    const { request, response } = exchange;
    if (!this.#backend.isCurrent) {
      const detail = "This server does not hold every file yet; ask another, or try again";
      sendProblem(request, response, { status: 503, detail });
      return true;
    }
    const after = afterOf(request);
    const listing = await listFolder(this.#backend, { prefix, after });
    if (listing.entries.length === 0 && prefix !== "" && after === "") return false;
    sendListing(exchange, listing, { prefix, after });
    return true;
  }

  /** An application that finds out in the browser what a path means. */
  async #sendApplication(exchange: Exchange): Promise<boolean> {
    const found = await this.#finder.findBeside(indexName);
    if (found.outcome === "found") await this.#answer.send(exchange, found.file);
    return found.outcome === "found";
  }

  async #sendNotFound(exchange: Exchange): Promise<void> {
    const found = await this.#finder.findBeside(notFoundName);
    if (found.outcome === "found" && await this.#answer.sendAs(404, exchange, found.file)) return;
    const detail = "There is no such file in the ring";
    sendProblem(exchange.request, exchange.response, { status: 404, detail });
  }
}

/** What `Cache-Control` says; a cache that serves others keeps nothing that takes the secret (RFC 9111). */
function cacheControlOf({ cacheControl = cacheControlDefault, isPrivate = false }: WebOptions) {
  const isKept = isPrivate && !/\b(private|no-store)\b/i.test(cacheControl);
  return isKept ? `private, ${cacheControl}` : cacheControl;
}
