/**
 * File answers: a file, as a GET or a HEAD asks for it.
 *
 * In the order of RFC 9110, section 13.2.2: conditions first, then ranges, then the form that the client
 * takes. Ranges are of the file as it is, never of a compressed form.
 */
import type { BodyRange } from "../storage/store.ts";
import type { Backend } from "./backend.ts";
import { BodyCache } from "./body_cache.ts";
import { codings } from "./coding.ts";
import { isConditional, isRangeCurrent, judge, matchedEtag } from "./conditional.ts";
import { ContentSelector, type Forms } from "./content.ts";
import type { ServedFile } from "./file_cache.ts";
import type { FileFinder } from "./file_finder.ts";
import { Parts } from "./parts.ts";
import { sendProblem } from "./problem.ts";
import { formatContentRange, parseRange, type RangeVerdict } from "./ranges.ts";
import { codedEtag, notModifiedHeader, withoutFields } from "./representation.ts";
import { type Exchange, type Outgoing, sendBody } from "./send_body.ts";

/** What {@linkcode FileAnswer} is made of. */
export interface FileAnswerOptions {
  readonly backend: Backend;
  readonly finder: FileFinder;
  readonly cacheControl: string;
}

/** Answers with files. */
export class FileAnswer {
  readonly #backend: Backend;
  readonly #finder: FileFinder;
  readonly #selector: ContentSelector;
  readonly #bodies = new BodyCache();

  constructor({ backend, finder, cacheControl }: FileAnswerOptions) {
    this.#backend = backend;
    this.#finder = finder;
    this.#selector = new ContentSelector(backend, cacheControl);
  }

  /** Answers a GET with a file that is in memory, if it asks for that and nothing else. */
  sendAtOnce({ request, response }: Exchange, { identity, bytes }: ServedFile): boolean {
    const { headers } = request;
    const codings = headers["accept-encoding"];
    // Without a weight nothing is refused, and so not the file as it is.
    const isAsItIs = codings === undefined || !(identity.isCompressible || codings.includes("="));
    const isPlain = isAsItIs && headers.range === undefined && !isConditional(headers);
    if (!isPlain || bytes === undefined) return false;
    response.writeHead(200, identity.header);
    response.end(bytes);
    return true;
  }

  /** Answers with a file, and closes it. If its body is lost here, it is had from elsewhere. */
  async send(exchange: Exchange, file: ServedFile): Promise<void> {
    if (await this.#sendFrom(exchange, file)) return;
    const found = await this.#finder.findElsewhere(file.record.name);
    if (found.outcome === "found" && await this.#sendFrom(exchange, found.file)) return;
    const { status, detail } = found.outcome === "failed"
      ? found
      : { status: 503, detail: "The body of this file is missing; try again" };
    sendProblem(exchange.request, exchange.response, { status, detail });
  }

  /** Answers with a file under another status, whatever is asked: with a `404.html`. */
  async sendAs(status: number, exchange: Exchange, file: ServedFile): Promise<boolean> {
    try {
      const { contentType, size } = file.identity;
      const header = [
        ...["Content-Type", contentType, "Content-Length", String(size)],
        ...["Cache-Control", "no-cache", "X-Content-Type-Options", "nosniff"],
      ];
      return await this.#sendBody(exchange, { status, header, source: file });
    } finally {
      file.reader?.close();
    }
  }

  /** Closes the file; `false`, and nothing was sent, if its body is lost. */
  async #sendFrom(exchange: Exchange, file: ServedFile): Promise<boolean> {
    const isCoded = file.identity.isCompressible &&
      exchange.request.headers["accept-encoding"] !== undefined;
    let forms: Forms = { file, sidecars: {} };
    try {
      if (isCoded) forms = { file, sidecars: await this.#finder.findSidecars(file) };
      return await this.#answer(exchange, forms);
    } finally {
      file.reader?.close();
      for (const coding of codings) forms.sidecars[coding]?.reader?.close();
    }
  }

  async #answer(
    exchange: Exchange,
    forms: Forms,
  ): Promise<boolean> {
    const { request } = exchange;
    if (isConditional(request.headers) && await this.#answerCondition(exchange, forms)) return true;
    if (request.headers.range !== undefined && request.method === "GET") {
      return await this.#answerRange(exchange, forms.file);
    }
    const content = await this.#selector.select(request, forms);
    if (content !== undefined) {
      const { representation: { header }, source } = content;
      return await this.#sendBody(exchange, { status: 200, header, source });
    }
    sendNotAcceptable(exchange);
    return true;
  }

  /** Answers a request whose conditions do not let it be done; `false` if they do. */
  async #answerCondition(
    exchange: Exchange,
    forms: Forms,
  ): Promise<boolean> {
    const { request, response } = exchange;
    const { file: { record, identity }, sidecars } = forms;
    const etags = [
      identity.etag,
      ...codings.map((coding) => codedEtag(sidecars[coding]?.record ?? record, coding)),
    ];
    const current = { etags, modified: identity.modified };
    const verdict = judge(request.headers, { current, isRead: true });
    if (verdict === "proceed") return false;
    if (verdict === "failed") {
      sendProblem(request, response, { status: 412, detail: "The file is another one by now" });
      return true;
    }
    const { representation = identity } = await this.#selector.select(request, forms) ?? {};
    const etag = matchedEtag(request.headers["if-none-match"], etags) ?? representation.etag;
    response.writeHead(304, notModifiedHeader(representation, etag));
    response.end();
    return true;
  }

  async #answerRange(exchange: Exchange, file: ServedFile): Promise<boolean> {
    const { request, response } = exchange;
    const { identity } = file;
    const { size, header } = identity;
    const isCurrent = isRangeCurrent(request.headers["if-range"], identity);
    const verdict: RangeVerdict = isCurrent
      ? parseRange(request.headers.range ?? "", size)
      : { type: "whole" };
    switch (verdict.type) {
      case "whole":
        return await this.#sendBody(exchange, { status: 200, header, source: file });
      case "unsatisfiable": {
        const headers = { "Content-Range": `bytes */${size}`, "Accept-Ranges": "bytes" };
        const detail = `The file has ${size} bytes`;
        sendProblem(request, response, { status: 416, detail, headers });
        return true;
      }
      case "parts":
        return await this.#sendParts(exchange, file, verdict.parts);
    }
  }

  async #sendParts(
    exchange: Exchange,
    file: ServedFile,
    parts: readonly BodyRange[],
  ): Promise<boolean> {
    const { identity } = file;
    const [first] = parts;
    if (first !== undefined && parts.length === 1) {
      const header = [
        ...withoutFields(identity.header, ["Content-Length"]),
        ...["Content-Length", String(first.end - first.start)],
        ...["Content-Range", formatContentRange(first, identity.size)],
      ];
      return await this.#sendBody(exchange, { status: 206, header, source: file, range: first });
    }
    const several = new Parts(parts, identity);
    const header = [
      ...withoutFields(identity.header, ["Content-Type", "Content-Length"]),
      ...["Content-Type", several.contentType, "Content-Length", String(several.size)],
    ];
    return await this.#sendBody(exchange, { status: 206, header, source: file, parts: several });
  }

  async #sendBody(exchange: Exchange, outgoing: Outgoing): Promise<boolean> {
    const whole = await this.#lend(exchange, outgoing);
    if (whole === undefined) return await sendBody(exchange, outgoing, this.#backend);
    const { response } = exchange;
    const giveBack = () => this.#bodies.giveBack(whole.length);
    if (response.closed) giveBack();
    else response.once("close", giveBack);
    response.writeHead(outgoing.status, outgoing.header);
    response.end(whole);
    return true;
  }

  /** The body of an answer if all of it is to be sent, and it is one that is kept in memory. */
  async #lend(
    { request }: Exchange,
    { source, range, parts }: Outgoing,
  ): Promise<Uint8Array | undefined> {
    const isWhole = request.method === "GET" && range === undefined && parts === undefined;
    const isOnDisk = "record" in source && source.bytes === undefined &&
      source.reader === undefined;
    if (!isWhole || !isOnDisk) return undefined;
    const { record } = source;
    return await this.#bodies.lend(record, () => this.#backend.openBody(record.sha256));
  }
}

/** A client that takes no form of a file that there is (RFC 9110, section 15.5.7). */
function sendNotAcceptable({ request, response }: Exchange): void {
  const detail = "This file is not to be had in any of the codings that are accepted";
  sendProblem(request, response, { status: 406, detail, headers: { "Vary": "Accept-Encoding" } });
}
