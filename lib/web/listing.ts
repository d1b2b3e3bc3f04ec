/**
 * Listings: what is in a folder, for people and for programs. There are no folders in a ring, only names with
 * slashes: all names that go on in the same way up to the next slash are one folder.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { compareName } from "../storage/name_order.ts";
import { nextTurn } from "../storage/turn.ts";
import type { Backend } from "./backend.ts";
import { formatHttpDate, modifiedMillis } from "./last_modified.ts";
import { escapeHtml, prefersHtml } from "./problem.ts";
import { encodeName, queryOf } from "./request_target.ts";

/** The most entries in one page of a listing. */
const entriesMax = 1000;

/** How many records are read at once: few, as most may be in one folder, and are passed over. */
const scanRecords = 32;

/** After every name in a folder, but for the few that begin with this character themselves. */
const lastCharacter = "\u{10ffff}";

/** A file or a folder in a folder. */
export type Entry =
  | {
    readonly type: "file";
    readonly name: string;
    readonly size: number;
    readonly contentType: string;
    readonly sha256: string;
    /** Milliseconds since 1970, whole seconds. */
    readonly modified: number;
  }
  /** Its name ends with a slash. */
  | { readonly type: "folder"; readonly name: string };

/** One page of a listing. */
export interface Listing {
  /** In the order of the bytes of their names. */
  readonly entries: readonly Entry[];
  /** Given when there are more: the name of the last one here. */
  readonly next?: string;
}

/** Which part of which folder to list. */
export interface ListOptions {
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  /** The name, in the folder, of the last entry of the page before. */
  readonly after: string;
}

/** Lists a folder as it is on the backend's disk; it may change meanwhile. */
export async function listFolder(backend: Backend, options: ListOptions): Promise<Listing> {
  const { prefix } = options;
  const entries: Entry[] = [];
  let after = options.after === "" ? "" : passOver(prefix + options.after);
  // Each scan that is not the last brings at least one entry, or is of names after `lastCharacter`.
  for (let scans = 0; scans <= 2 * entriesMax; scans++) {
    const records = backend.list({ prefix, after, limit: scanRecords, tombstones: false });
    for (const record of records) {
      const entry = entryOf(record, prefix);
      if (entry.type === "folder" && entries.at(-1)?.name === entry.name) continue;
      if (entries.length === entriesMax) return { entries, next: entries.at(-1)?.name ?? "" };
      entries.push(entry);
    }
    const last = records.at(-1);
    if (records.length < scanRecords || last === undefined) return { entries };
    after = furtherOf(last.name, passOver(prefix + (entries.at(-1)?.name ?? "")));
    await nextTurn();
  }
  return { entries, next: entries.at(-1)?.name ?? "" };
}

/** Answers with a page of a listing, as HTML, or as JSON if that is what is asked for. */
export function sendListing(
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  listing: Listing,
  options: ListOptions,
): void {
  const isJson = !prefersHtml(request) && /application\/json/i.test(request.headers.accept ?? "");
  const text = isJson
    ? JSON.stringify({ folder: options.prefix, ...listing, entries: listing.entries.map(jsonOf) }) +
      "\n"
    : page({ ...options, ...listing });
  const body = new TextEncoder().encode(text);
  response.writeHead(200, {
    "Content-Type": isJson ? "application/json" : "text/html; charset=utf-8",
    "Content-Length": String(body.length),
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
    "Vary": "Accept",
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** The `after` of a request's query; empty if there is none. */
export function afterOf(request: IncomingMessage): string {
  return new URLSearchParams(queryOf(request.url)).get("after") ?? "";
}

function entryOf(record: ReturnType<Backend["list"]>[number], prefix: string): Entry {
  const rest = record.name.slice(prefix.length);
  const slash = rest.indexOf("/");
  if (slash !== -1) return { type: "folder", name: rest.slice(0, slash + 1) };
  const { size, contentType, sha256, stamp } = record;
  return { type: "file", name: rest, size, contentType, sha256, modified: modifiedMillis(stamp) };
}

/** From where to go on after an entry: after all that is in it, if it is a folder. */
function passOver(name: string): string {
  return name.endsWith("/") ? name + lastCharacter : name;
}

function furtherOf(a: string, b: string): string {
  return compareName(a, b) > 0 ? a : b;
}

function jsonOf(entry: Entry): unknown {
  if (entry.type === "folder") return entry;
  return { ...entry, modified: new Date(entry.modified).toISOString() };
}

function page({ prefix, after, entries, next }: Listing & ListOptions): string {
  const title = escapeHtml(`/${prefix}`);
  const rows = entries.map((entry) => row(entry, prefix)).join("");
  const up = prefix === "" ? "" : `<tr><td><a href="../">../</a></td></tr>\n`;
  const start = after === "" ? "" : `<p><a href="./">From the start</a></p>\n`;
  const more = next === undefined
    ? ""
    : `<p><a href="?after=${escapeHtml(encodeURIComponent(next))}">More</a></p>\n`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { width: 100%; border-collapse: collapse }
th { text-align: left }
td, th { padding: .125rem .5rem .125rem 0; overflow-wrap: anywhere }
.number { text-align: right; font-variant-numeric: tabular-nums }
</style>
<h1>${title}</h1>
<table>
<tr><th>Name</th><th class="number">Bytes</th><th>Modified</th></tr>
${up}${rows}</table>
${start}${more}</html>
`;
}

function row(entry: Entry, prefix: string): string {
  const href = escapeHtml(encodeName(prefix + entry.name));
  const link = `<a href="${href}">${escapeHtml(entry.name)}</a>`;
  if (entry.type === "folder") return `<tr><td>${link}</td></tr>\n`;
  const { size, modified } = entry;
  return `<tr><td>${link}</td><td class="number">${size}</td><td>${
    formatHttpDate(modified)
  }</td></tr>\n`;
}
