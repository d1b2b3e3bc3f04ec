/**
 * The page that shows the ring: `/_ring/`, and `/` while there is no `index.html`.
 *
 * Its files are plain HTML, CSS and JavaScript, as the browser gets them, and are part of the
 * program. They ask nobody but the servers of the ring for anything, and the browser is told to hold
 * them to that. What is in the table is all there is: no path of a request is ever one on disk.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import pageHtml from "./page/page.html" with { type: "text" };
import pageCss from "./page/page.css" with { type: "text" };
import ringCss from "./page/ring.css" with { type: "text" };
import filesCss from "./page/files.css" with { type: "text" };
import panelsCss from "./page/panels.css" with { type: "text" };
import narrowCss from "./page/narrow.css" with { type: "text" };
import deletionJs from "./page/deletion.js" with { type: "text" };
import dropZoneJs from "./page/drop_zone.js" with { type: "text" };
import droppedJs from "./page/dropped.js" with { type: "text" };
import elementJs from "./page/element.js" with { type: "text" };
import fileIndexJs from "./page/file_index.js" with { type: "text" };
import fileTableJs from "./page/file_table.js" with { type: "text" };
import heroJs from "./page/hero.js" with { type: "text" };
import hopsJs from "./page/hops.js" with { type: "text" };
import journalJs from "./page/journal.js" with { type: "text" };
import layoutJs from "./page/layout.js" with { type: "text" };
import logInJs from "./page/log_in.js" with { type: "text" };
import membersJs from "./page/members.js" with { type: "text" };
import noticeJs from "./page/notice.js" with { type: "text" };
import numbersJs from "./page/numbers.js" with { type: "text" };
import pageJs from "./page/page.js" with { type: "text" };
import pictureJs from "./page/picture.js" with { type: "text" };
import plotJs from "./page/plot.js" with { type: "text" };
import ringJs from "./page/ring.js" with { type: "text" };
import sentencesJs from "./page/sentences.js" with { type: "text" };
import serverMarkJs from "./page/server_mark.js" with { type: "text" };
import streamsJs from "./page/streams.js" with { type: "text" };
import themeJs from "./page/theme.js" with { type: "text" };
import travellersJs from "./page/travellers.js" with { type: "text" };
import unitsJs from "./page/units.js" with { type: "text" };
import uploadsJs from "./page/uploads.js" with { type: "text" };
import writesJs from "./page/writes.js" with { type: "text" };
import { sendProblem } from "./problem.ts";

const html = "text/html; charset=utf-8";
const css = "text/css; charset=utf-8";
const javascript = "text/javascript; charset=utf-8";

/**
 * The page listens at every server of the ring, and these come and go: hence any host, which no text of
 * others can make use of, as no script but ours runs.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self' http: https:",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** One file of the page. */
interface Asset {
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly etag: string;
}

const page = asset(html, pageHtml);

/** Every file of the page, by the path it is asked for with. */
const assets: ReadonlyMap<string, Asset> = new Map([
  ["/_ring/", page],
  ["/_ring/page.css", asset(css, pageCss)],
  ["/_ring/ring.css", asset(css, ringCss)],
  ["/_ring/files.css", asset(css, filesCss)],
  ["/_ring/panels.css", asset(css, panelsCss)],
  ["/_ring/narrow.css", asset(css, narrowCss)],
  ["/_ring/deletion.js", asset(javascript, deletionJs)],
  ["/_ring/drop_zone.js", asset(javascript, dropZoneJs)],
  ["/_ring/dropped.js", asset(javascript, droppedJs)],
  ["/_ring/element.js", asset(javascript, elementJs)],
  ["/_ring/file_index.js", asset(javascript, fileIndexJs)],
  ["/_ring/file_table.js", asset(javascript, fileTableJs)],
  ["/_ring/hero.js", asset(javascript, heroJs)],
  ["/_ring/hops.js", asset(javascript, hopsJs)],
  ["/_ring/journal.js", asset(javascript, journalJs)],
  ["/_ring/layout.js", asset(javascript, layoutJs)],
  ["/_ring/log_in.js", asset(javascript, logInJs)],
  ["/_ring/members.js", asset(javascript, membersJs)],
  ["/_ring/notice.js", asset(javascript, noticeJs)],
  ["/_ring/numbers.js", asset(javascript, numbersJs)],
  ["/_ring/page.js", asset(javascript, pageJs)],
  ["/_ring/picture.js", asset(javascript, pictureJs)],
  ["/_ring/plot.js", asset(javascript, plotJs)],
  ["/_ring/ring.js", asset(javascript, ringJs)],
  ["/_ring/sentences.js", asset(javascript, sentencesJs)],
  ["/_ring/server_mark.js", asset(javascript, serverMarkJs)],
  ["/_ring/streams.js", asset(javascript, streamsJs)],
  ["/_ring/theme.js", asset(javascript, themeJs)],
  ["/_ring/travellers.js", asset(javascript, travellersJs)],
  ["/_ring/units.js", asset(javascript, unitsJs)],
  ["/_ring/uploads.js", asset(javascript, uploadsJs)],
  ["/_ring/writes.js", asset(javascript, writesJs)],
]);

/** Whether the page has a file at this path, for example `/_ring/page.css`. */
export function isPagePath(path: string): boolean {
  return assets.has(path);
}

/** Answers a request for a file of the page; any path that is none of theirs gets the page itself. */
export function servePage(request: IncomingMessage, response: ServerResponse): void {
  const [path = ""] = (request.url ?? "").split("?", 1);
  const { contentType, body, etag } = assets.get(path) ?? page;
  const { method } = request;
  response.setHeader("X-Content-Type-Options", "nosniff");
  if (method !== "GET" && method !== "HEAD") {
    const detail = `The page can only be read, not be had by ${method}`;
    sendProblem(request, response, { status: 405, detail, headers: { "Allow": "GET, HEAD" } });
    return;
  }
  response.setHeader("Cache-Control", "no-cache");
  response.setHeader("ETag", etag);
  if (isKnown(request.headers["if-none-match"], etag)) {
    response.writeHead(304).end();
    return;
  }
  response.writeHead(200, {
    "Content-Type": contentType,
    "Content-Length": `${body.length}`,
    "Content-Security-Policy": contentSecurityPolicy,
    "Referrer-Policy": "no-referrer",
  });
  if (method === "HEAD") response.end();
  else response.end(body);
}

function asset(contentType: string, text: string): Asset {
  const body = new TextEncoder().encode(text);
  const sha256 = createHash("sha256").update(body).digest("hex");
  return { contentType, body, etag: `"${sha256}"` };
}

/** Whether one of the tags of an `If-None-Match` is this one: compared weakly, as RFC 9110 says. */
function isKnown(header: string | undefined, etag: string): boolean {
  const tags = (header ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(etag);
}
