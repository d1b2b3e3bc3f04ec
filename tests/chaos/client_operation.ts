/** One operation of a client: asked for, judged by how it ended, and noted. */
import { createHash } from "node:crypto";
import type { RingClient } from "../../lib/client/client.ts";
import { RingError } from "../../lib/client/ring_error.ts";
import type { FileAnswer } from "../../lib/ring/request.ts";
import type { History, Operation, Outcome } from "./history.ts";

/** What to ask for. */
export interface Asked extends Pick<Operation, "type" | "name"> {
  /** Of a PUT. */
  readonly body?: Uint8Array | undefined;
}

/** Whom to ask, and where to note what came of it. */
export interface OperationScene {
  readonly server: { readonly index: number };
  readonly connect: () => Promise<RingClient>;
  readonly history: History;
}

/** Asks, and adds what came of it to the history. */
export async function perform(
  asked: Asked,
  { server, connect, history }: OperationScene,
): Promise<Operation> {
  const { type, name, body } = asked;
  const sent = body === undefined ? {} : { sha256: hashOf(body) };
  if (sent.sha256 !== undefined) history.beginPut(name, sent.sha256);
  if (type === "DELETE") history.beginDelete(name);
  const start = performance.now();
  let result: Result;
  try {
    result = { outcome: "done", ...await ask(await connect(), asked) };
  } catch (error) {
    result = failureOf(error, type);
  }
  const end = performance.now();
  const operation = { type, name, server: server.index, start, ...sent, ...result, end };
  history.add(operation);
  return operation;
}

type Result = Pick<Operation, "outcome" | "sha256" | "stamp" | "copies" | "error">;

async function ask(
  client: RingClient,
  { type, name, body }: Asked,
): Promise<Omit<Result, "outcome">> {
  if (type === "GET") {
    const { answer, body } = await client.get(name);
    const hash = createHash("sha256");
    for await (const chunk of body) hash.update(chunk);
    return { ...stampOf(answer), sha256: hash.digest("hex") };
  }
  const answer = body === undefined
    ? await client.delete(name)
    : await client.put(name, { size: body.length, body });
  return { ...stampOf(answer), ...(answer.copies === undefined ? {} : { copies: answer.copies }) };
}

function stampOf({ stamp }: FileAnswer): { stamp?: string } {
  return stamp === undefined ? {} : { stamp };
}

/** What an operation that threw came to. */
function failureOf(error: unknown, type: Asked["type"]): Result {
  if (!(error instanceof RingError)) throw error;
  return { outcome: outcomeOf(error, type), error: error.message };
}

function outcomeOf({ kind, message }: RingError, type: Asked["type"]): Outcome {
  switch (kind) {
    case "notFound":
      return "notFound";
    case "unavailable":
      return "refused";
    case "unknown":
      return "unknown";
    case "failed":
      // No room (507) is an answer that a GET may have too, when it brings a file here.
      if (/no room|cannot get/i.test(message)) return "refused";
      return type === "GET" ? "broken" : "refused";
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
