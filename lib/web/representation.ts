/**
 * Representations: what a file's answer says of it, in each of the forms that it may be had in.
 *
 * All of it follows from the record, so it is the same at every server. The entity tag of the file as it is
 * is its SHA-256, which changes with every byte: a strong one (RFC 9110, section 8.8.3).
 */
import type { FileRecord } from "../ring/file_record.ts";
import { type Coding, isCompressible } from "./coding.ts";
import { formatHttpDate, modifiedMillis } from "./last_modified.ts";

/** What `Cache-Control` says of files unless told otherwise: keep them, and ask whether they changed. */
export const cacheControlDefault = "no-cache";

/** One form of a file. */
export interface Representation {
  /** With its quotes. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970, whole seconds. */
  readonly modified: number;
  readonly contentType: string;
  /** Whether there may be compressed forms, of which this may be one. */
  readonly isCompressible: boolean;
  /** The header of a 200: names and values in turn, as node:http takes them. */
  readonly header: string[];
}

/** A file as it is. */
export function representIdentity(record: FileRecord, cacheControl: string): Representation {
  const { sha256, size, contentType } = record;
  const etag = `"${sha256}"`;
  const modified = modifiedMillis(record.stamp);
  const header = [
    ...commonHeader({ contentType, size, etag, modified, cacheControl }),
    ...["Accept-Ranges", "bytes", "Repr-Digest", formatDigest(sha256)],
    ...(isCompressible(contentType) ? ["Vary", "Accept-Encoding"] : []),
  ];
  return {
    ...{ etag, size, modified, contentType, header },
    isCompressible: isCompressible(contentType),
  };
}

/** How a file was compressed: here, or beforehand by whoever put its sidecar. */
export interface CodedOptions {
  readonly coding: Coding;
  /** Bytes, compressed. */
  readonly size: number;
  /** The file that is the compressed form. */
  readonly sidecar?: FileRecord;
  readonly cacheControl: string;
}

/**
 * A file in compressed form. Nothing says what its digest is, and it is not to be had in ranges: both would
 * be another file's.
 */
export function representCoded(record: FileRecord, options: CodedOptions): Representation {
  const { coding, size, sidecar, cacheControl } = options;
  const { contentType } = record;
  const etag = codedEtag(sidecar ?? record, coding);
  const modified = Math.max(
    modifiedMillis(record.stamp),
    sidecar === undefined ? 0 : modifiedMillis(sidecar.stamp),
  );
  const header = [
    ...commonHeader({ contentType, size, etag, modified, cacheControl }),
    ...["Content-Encoding", coding, "Vary", "Accept-Encoding"],
  ];
  return { etag, size, modified, contentType, header, isCompressible: true };
}

/** The entity tag of a file that was compressed here, or of a sidecar: of bytes, not of the name. */
export function codedEtag({ sha256 }: FileRecord, coding: Coding): string {
  return `"${sha256}-${coding}"`;
}

/** The header of a 304: what a cache needs to go on with what it has (RFC 9110, section 15.4.5). */
export function notModifiedHeader({ header }: Representation, etag: string): string[] {
  return [
    ...withoutFields(header, [
      "Content-Type",
      "Content-Length",
      "Content-Encoding",
      "Accept-Ranges",
      "Repr-Digest",
      "ETag",
    ]),
    ...["ETag", etag],
  ];
}

/** A header without some of its fields. */
export function withoutFields(header: readonly string[], names: readonly string[]): string[] {
  return header.filter((_, index) => !names.includes(header[index - index % 2] ?? ""));
}

function commonHeader({ contentType, size, etag, modified, cacheControl }: {
  contentType: string;
  size: number;
  etag: string;
  modified: number;
  cacheControl: string;
}): string[] {
  return [
    ...["Content-Type", contentType, "Content-Length", String(size)],
    ...["ETag", etag, "Last-Modified", formatHttpDate(modified)],
    ...["Cache-Control", cacheControl, "X-Content-Type-Options", "nosniff"],
  ];
}

/** A SHA-256 as RFC 9530 has it. */
function formatDigest(sha256: string): string {
  return `sha-256=:${Uint8Array.fromHex(sha256).toBase64()}:`;
}
