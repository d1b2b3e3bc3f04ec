/** Sending a long body: no faster than the client takes it. */
import type { ServerResponse } from "node:http";

/**
 * Writes chunks as the answer's body, and ends it. A client that goes away ends it as well; one that takes
 * nothing for long is sent away by the web server. What the source throws is thrown.
 */
export async function sendChunks(
  response: ServerResponse,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  for await (const chunk of chunks) {
    if (response.destroyed) return;
    if (!response.write(chunk) && !await hasDrained(response)) return;
  }
  response.end();
}

/** Waits until there is room for more; `false` if there never will be. */
function hasDrained(response: ServerResponse): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onDrain = () => settle(true);
    const onClose = () => settle(false);
    const settle = (isOpen: boolean) => {
      response.off("drain", onDrain).off("close", onClose);
      resolve(isOpen);
    };
    response.on("drain", onDrain).on("close", onClose);
  });
}
