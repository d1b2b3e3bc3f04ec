/** A server of which a test decides what it answers. */
import { FrameConnection } from "../../lib/protocol/connection.ts";
import { encodeAnswer } from "../../lib/protocol/encode.ts";
import type { JsonObject } from "../../lib/protocol/frame.ts";
import { formatAddress } from "../../lib/ring/address.ts";
import type { ClientAnswer } from "../../lib/ring/request.ts";

/** What a test does with a connection; it is closed when that ends. */
export type Script = (connection: FrameConnection, conn: Deno.Conn) => Promise<void>;

/** Serves every connection by `script` while `use` runs, on a port that is free. */
export async function withServer(
  script: Script,
  use: (address: string) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<FrameConnection>();
  const scripts: Promise<void>[] = [];
  const serving = (async () => {
    for await (const conn of listener) {
      const connection = new FrameConnection(conn);
      open.add(connection);
      scripts.push(script(connection, conn).finally(() => connection.close()));
    }
  })();
  try {
    const { hostname: host, port } = listener.addr;
    await use(formatAddress({ host, port }));
  } finally {
    for (const connection of open) connection.close();
    listener.close();
    await serving;
    await Promise.all(scripts);
  }
}

/** A script that answers each request as `answer` says, until the client closes. */
export function answering(
  answer: (request: JsonObject, body: Uint8Array) => ClientAnswer | [ClientAnswer, Uint8Array],
): Script {
  return async (connection) => {
    for (;;) {
      const received = await connection.receive().catch(() => undefined);
      if (received === undefined) return;
      const result = answer(received.value, await connection.readBody(1 << 24));
      const [head, ...body] = Array.isArray(result) ? result : [result];
      await connection.send(encodeAnswer(head), ...body).catch(() => {});
    }
  };
}
