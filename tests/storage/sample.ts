/** Records and bodies to store in tests. */
import { createHash } from "node:crypto";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import type { RecordWrite } from "../../lib/ring/step.ts";
import type { Stamp } from "../../lib/ring/stamp.ts";
import type { BodyReader, Store } from "../../lib/storage/store.ts";

/** The `n`th stamp, from 0. */
export function stampAt(n: number): Stamp {
  return `${n.toString(16).padStart(12, "0")}-0000-${"1".repeat(32)}`;
}

/** The SHA-256 of a body, in hexadecimal. */
export function sha256Of(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}

/** Bytes that a seed decides. */
export function bytesOf(size: number, seed = 1): Uint8Array {
  let state = seed;
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Flips a bit in the middle. */
export function flipBit(bytes: Uint8Array | undefined): void {
  if (bytes === undefined) throw new Error("there is no such body");
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
}

/** A record of `body` under `name`. */
export function recordOf(
  name: string,
  { stamp = 1, body }: { stamp?: number; body: Uint8Array },
): FileRecord {
  return {
    name,
    stamp: stampAt(stamp),
    sha256: sha256Of(body),
    size: body.length,
    contentType: "text/plain",
  };
}

/** A write of `body` under `name`, with the body. */
export function inline(
  name: string,
  { stamp = 1, body }: { stamp?: number; body: Uint8Array },
): RecordWrite {
  return { record: recordOf(name, { stamp, body }), body };
}

/** A write of a tombstone. */
export function tombstone(name: string, stamp: number): RecordWrite {
  const record = { name, stamp: stampAt(stamp), sha256: "", size: 0, contentType: "" };
  return { record: { ...record, deleted: true } };
}

/** Streams a body into the store, and returns its hash. */
export async function upload(store: Store, body: Uint8Array): Promise<string> {
  const writer = store.createBody();
  await writer.write(body);
  return (await writer.commit()).sha256;
}

/** Reads a body to its end, and closes it. */
export async function readAll(reader: BodyReader | undefined): Promise<Uint8Array> {
  if (reader === undefined) throw new Error("there is no such body");
  const body = new Uint8Array(reader.size);
  let offset = 0;
  try {
    for await (const chunk of reader.chunks()) {
      body.set(chunk, offset);
      offset += chunk.length;
    }
  } finally {
    reader.close();
  }
  return body.subarray(0, offset);
}

/** All that a store tells of what it keeps, but for the bodies. */
export function contentsOf(store: Store) {
  const records = store.scan({ limit: 1000, tombstones: true });
  const [summary, digests] = [store.summary(), store.digests()];
  return { id: store.id, ring: store.load(), summary, digests, records };
}
