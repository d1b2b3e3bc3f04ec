/** Where the bytes of a PUT come from: a file, or stdin, whose size is known only at its end. */
import { inlineBytesMax } from "../ring/file_record.ts";

/** The most bytes of stdin that are kept in memory; more go to a temporary file. */
const stdinMemoryMax = 1024 * 1024;

/** Bytes asked for at a time. */
const chunkBytes = 256 * 1024;

/** Bytes to put, and how many. Close it when they are sent, or not. */
export interface PutSource extends Disposable {
  readonly size: number;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

/** Opens a file; one that is small is read at once. */
export async function openFile(path: string): Promise<PutSource> {
  const file = await Deno.open(path);
  try {
    const { size } = await file.stat();
    if (size > inlineBytesMax) return fileSource(file, size);
    const body = await readUpTo(file, size);
    file.close();
    return { size: body.length, body, [Symbol.dispose]() {} };
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Reads stdin to its end. Up to 1 MiB stays in memory; more goes to a temporary file, which has lost its
 * name by the time it is written, so that nothing is left behind, whatever happens.
 */
export async function openStdin(): Promise<PutSource> {
  const start = await readUpTo(Deno.stdin, stdinMemoryMax + 1);
  if (start.length <= stdinMemoryMax) {
    return { size: start.length, body: start, [Symbol.dispose]() {} };
  }
  const path = await Deno.makeTempFile({ prefix: "ring-stdin-" });
  const file = await Deno.open(path, { read: true, write: true });
  try {
    await Deno.remove(path);
    let size = await writeAll(file, start);
    const buffer = new Uint8Array(chunkBytes);
    for (;;) {
      const count = await Deno.stdin.read(buffer);
      if (count === null) break;
      size += await writeAll(file, buffer.subarray(0, count));
    }
    await file.seek(0, Deno.SeekMode.Start);
    return fileSource(file, size);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Writes all bytes, and returns how many. */
export async function writeAll(
  file: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<number> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
  return bytes.length;
}

function fileSource(file: Deno.FsFile, size: number): PutSource {
  return { size, body: readChunks(file, size), [Symbol.dispose]: () => file.close() };
}

/** The first `size` bytes of a file, in memory that is used again for the next chunk. */
async function* readChunks(
  file: Deno.FsFile,
  size: number,
): AsyncGenerator<Uint8Array, void, void> {
  const buffer = new Uint8Array(chunkBytes);
  for (let left = size; left > 0;) {
    const count = await file.read(buffer.subarray(0, Math.min(left, chunkBytes)));
    if (count === null) return;
    left -= count;
    yield buffer.subarray(0, count);
  }
}

/** What a stream has, but at most `bytesMax`. */
async function readUpTo(
  stream: { read(buffer: Uint8Array): Promise<number | null> },
  bytesMax: number,
): Promise<Uint8Array> {
  const buffer = new Uint8Array(bytesMax);
  let filled = 0;
  while (filled < bytesMax) {
    const count = await stream.read(buffer.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}
