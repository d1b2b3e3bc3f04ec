/**
 * Writes in batches: each of some connections sends a batch at once, waits until all of it is
 * acknowledged, and sends the next.
 */

/** The most bytes that one read takes. */
const readBytesMax = 64 * 1024;

/** A connection that writes batches, in whatever protocol. */
export interface BatchWriter {
  /** Writes `count` values under names of its own choice, and waits until all are acknowledged. */
  write(count: number): Promise<void>;
  close(): void;
}

/** What to do. */
export interface BatchLoad {
  readonly connections: number;
  readonly batch: number;
  readonly seconds: number;
}

/** How many writes were acknowledged in a second. */
export async function runBatches(
  connect: () => Promise<BatchWriter>,
  { connections, batch, seconds }: BatchLoad,
): Promise<number> {
  const writers = await Promise.all(Array.from({ length: connections }, connect));
  const start = performance.now();
  const end = start + 1000 * seconds;
  let written = 0;
  await Promise.all(writers.map(async (writer) => {
    while (performance.now() < end) {
      await writer.write(batch);
      written += batch;
    }
  }));
  const rate = 1000 * written / (performance.now() - start);
  for (const writer of writers) writer.close();
  return rate;
}

/** Writes all bytes, and meanwhile reads until `isEnough` says so of what has come. */
export async function exchange(
  conn: Deno.Conn,
  bytes: Uint8Array,
  isEnough: (chunk: Uint8Array) => boolean,
): Promise<void> {
  await Promise.all([writeAll(conn, bytes), readUntil(conn, isEnough)]);
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length;) offset += await conn.write(bytes.subarray(offset));
}

async function readUntil(
  conn: Deno.Conn,
  isEnough: (chunk: Uint8Array) => boolean,
): Promise<void> {
  const buffer = new Uint8Array(readBytesMax);
  while (true) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error("A server has ended the connection");
    if (isEnough(buffer.subarray(0, count))) return;
  }
}
