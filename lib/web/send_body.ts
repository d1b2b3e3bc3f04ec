/** Sending an answer with a body, wherever the body is. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { BytesReader } from "../storage/body.ts";
import type { BodyRange, BodyReader } from "../storage/store.ts";
import type { Backend } from "./backend.ts";
import { sendChunks } from "./body_stream.ts";
import type { Source } from "./content.ts";
import type { Parts } from "./parts.ts";

/** A request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** An answer to be sent. */
export interface Outgoing {
  readonly status: number;
  /** Names and values in turn. */
  readonly header: string[];
  readonly source: Source;
  /** The part of the body to be sent; all of it if absent. */
  readonly range?: BodyRange;
  /** The parts to be sent, if there are several. */
  readonly parts?: Parts;
}

/** Sends an answer, without its body to a HEAD; `false`, and nothing is sent, if the body is lost. */
export async function sendBody(
  { request, response }: Exchange,
  outgoing: Outgoing,
  backend: Backend,
): Promise<boolean> {
  const { status, header, source, parts, range } = outgoing;
  if (request.method === "HEAD") {
    response.writeHead(status, header);
    response.end();
    return true;
  }
  if (source.bytes !== undefined && parts === undefined) {
    response.writeHead(status, header);
    response.end(source.bytes.subarray(range?.start, range?.end));
    return true;
  }
  const reader = openSource(source, backend);
  if (reader === undefined) return false;
  try {
    response.writeHead(status, header);
    await sendChunks(response, parts?.chunks(reader) ?? reader.chunks(range));
  } finally {
    // One that came with the file is closed with it.
    if (!("reader" in source)) reader.close();
  }
  return true;
}

function openSource(source: Source, backend: Backend): BodyReader | undefined {
  if (!("record" in source)) return new BytesReader(source.bytes);
  if (source.bytes !== undefined) return new BytesReader(source.bytes);
  return source.reader ?? backend.openBody(source.record.sha256);
}
