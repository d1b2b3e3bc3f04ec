/** Receiving a large body: into the store as it arrives, or not at all. */
import type { Store } from "../storage/store.ts";

/**
 * Stores a body, and hands each chunk to `onChunk` meanwhile. When the source fails, or the store
 * does, nothing is left behind and the failure is thrown.
 */
export async function receiveBody(
  store: Store,
  chunks: AsyncIterable<Uint8Array>,
  onChunk: (chunk: Uint8Array) => Promise<void> = () => Promise.resolve(),
): Promise<{ sha256: string; size: number }> {
  const writer = store.createBody();
  try {
    for await (const chunk of chunks) await Promise.all([writer.write(chunk), onChunk(chunk)]);
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return await writer.commit();
}
