/**
 * A fake ring: servers that only tell what a test wants the page to hear, for states that a real ring
 * is seldom in. Each listens at a port of its own and serves the page as a real server does.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Member, MemberStatus } from "../../lib/ring/member.ts";
import type { RingEvent } from "../../lib/web/activity.ts";
import { eventually } from "../eventually.ts";
import { isPagePath, servePage } from "../../lib/web/page.ts";

/** A file as `files.json` lists it. */
export interface FakeFile {
  readonly name: string;
  readonly size: number;
  readonly contentType: string;
  readonly stamp: string;
  readonly sha256: string;
  readonly modified: string;
}

/** A made-up file. */
export function fakeFile(name: string, size: number, millis: number): FakeFile {
  return {
    name,
    size,
    contentType: "text/plain; charset=utf-8",
    stamp: `${millis.toString(16).padStart(12, "0")}-0000-${"0".repeat(32)}`,
    sha256: createHash("sha256").update(name).digest("hex"),
    modified: new Date(millis).toISOString(),
  };
}

/** One server that does nothing but tell. */
export class FakeServer {
  readonly id: string;
  readonly #server: Server;
  readonly #listeners = new Set<ServerResponse>();
  readonly #ring: FakeRing;
  readonly #ringPort: number;
  #webPort = 0;
  status: MemberStatus = "alive";
  incarnation = 1;
  /** What it says about its files; the same as the others' unless changed. */
  digest = "d".repeat(64);
  requests = 0;
  puts = 0;
  latencyMs = { p50: 0.4, p99: 1.2 };

  constructor(
    ring: FakeRing,
    index: number,
    /** Its place on the circle. */
    readonly position: string = index.toString(16).padStart(4, "0"),
  ) {
    this.#ring = ring;
    this.#ringPort = 4043 + index;
    this.id = createHash("md5").update(`server ${index}`).digest("hex");
    this.#server = createServer((request, response) => this.#handle(request, response));
  }

  /** Listens, at the port at which it listened before if it did. */
  async listen(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(this.#webPort, "127.0.0.1", done));
    this.#webPort = (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#webPort}`;
  }

  get member(): Member {
    const { position } = this;
    return {
      id: this.id,
      incarnation: this.incarnation,
      status: this.status,
      address: `127.0.1.1:${this.#ringPort}`,
      position,
      web: `${this.origin}/`,
    };
  }

  /** Tells whoever listens. */
  tell(event: RingEvent): void {
    this.tellAs(event.type, event);
  }

  tellNumbers(): void {
    const { requests, puts, digest, latencyMs } = this;
    const files = this.#ring.files.length;
    this.tellAs("numbers", { requests, puts, gets: 0, bytes: 0, files, digest, latencyMs });
  }

  /** Waits until so many listen. */
  async waitForListeners(count: number): Promise<void> {
    await eventually(() => this.#listeners.size === count, { what: `${count} listeners` });
  }

  /** Cuts off whoever listens, and listens no more. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  tellAs(type: string, data: unknown): void {
    for (const listener of this.#listeners) {
      listener.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
    }
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", this.origin);
    response.setHeader("Access-Control-Allow-Origin", request.headers.origin ?? "*");
    if (url.pathname === "/_ring/events") return this.#listen(response);
    if (url.pathname === "/_ring/status.json") {
      return void response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
    }
    if (url.pathname === "/_ring/files.json") return this.#list(url, response);
    if (request.method === "PUT") return void answerPut(request, response, this.#ring);
    if (isPagePath(url.pathname)) return servePage(request, response);
    response.writeHead(404).end();
  }

  #listen(response: ServerResponse): void {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
    this.#listeners.add(response);
    response.on("close", () => this.#listeners.delete(response));
    const list = { type: "list", members: this.#ring.membersFrom(this) };
    response.write(`event: list\ndata: ${JSON.stringify(list)}\n\n`);
    this.tellNumbers();
  }

  #list(url: URL, response: ServerResponse): void {
    const prefix = url.searchParams.get("prefix") ?? "";
    const after = url.searchParams.get("after") ?? "";
    const limit = Number(url.searchParams.get("limit"));
    const found = this.#ring.files.filter(({ name }) => name.startsWith(prefix) && name > after);
    const files = found.slice(0, limit);
    const next = found.length > limit ? { next: files.at(-1)?.name } : {};
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ files, ...next }));
  }
}

/** Takes a file, or says why not. */
async function answerPut(
  request: IncomingMessage,
  response: ServerResponse,
  { gate, bytesBeforeGate, hasRoom }: FakeRing,
): Promise<void> {
  let taken = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    taken += chunk.length;
    if (taken >= bytesBeforeGate) break;
  }
  await gate;
  request.resume();
  if (hasRoom) return void response.writeHead(201, { "Ring-Copies": "1" }).end();
  response.writeHead(507, { "Content-Type": "application/problem+json" });
  response.end(JSON.stringify({ status: 507, detail: "There is no room on this disk" }));
}

/** Servers on a circle. */
export class FakeRing implements AsyncDisposable {
  readonly servers: FakeServer[] = [];
  files: FakeFile[] = [];
  /** What is put is not answered, nor its rest read, before this has ended. */
  gate: Promise<void> = Promise.resolve();
  /** How much of what is put is read before that, in bytes; its beginning always is. */
  bytesBeforeGate = 0;
  hasRoom = false;
  #sequence = 0;

  /** Starts so many servers. */
  static async create(count: number): Promise<FakeRing> {
    const ring = new FakeRing();
    for (let index = 0; index < count; index++) {
      const server = new FakeServer(ring, index);
      await server.listen();
      ring.servers.push(server);
    }
    return ring;
  }

  /** Starts one more server at a position, and tells of it. */
  async add(index: number, position: string, status: MemberStatus): Promise<void> {
    const server = new FakeServer(this, index, position);
    server.status = status;
    await server.listen();
    this.servers.push(server);
    this.servers.sort((a, b) => a.position < b.position ? -1 : 1);
    this.tellLists();
  }

  membersFrom(first: FakeServer): Member[] {
    const start = this.servers.indexOf(first);
    const members = this.servers.map(({ member }) => member);
    return [...members.slice(start), ...members.slice(0, start)];
  }

  /** Every server tells its list, as after a change. */
  tellLists(): void {
    for (const server of this.servers) {
      server.tell({ type: "list", members: this.membersFrom(server) });
    }
  }

  /** A second goes by: every live server checks the next. */
  tick(): void {
    const live = this.#live;
    live.forEach((from, index) => {
      from.tellNumbers();
      const to = live[(index + 1) % live.length];
      if (to !== undefined && to !== from) this.#hop(from, to, { message: "CHECK" });
    });
  }

  /** A file goes round from one server. */
  put(from: FakeServer, name: string, size = 1000): void {
    const live = this.#live;
    const start = live.indexOf(from);
    const file = fakeFile(name, size, Date.now());
    const record = { ...file, stamp: `${file.stamp.slice(0, 18)}${from.id}` };
    const circle = `${from.id}-b-${this.#sequence++}`;
    this.files = [...this.files.filter((old) => old.name !== name), record]
      .sort((a, b) => a.name < b.name ? -1 : 1);
    live.forEach((_, step) => {
      const sender = live[(start + step) % live.length];
      const receiver = live[(start + step + 1) % live.length];
      if (sender === undefined || receiver === undefined) return;
      const details = { errand: "WRITE", item: name, circle, creator: from.id };
      if (sender !== receiver) this.#hop(sender, receiver, { message: "FORWARD", ...details });
      sender.tell({ type: "file", record, isNew: true });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
  }

  get #live(): FakeServer[] {
    return this.servers.filter(({ status }) => status === "alive" || status === "joining");
  }

  #hop(
    from: FakeServer,
    to: FakeServer,
    details: Pick<Extract<RingEvent, { type: "hop" }>, "message"> & Record<string, string>,
  ): void {
    const hop = { type: "hop" as const, from: from.id, to: to.id, ...details };
    from.tell({ ...hop, direction: "sent" });
    to.tell({ ...hop, direction: "received" });
  }
}
