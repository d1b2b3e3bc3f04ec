/** The fixture of the tests of connections: two of them, or one that receives certain bytes. */
import { FrameConnection } from "../../lib/protocol/connection.ts";
import { bytesOf } from "./bytes.ts";
import { memoryPair } from "./memory_stream.ts";
import type { PipeOptions } from "./memory_stream.ts";

/** Two connections, one at each end, and the streams below them. */
export function connect(options: PipeOptions = {}) {
  const [near, far] = memoryPair(options);
  return { a: new FrameConnection(near), b: new FrameConnection(far), near, far };
}

/** A connection that receives these bytes, and then the end. */
export async function receiving(
  bytes: Uint8Array,
  options: PipeOptions = {},
): Promise<FrameConnection> {
  const [near, far] = memoryPair(options);
  await far.write(bytes);
  await far.closeWrite();
  return new FrameConnection(near);
}

export async function* inChunks(
  ...chunks: readonly (string | Uint8Array)[]
): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(bytesOf(chunk));
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

/** Whether a promise is settled by now. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const waiting = Symbol();
  const first = await Promise.race([promise, Promise.resolve(waiting)]).catch(() => undefined);
  return first !== waiting;
}
