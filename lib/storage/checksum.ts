/**
 * The checksum of a record: by it a row that was changed behind the store's back is known.
 *
 * SQLite has no checksums of its own, and would return a row with a flipped bit as if it had been
 * written so. A record with a greater stamp than was ever made would then win on every server. CRC-32
 * finds each change of up to 32 neighbouring bits, and any other with odds of 4·10⁹ to 1.
 */
import { crc32 } from "node:zlib";
import type { FileRecord } from "../ring/file_record.ts";

/** The checksum, from 0 to 2³² − 1, of all that a record says, and of the bucket that it is in. */
export function checksumOf(record: FileRecord, bucket: number): number {
  const { name, stamp, sha256, size, contentType, deleted } = record;
  const state = deleted ? 1 : 0;
  return crc32(`${name}\0${stamp}\0${sha256}\0${size}\0${contentType}\0${state}\0${bucket}`);
}
