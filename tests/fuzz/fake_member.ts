/**
 * A misbehaving member: it has itself inserted like any other, answers CHECKs so that it is held alive, and
 * lies. What it is asked it answers wrongly, or not at all.
 */
import { FrameConnection } from "../../lib/protocol/connection.ts";
import { decodeIncoming } from "../../lib/protocol/decode.ts";
import { encodeMessage } from "../../lib/protocol/encode.ts";
import { encodeFrame, type JsonObject } from "../../lib/protocol/frame.ts";
import { parseAddress } from "../../lib/ring/address.ts";
import { isLive, type Member } from "../../lib/ring/member.ts";
import type { Forward, MemberMessage } from "../../lib/ring/message.ts";
import { eventually } from "../eventually.ts";
import type { Random } from "../simulator/random.ts";
import { lyingPage } from "./lies.ts";

/** A body that has none of the hashes that are asked for. */
const wrongBody = new Uint8Array(100);

/** How many bytes of a body it takes, if it takes it. */
const bodyBytesMax = 1024 * 1024;

/** One misbehaving member. */
export class FakeMember implements AsyncDisposable {
  readonly address: string;
  readonly id: string;
  readonly #random: Random;
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Set<FrameConnection>();
  readonly #opened = new Map<string, FrameConnection>();
  readonly #members = new Map<string, Member>();
  /** The digest of the list that each server had last. */
  readonly #lists = new Map<string, string>();
  #hops = 0;
  #isClosed = false;

  constructor(random: Random) {
    this.#random = random;
    this.id = random.hex(32);
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.address = `127.0.0.1:${this.#listener.addr.port}`;
    void this.#accept();
  }

  /** Who is in the ring, as far as it has heard. */
  get members(): readonly Member[] {
    return [...this.#members.values()];
  }

  /** The digest of the list that a server says it has. */
  listOf(id: string): string {
    return this.#lists.get(id) ?? "0".repeat(64);
  }

  /** Has itself inserted after the server at an address. */
  async join(address: string): Promise<void> {
    await this.send(address, {
      type: "INSERT",
      from: this.id,
      incarnation: 1,
      address: this.address,
      position: "",
    });
    await eventually(() => this.#members.has(this.id), { what: "a place on the circle" });
  }

  /** Sends a message to the server at an address; a connection that broke is opened anew. */
  async send(address: string, message: MemberMessage): Promise<void> {
    const { head, body } = encodeMessage(message);
    await this.sendBytes(address, head, ...(body === undefined ? [] : [body]));
  }

  /** Sends bytes, whatever they are. */
  async sendBytes(address: string, ...bytes: Uint8Array[]): Promise<void> {
    const connection = await this.#connectionTo(address);
    // Refused as it may be, it goes on with the next lie.
    await connection.send(...bytes).catch(() => {});
  }

  /** Leaves without a word, as a process that is killed. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    return Promise.resolve();
  }

  async #connectionTo(address: string): Promise<FrameConnection> {
    const known = this.#opened.get(address);
    if (known?.closed === false) return known;
    const { host: hostname = "", port = 0 } = parseAddress(address) ?? {};
    const connection = new FrameConnection(await Deno.connect({ hostname, port }));
    this.#opened.set(address, connection);
    void this.#serve(connection);
    return connection;
  }

  async #accept(): Promise<void> {
    while (!this.#isClosed) {
      const conn = await this.#listener.accept().catch(() => undefined);
      if (conn !== undefined) void this.#serve(new FrameConnection(conn));
    }
  }

  async #serve(connection: FrameConnection): Promise<void> {
    this.#connections.add(connection);
    try {
      for (
        let received = await connection.receive();
        received !== undefined;
        received = await connection.receive()
      ) {
        if (received.size !== undefined) await connection.readBody(bodyBytesMax);
        this.#take(connection, received.value, received.size);
      }
    } catch {
      // Whatever the other side thinks of it, it opens another.
    } finally {
      this.#connections.delete(connection);
      connection.close();
    }
  }

  #take(connection: FrameConnection, value: JsonObject, size: number | undefined): void {
    if (value.type === "ERROR") return connection.close();
    const message = decodeIncoming(value, size);
    if ("members" in message) {
      for (const member of message.members ?? []) this.#members.set(member.id, member);
    }
    if (message.type === "CHECK" || message.type === "CHECKED") {
      this.#lists.set(message.from, message.list);
    }
    // Nobody may listen where it is to go.
    if (message.type === "FORWARD") this.#passOn(message).catch(() => {});
    const reply = this.#replyTo(message);
    if (reply !== undefined) void connection.send(...reply).catch(() => {});
  }

  /**
   * Says that it has stored what it has not, and passes it on: while a member that is alive does not, no
   * write is settled, and nobody can tell that there is no file.
   */
  async #passOn(message: Forward): Promise<void> {
    const { circle: { creator, boot, sequence, visited }, errand } = message;
    const home = this.#members.get(creator);
    if (home === undefined || creator === this.id) return;
    const circle = {
      ...message.circle,
      visited: [...visited, { id: this.id, deed: "stored" as const }],
    };
    const seen = new Set(circle.visited.map(({ id }) => id));
    const next = this.members.find((member) => isLive(member) && !seen.has(member.id)) ?? home;
    const from = this.id;
    await this.send(next.address, { ...message, from, to: next.id, hop: ++this.#hops, circle });
    if (errand.type !== "WRITE") return;
    const report = { circle: { creator, boot, sequence }, deed: "stored" as const };
    await this.send(home.address, { type: "REPORT", from, to: creator, ...report });
  }

  #replyTo(message: ReturnType<typeof decodeIncoming>): Uint8Array[] | undefined {
    switch (message.type) {
      case "CHECK": {
        const { sequence, list, files, from: to } = message;
        const wall = Date.now();
        const envelope = { from: this.id, to };
        return [encodeFrame({ type: "CHECKED", ...envelope, sequence, list, files, wall })];
      }
      case "UPDATE":
      case "FORWARD":
        // A hop that is not acknowledged is tried again, and goes another way.
        if (this.#random.chance(0.2)) return undefined;
        return [encodeFrame({ type: "ACK", from: this.id, to: message.from, hop: message.hop })];
      case "COMPARE": {
        const { sequence, from: to } = message;
        return [encodeFrame(lyingPage(this.#random, { from: this.id, to, sequence }))];
      }
      case "FETCH": {
        const { sha256 } = message;
        const answer = { type: "FETCH", status: 200, sha256, size: wrongBody.length };
        return [encodeFrame(answer), wrongBody];
      }
      default:
        return undefined;
    }
  }
}
