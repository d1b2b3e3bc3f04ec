/** Requests over HTTP that no honest client sends, byte for byte. */
import type { Random } from "../simulator/random.ts";

/** One kind of request. */
export interface HostileRequest {
  readonly name: string;
  /** Whether it must be refused: an answer that is no refusal would be a guess at what was meant. */
  readonly isRefused: boolean;
  /** Its characters are bytes. */
  readonly make: (random: Random) => string;
}

/** What follows a request that is to be taken for more than it is. */
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: ring\r\n\r\n";

const headersCount = 5000;
const targetLength = 100_000;

/** What a `Content-Length` may not be. */
const badLengths = ["-1", "+5", "5 5", "0x5", "1e3", "5,6", "", "18446744073709551621", "５"];

/** What a `Transfer-Encoding` may not be. */
const badCodings = [
  "xchunked",
  "chunked, chunked",
  "identity, chunked",
  "gzip",
  "chunked\x0b",
  ",",
];

/** What the size of a chunk may not be. */
const badChunks = ["zz", "-1", "+5", "0x5", " 5", "ffffffffffffffff1", "5\x00", "5\n", ""];

/** Targets that name no file, and must not name another. */
const badTargets = [
  "/../etc/passwd",
  "/%2e%2e/%2e%2e/etc/passwd",
  "/a/%00",
  "/%ff%fe",
  "/a%2f%2e%2e%2fb",
  "//a",
  "/a\\b",
  "/%5c..%5cetc",
  "/%",
  "/%zz",
  "http://ring/%00",
  "*",
  "a",
];

const badVersions = ["HTTP/0.9", "HTTP/1.9", "HTTP/2.0", "HTTP/9.9", "http/1.1", "HTTP/1.1x", "X"];

/** All kinds. */
export const hostileRequests: readonly HostileRequest[] = [
  refused("conflicting lengths", () => put("Content-Length: 5", "Content-Length: 6") + "hello"),
  refused("a length twice", () => put("Content-Length: 5", "Content-Length: 5") + "hello"),
  refused(
    "a length in chunks",
    () => put("Content-Length: 5", "Transfer-Encoding: chunked") + `0\r\n\r\n${smuggled}`,
  ),
  refused("a bad length", (random) => put(`Content-Length: ${random.pick(badLengths)}`) + smuggled),
  refused(
    "a bad coding",
    (random) => put(`Transfer-Encoding: ${random.pick(badCodings)}`) + `0\r\n\r\n${smuggled}`,
  ),
  refused("a bad chunk", (random) => chunked(`${random.pick(badChunks)}\r\nhello\r\n0\r\n\r\n`)),
  refused("a chunk that is too long", () => chunked("5\r\nhello world\r\n0\r\n\r\n")),
  refused("chunks without an end", () => chunked("5\r\nhello\r\n")),
  refused("5,000 headers", () => get("/", ...lines(headersCount, (n) => `X-${n}: ${n}`))),
  refused("a header of 64 KB", () => get("/", `X: ${"x".repeat(65536)}`)),
  refused("a target of 100 KB", () => get(`/${"x".repeat(targetLength)}`)),
  refused("a NUL in a header", () => get("/", "X: a\x00b")),
  refused("a NUL in a name", () => get("/", "X\x00: a")),
  refused("a NUL in the target", () => get("/a\x00b")),
  refused("no Host", () => "GET / HTTP/1.1\r\n\r\n"),
  refused("two Hosts", () => get("/", "Host: other")),
  refused("a bad Host", () => "GET / HTTP/1.1\r\nHost: a b/c\r\n\r\n"),
  refused("a space before a colon", () => get("/", "X : a")),
  refused("a header without a name", () => get("/", ": a")),
  refused("a bad version", (random) => `GET / ${random.pick(badVersions)}\r\nHost: ring\r\n\r\n`),
  refused("a bad target", (random) => get(random.pick(badTargets) ?? "")),
  refused("a CONNECT", () => "CONNECT ring:80 HTTP/1.1\r\nHost: ring\r\n\r\n"),
  refused("an unknown method", () => "HACK / HTTP/1.1\r\nHost: ring\r\n\r\n"),
  refused("the preface of HTTP/2", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  refused("a beginning of TLS", (random) => `\x16\x03\x01\x02\x00\x01${random.hex(200)}`),
  refused("a frame of the ring", () => '\x00\x00\x00\x11{"type":"STATUS"}'),
  refused("noise", (random) => noise(random)),
  refused("an upload that is cut off", () => put("Content-Length: 100000") + "x".repeat(5000)),
  taken(
    "a thousand ranges",
    () => get("/", `Range: bytes=${lines(1000, (n) => `${n}-${n}`).join(",")}`),
  ),
  taken("a hundred pipelined requests", () => get("/hostile").repeat(100)),
  taken(
    "a HEAD with a body",
    () => "HEAD / HTTP/1.1\r\nHost: ring\r\nContent-Length: 5\r\n\r\nhello",
  ),
  taken("a changed request", (random) => changed(random)),
];

/** A text as the bytes that its characters are. */
export function bytesOfText(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}

function refused(name: string, make: (random: Random) => string): HostileRequest {
  return { name, isRefused: true, make };
}

function taken(name: string, make: (random: Random) => string): HostileRequest {
  return { name, isRefused: false, make };
}

function get(target: string, ...fields: readonly string[]): string {
  return ["GET " + target + " HTTP/1.1", "Host: ring", ...fields, "", ""].join("\r\n");
}

function put(...fields: readonly string[]): string {
  return ["PUT /hostile/put HTTP/1.1", "Host: ring", ...fields, "", ""].join("\r\n");
}

function chunked(body: string): string {
  return put("Transfer-Encoding: chunked") + body;
}

function lines(count: number, line: (n: number) => string): string[] {
  return Array.from({ length: count }, (_, n) => line(n));
}

function noise(random: Random): string {
  const bytes = Array.from({ length: random.between(4, 300) }, () => random.integer(256));
  return String.fromCharCode(...bytes) + "\r\n\r\n";
}

/** A good request of which some characters are others. */
function changed(random: Random): string {
  const good = random.pick([
    get("/good/1", "Range: bytes=0-5", 'If-None-Match: "a"', "Accept-Encoding: gzip, br"),
    put("Content-Length: 5", "Content-Type: text/plain") + "hello",
    chunked("5\r\nhello\r\n0\r\n\r\n"),
    get("/_ring/status"),
  ]) ?? "";
  const characters = [...good];
  for (let times = random.between(1, 3); times > 0; times--) {
    characters[random.integer(characters.length)] = String.fromCharCode(random.integer(256));
  }
  return characters.join("");
}
