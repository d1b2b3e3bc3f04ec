/**
 * Conditional requests: whether to do what was asked, in the order of RFC 9110, section 13.2.2.
 *
 * A file may be had in several codings, each with an entity tag of its own, and all of them change
 * together: a tag of any of them says that a client has, or means, this very file.
 */
import type { IncomingHttpHeaders } from "node:http";
import { parseHttpDate } from "./last_modified.ts";

/** What tells one state of a file from another. */
export interface Validators {
  /** The entity tags of the file in all its codings, quotes included. */
  readonly etags: readonly string[];
  /** Milliseconds since 1970, whole seconds. */
  readonly modified: number;
}

/** What a request's conditions come to: `notModified` is answered by 304, `failed` by 412. */
export type Verdict = "proceed" | "notModified" | "failed";

/** How to judge. */
export interface JudgeOptions {
  /** The file as it is; `undefined` if there is none. */
  readonly current: Validators | undefined;
  /** Whether the request is a GET or a HEAD. */
  readonly isRead: boolean;
}

/** Judges the conditions of a request. One that is no valid date is as good as not there. */
export function judge(headers: IncomingHttpHeaders, { current, isRead }: JudgeOptions): Verdict {
  const match = headers["if-match"];
  if (match !== undefined) {
    if (!isMatch(match, { current, isWeak: false })) return "failed";
  } else if (isModifiedSince(headers["if-unmodified-since"], current) === true) {
    return "failed";
  }
  const noneMatch = headers["if-none-match"];
  if (noneMatch !== undefined) {
    if (!isMatch(noneMatch, { current, isWeak: true })) return "proceed";
    return isRead ? "notModified" : "failed";
  }
  if (!isRead) return "proceed";
  return isModifiedSince(headers["if-modified-since"], current) === false
    ? "notModified"
    : "proceed";
}

/** Whether a request has any condition. */
export function isConditional(headers: IncomingHttpHeaders): boolean {
  return headers["if-none-match"] !== undefined || headers["if-modified-since"] !== undefined ||
    headers["if-match"] !== undefined || headers["if-unmodified-since"] !== undefined;
}

/**
 * Whether an `If-Range` lets a range of this representation be sent (RFC 9110, section 13.1.5): its tag is
 * exactly this one, or its date is exactly this one.
 */
export function isRangeCurrent(
  ifRange: string | readonly string[] | undefined,
  { etag, modified }: { etag: string; modified: number },
): boolean {
  if (typeof ifRange !== "string") return ifRange === undefined;
  const text = ifRange.trim();
  return text.startsWith('"') ? text === etag : parseHttpDate(text) === modified;
}

/**
 * The tags of an `If-Match` or `If-None-Match`, as they are written; `*` for any. Of what is malformed
 * nothing is taken, and so nothing matches it.
 */
export function parseEntityTags(list: string): "*" | readonly string[] {
  if (list.trim() === "*") return "*";
  const tag = /[ \t]*((?:W\/)?"[\x21\x23-\x7e\x80-\u{10ffff}]*")[ \t]*(?:,|$)|[ \t]*(?:,|$)/uy;
  const tags: string[] = [];
  while (tag.lastIndex < list.length) {
    const found = tag.exec(list);
    if (found === null) return [];
    if (found[1] !== undefined) tags.push(found[1]);
  }
  return tags;
}

/** The first of `etags` that an `If-None-Match` names. */
export function matchedEtag(
  list: string | undefined,
  etags: readonly string[],
): string | undefined {
  const tags = list === undefined ? "*" : parseEntityTags(list);
  if (tags === "*") return undefined;
  return tags.map((tag) => tag.replace(/^W\//, "")).find((tag) => etags.includes(tag));
}

function isMatch(
  list: string,
  { current, isWeak }: { current: Validators | undefined; isWeak: boolean },
): boolean {
  if (current === undefined) return false;
  const tags = parseEntityTags(list);
  if (tags === "*") return true;
  return tags.some((tag) => current.etags.includes(isWeak ? tag.replace(/^W\//, "") : tag));
}

/** Whether a file is newer than a date; `undefined` if there is no date, or no file. */
function isModifiedSince(
  date: string | undefined,
  current: Validators | undefined,
): boolean | undefined {
  const since = date === undefined ? undefined : parseHttpDate(date);
  if (since === undefined || current === undefined) return undefined;
  return current.modified > since;
}
