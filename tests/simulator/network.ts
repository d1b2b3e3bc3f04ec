/**
 * The simulated network: connections between addresses, as TCP has them.
 *
 * A server keeps one connection to each address that it sends to, and opens it with the first
 * message. On one connection messages arrive in order, each way; between connections there is no
 * order. Nothing is lost from a connection that stays open: loss means that it breaks, with all that
 * was in flight either way, and its opener learns of that later. A link that is cut (one way) loses
 * silently, and what was sent over it is known to be lost only long after, as with TCP's
 * retransmissions. A process that dies on a host that is up has its connections reset, and whoever
 * then connects is refused.
 */
import { type Address, parseAddress } from "../../lib/ring/address.ts";
import type { MemberMessage } from "../../lib/ring/message.ts";
import type { Link } from "../../lib/ring/step.ts";
import type { Random } from "./random.ts";

/** How good the network is. Times are in milliseconds, chances for each message. */
export interface NetworkQuality {
  readonly delayMsMin: number;
  readonly delayMsMax: number;
  /** How often a message takes ten times as long. */
  readonly slowChance: number;
  /** How often a connection breaks instead of carrying a message. */
  readonly breakChance: number;
  /** How often a message arrives twice. */
  readonly repeatChance: number;
  /** Whether a server learns that a connection broke on which it awaits nothing. */
  readonly tellsIdleBreaks: boolean;
}

/** How long it takes to learn that a connection over a cut link is lost. */
const cutNoticeMsMin = 5_000;
const cutNoticeMsMax = 20_000;

/** A process, as the network sees it. */
export interface Endpoint {
  readonly address: Address;
  handleMessage(link: Link, message: MemberMessage): void;
  handleUnreachable(address: Address, reason: "refused" | "closed"): void;
}

/** What the network needs of the world. */
export interface NetworkOptions {
  /** How good it is until it is mended. */
  readonly quality: NetworkQuality;
  readonly random: Random;
  schedule(delayMs: number, run: () => void): void;
  /** Called for each connection that breaks by chance. */
  onBreak?(): void;
}

/** One end of a connection. */
interface End {
  readonly endpoint: Endpoint;
  readonly link: Link;
  /** When the last message that is on its way to this end arrives. */
  lastArrival: number;
}

interface Connection {
  readonly address: Address;
  readonly near: End;
  /** The end that accepted; absent until then. */
  far?: End;
  state: "open" | "lost" | "closed";
  /** Messages that wait for the connection to open. */
  waiting: MemberMessage[];
  /** Whether the opener has sent something since it last received. */
  awaits: boolean;
  /** Who has ended, and what it had sent still arrives. */
  flushing?: Endpoint;
}

/** What one process has open. */
interface Sockets {
  readonly outgoing: Map<Address, Connection>;
  readonly links: Map<Link, Connection>;
  lastLink: number;
}

/** All connections of a world. */
export class Network {
  readonly #options: NetworkOptions;
  readonly #listeners = new Map<Address, Endpoint>();
  readonly #sockets = new Map<Endpoint, Sockets>();
  /** Pairs of hosts, `from to`, of which the first cannot reach the second. */
  readonly #cuts = new Set<string>();
  readonly #now: () => number;
  #quality: NetworkQuality;

  constructor(now: () => number, options: NetworkOptions) {
    this.#now = now;
    this.#options = options;
    this.#quality = options.quality;
  }

  /** Ends all faults of the network: from now on nothing is lost, repeated or slow. */
  mend(): void {
    this.#cuts.clear();
    this.#quality = { ...this.#quality, breakChance: 0, repeatChance: 0, slowChance: 0 };
  }

  /** A process begins to listen at its address. */
  listen(endpoint: Endpoint): void {
    this.#listeners.set(endpoint.address, endpoint);
    this.#sockets.set(endpoint, { outgoing: new Map(), links: new Map(), lastLink: 0 });
  }

  /**
   * A process has ended: its connections break, and nobody listens at its address. With `flushes`
   * what it has sent still arrives.
   */
  hangUp(endpoint: Endpoint, { flushes }: { flushes: boolean }): void {
    const sockets = this.#sockets.get(endpoint);
    if (sockets === undefined) return;
    this.#listeners.delete(endpoint.address);
    this.#sockets.delete(endpoint);
    for (const connection of sockets.links.values()) {
      if (flushes) connection.flushing = endpoint;
      this.#close(connection, "closed");
    }
  }

  /** Whether a process listens at an address. */
  isListening(address: Address): boolean {
    return this.#listeners.has(address);
  }

  /** From now on what the first host sends does not reach the second. */
  cut(from: Address, to: Address): void {
    this.#cuts.add(`${hostOf(from)} ${hostOf(to)}`);
  }

  /** Ends a {@linkcode cut}. */
  heal(from: Address, to: Address): void {
    this.#cuts.delete(`${hostOf(from)} ${hostOf(to)}`);
  }

  /** What somebody who connects meets: a process, a refusal, or silence. */
  reach(from: Address, to: Address): Endpoint | "refused" | "silence" {
    if (this.#isCut(from, to) || this.#isCut(to, from)) return "silence";
    return this.#listeners.get(to) ?? "refused";
  }

  /** A delay of one message, in milliseconds. */
  delayMs(): number {
    const { random } = this.#options;
    const { delayMsMin, delayMsMax, slowChance } = this.#quality;
    const delay = random.between(delayMsMin, delayMsMax);
    return random.chance(slowChance) ? delay * 10 : delay;
  }

  /** Sends over the connection to an address, and opens it if there is none. */
  send(from: Endpoint, address: Address, message: MemberMessage): void {
    const sockets = this.#sockets.get(from);
    if (sockets === undefined) return;
    const connection = sockets.outgoing.get(address) ?? this.#connect(from, address, sockets);
    connection.awaits = true;
    if (connection.far === undefined) connection.waiting.push(message);
    else this.#transmit(connection, connection.far, message);
  }

  /** Sends back over the connection on which a message came; drops it if that is gone. */
  reply(from: Endpoint, link: Link, message: MemberMessage): void {
    const connection = this.#sockets.get(from)?.links.get(link);
    if (connection === undefined) return;
    const isNear = connection.near.endpoint === from && connection.near.link === link;
    const end = isNear ? connection.far : connection.near;
    if (end !== undefined) this.#transmit(connection, end, message);
  }

  #connect(from: Endpoint, address: Address, sockets: Sockets): Connection {
    const connection: Connection = {
      address,
      near: { endpoint: from, link: ++sockets.lastLink, lastArrival: 0 },
      state: "open",
      waiting: [],
      awaits: true,
    };
    sockets.outgoing.set(address, connection);
    sockets.links.set(connection.near.link, connection);
    this.#options.schedule(this.delayMs(), () => this.#arrive(connection));
    return connection;
  }

  /** The request to connect has come to the address. */
  #arrive(connection: Connection): void {
    const { near, address } = connection;
    if (!carries(connection, near.endpoint)) return;
    const met = this.reach(near.endpoint.address, address);
    if (met === "silence") return this.#lose(connection);
    if (met === "refused") return this.#close(connection, "refused");
    const sockets = this.#sockets.get(met);
    if (sockets === undefined) return this.#close(connection, "refused");
    const far = { endpoint: met, link: ++sockets.lastLink, lastArrival: 0 };
    connection.far = far;
    sockets.links.set(far.link, connection);
    const { waiting } = connection;
    connection.waiting = [];
    for (const message of waiting) this.#transmit(connection, far, message);
  }

  /** Puts a message on its way to one end of a connection. */
  #transmit(connection: Connection, to: End, message: MemberMessage): void {
    const { random, schedule, onBreak } = this.#options;
    const { breakChance, repeatChance } = this.#quality;
    const from = (to === connection.near ? connection.far : connection.near)?.endpoint;
    if (from === undefined || !carries(connection, from)) return;
    if (random.chance(breakChance)) {
      onBreak?.();
      return this.#close(connection, "closed");
    }
    if (this.#isCut(from.address, to.endpoint.address)) return this.#lose(connection);
    const times = random.chance(repeatChance) ? 2 : 1;
    for (let time = 0; time < times; time++) {
      to.lastArrival = Math.max(to.lastArrival, this.#now() + this.delayMs());
      schedule(to.lastArrival - this.#now(), () => {
        if (connection.state !== "lost" && !carries(connection, from)) return;
        if (!this.#sockets.has(to.endpoint)) return;
        if (to === connection.near) connection.awaits = false;
        to.endpoint.handleMessage(to.link, message);
      });
    }
  }

  /** A connection over a cut link: it carries nothing more, which its opener learns long after. */
  #lose(connection: Connection): void {
    if (connection.state !== "open") return;
    connection.state = "lost";
    const notice = this.#options.random.between(cutNoticeMsMin, cutNoticeMsMax);
    this.#options.schedule(notice, () => {
      if (connection.state === "lost") this.#close(connection, "closed");
    });
  }

  /** Ends a connection and tells its opener, at least if that awaits something. */
  #close(connection: Connection, reason: "refused" | "closed"): void {
    if (connection.state === "closed") return;
    connection.state = "closed";
    const { near, far, address } = connection;
    if (far !== undefined) this.#sockets.get(far.endpoint)?.links.delete(far.link);
    this.#options.schedule(this.delayMs(), () => {
      const sockets = this.#sockets.get(near.endpoint);
      if (sockets === undefined) return;
      sockets.links.delete(near.link);
      if (sockets.outgoing.get(address) === connection) sockets.outgoing.delete(address);
      const { tellsIdleBreaks } = this.#quality;
      if (connection.awaits || tellsIdleBreaks) near.endpoint.handleUnreachable(address, reason);
    });
  }

  #isCut(from: Address, to: Address): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(`${hostOf(from)} ${hostOf(to)}`);
  }
}

/** Whether what this process sends on a connection arrives. */
function carries(connection: Connection, from: Endpoint): boolean {
  return connection.state === "open" || connection.flushing === from;
}

function hostOf(address: Address): string {
  return parseAddress(address)?.host ?? address;
}
