/** A client of a server whose answers a test decides. */
import { createHash } from "node:crypto";
import { RingClient } from "../../lib/client/client.ts";
import { RingError } from "../../lib/client/ring_error.ts";
import type { FileAnswer } from "../../lib/ring/request.ts";
import { needs } from "../permission.ts";
import { answering, type Script, withServer } from "./fake_server.ts";

/** More than the client waits in a test that expects an answer. */
export const patient = { timeoutMs: 20_000 };
/** What the client waits in a test that expects none; no server takes that long by accident. */
export const hasty = { timeoutMs: 100 };

/** Declares a test that needs the network. */
export function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ...needs("net"), fn });
}

/** Gives `use` a client of a server that does as the script says. */
export async function withClient(
  script: Script,
  use: (client: RingClient) => Promise<void>,
  options = patient,
): Promise<void> {
  await withServer(script, async (address) => {
    const client = await RingClient.connect(address, options);
    try {
      await use(client);
    } finally {
      client.close();
    }
  });
}

/** Reads everything, and answers nothing. */
export const swallow: Script = async (connection) => {
  while (await connection.receive().catch(() => undefined) !== undefined) {
    await connection.skipBody().catch(() => {});
  }
};

/** A server whose every file has these bytes, and is said to have this hash. */
export function serving(body: Uint8Array, sha256: string): Script {
  return answering(({ item }) => [
    fileAnswer("GET", item, { status: 200, size: body.length, sha256 }),
    body,
  ]);
}

/** An answer about a file. */
export function fileAnswer(
  type: FileAnswer["type"],
  item: unknown,
  rest: Omit<FileAnswer, "type" | "item">,
): FileAnswer {
  return { type, item: String(item), ...rest };
}

/** The error that a request fails with. */
export async function failure(promise: Promise<unknown>): Promise<RingError> {
  const error = await promise.then(() => undefined, (error: unknown) => error);
  if (error instanceof RingError) return error;
  throw new Error(`A RingError was expected, and not ${error}`, { cause: error });
}

/** The whole of a file. */
export async function gather(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts = await Array.fromAsync(body);
  return new Uint8Array(await new Blob(parts.map((part) => new Uint8Array(part))).arrayBuffer());
}

/** A text in UTF-8. */
export function bytes(string: string): Uint8Array {
  return new TextEncoder().encode(string);
}

/** The text of some bytes. */
export function text(body: Uint8Array): string {
  return new TextDecoder().decode(body);
}

/** The SHA-256 of some bytes. */
export function hashOf(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}
