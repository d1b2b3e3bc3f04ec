/**
 * Request targets: what a request is about (RFC 9112, section 3.2).
 *
 * A target is decoded once, as a whole, and what comes out is the name of a file or it is refused: a name is
 * a key, and never becomes a path on a disk. A query means nothing to files and is left out.
 */
import { nameError } from "../protocol/name.ts";

/** What a request is about. */
export type RequestTarget =
  | { readonly type: "file"; readonly name: string }
  /** A folder: `prefix` ends with `/`, or is empty for all files. */
  | { readonly type: "folder"; readonly prefix: string }
  /** The ring itself: a path such as `_ring/health`, decoded. */
  | { readonly type: "ring"; readonly path: string }
  /** The server as a whole: `*`. */
  | { readonly type: "server" }
  | { readonly type: "invalid"; readonly detail: string };

/** Names that mean what they say, and most do: one test instead of many. */
const plain = /^\/(?!_ring)[A-Za-z0-9-_~][A-Za-z0-9-_~.]*(?:\/[A-Za-z0-9-_~][A-Za-z0-9-_~.]*)*$/;
const plainLengthMax = 1024;

/** Reads the target of a request, as it stands in the request. */
export function parseTarget(target: string): RequestTarget {
  if (target.length <= plainLengthMax && plain.test(target)) {
    return { type: "file", name: target.slice(1) };
  }
  if (target === "*") return { type: "server" };
  const path = pathOf(target);
  if (path === undefined) return invalid("The request target is neither a path nor a URL");
  const decoded = decode(path);
  if (decoded === undefined) return invalid("The request target is not percent-encoded UTF-8");
  return parsePath(decoded.slice(1));
}

function parsePath(path: string): RequestTarget {
  if (path === "") return { type: "folder", prefix: "" };
  const isFolder = path.endsWith("/");
  const detail = nameError(isFolder ? path.slice(0, -1) : path);
  if (detail !== undefined) return invalid(detail);
  if (path === "_ring" || path.startsWith("_ring/")) return { type: "ring", path };
  return isFolder ? { type: "folder", prefix: path } : { type: "file", name: path };
}

/** A name as the path of a URL. */
export function encodeName(name: string): string {
  return `/${name.split("/").map(encodeURIComponent).join("/")}`;
}

/** The query of a target, with its `?`; empty if there is none. */
export function queryOf(target = ""): string {
  const start = target.indexOf("?");
  return start === -1 ? "" : target.slice(start);
}

/** The path of a target, without its query; of a URL, without what comes before it. */
function pathOf(target: string): string | undefined {
  // What would have to be encoded to be in a target at all.
  if (/[#\s]/.test(target)) return undefined;
  const [, afterHost] = /^https?:\/\/[^/?]+(.*)$/i.exec(target) ?? [];
  const origin = afterHost === undefined
    ? target
    : afterHost.startsWith("/")
    ? afterHost
    : `/${afterHost}`;
  return origin.startsWith("/") ? origin.split("?", 1)[0] : undefined;
}

/** `undefined` for what is no percent-encoded UTF-8. */
function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function invalid(detail: string): RequestTarget {
  return { type: "invalid", detail };
}
