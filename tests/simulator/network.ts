/**
 * The simulated network: connections between addresses, as TCP has them.
 *
 * A server keeps one connection to each address that it sends to, and opens it with the first
 * message. On one connection messages arrive in order, each way; between connections there is no
 * order. A message that is lost, by chance or because the link is cut (one way), is sent again after
 * a time that doubles, as by TCP, and all behind it on that connection wait; so what was sent into a
 * partition may arrive long after it has healed. When that was in vain too often the connection
 * breaks, with all that was in flight either way, and its opener learns of that later; so it does when
 * a connection is reset by chance. Who connects over a cut link gives up without a word, as dialling
 * does. A process that dies on a host that is up has its connections reset, and whoever then connects
 * is refused.
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
  /** How often a message is lost, and sent again later. */
  readonly lossChance: number;
  /** How often a connection breaks instead of carrying a message. */
  readonly breakChance: number;
  /** How often a message arrives twice. */
  readonly repeatChance: number;
  /** How often a lost message is sent again before the connection breaks: 4 times take 3 seconds. */
  readonly resends: number;
  /** Whether a server learns that a connection broke on which it awaits nothing. */
  readonly tellsIdleBreaks: boolean;
}

/** After how long a lost message is sent again, the first time; each later time takes twice as long. */
const resendMs = 200;
/** How long after the first a second attempt to connect is made, in milliseconds; it is the last. */
const redialMs = 1_000;

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
  /** Called with the number of messages that are on their way from one process, or wait to be. */
  onFlight?(from: Endpoint, messages: number): void;
}

/** One end of a connection. */
interface End {
  readonly endpoint: Endpoint;
  readonly link: Link;
  /** When the last message that is on its way to this end arrives. */
  lastArrival: number;
  /** A message that was lost, and those behind it. */
  backlog: MemberMessage[];
}

/** One direction of a connection. */
interface Way {
  readonly connection: Connection;
  readonly from: Endpoint;
  readonly to: End;
}

interface Connection {
  readonly address: Address;
  readonly near: End;
  /** The end that accepted; absent until then. */
  far?: End;
  state: "open" | "closed";
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
  inFlight: number;
}

/** All connections of a world. */
export class Network {
  readonly #options: NetworkOptions;
  readonly #listeners = new Map<Address, Endpoint>();
  readonly #sockets = new Map<Endpoint, Sockets>();
  /** Pairs of hosts, `from to`, of which the first cannot reach the second, and how often cut. */
  readonly #cuts = new Map<string, number>();
  /** Hosts, and how much later what they send and receive arrives, in milliseconds. */
  readonly #lags = new Map<string, number>();
  readonly #now: () => number;
  #quality: NetworkQuality;
  #wasCut = false;
  /** When a link was cut, or healed, last. */
  #cutAt = -Infinity;

  constructor(now: () => number, options: NetworkOptions) {
    this.#now = now;
    this.#options = options;
    this.#quality = options.quality;
  }

  /** Ends all faults of the network: from now on nothing is lost, repeated or slow. */
  mend(): void {
    if (this.#cuts.size > 0) this.#cutAt = this.#now();
    this.#cuts.clear();
    this.#lags.clear();
    const perfect = { breakChance: 0, repeatChance: 0, slowChance: 0, lossChance: 0 };
    this.#quality = { ...this.#quality, ...perfect };
  }

  /** Whether no message could be lost so far, other than with a process. */
  get wasReliable(): boolean {
    const { breakChance, lossChance } = this.#options.quality;
    return !this.#wasCut && breakChance === 0 && lossChance === 0;
  }

  /** Whether any link is cut now. */
  get isCut(): boolean {
    return this.#cuts.size > 0;
  }

  /** For how long no link has been cut, in milliseconds. */
  get uncutMs(): number {
    return this.isCut ? 0 : this.#now() - this.#cutAt;
  }

  /** A process begins to listen at its address. */
  listen(endpoint: Endpoint): void {
    this.#listeners.set(endpoint.address, endpoint);
    this.#sockets.set(endpoint, {
      outgoing: new Map(),
      links: new Map(),
      lastLink: 0,
      inFlight: 0,
    });
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
    const key = `${hostOf(from)} ${hostOf(to)}`;
    this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + 1);
    this.#wasCut = true;
  }

  /** Ends a {@linkcode cut}; a link that was cut twice has to be healed twice. */
  heal(from: Address, to: Address): void {
    const key = `${hostOf(from)} ${hostOf(to)}`;
    const cuts = this.#cuts.get(key) ?? 0;
    if (cuts > 1) this.#cuts.set(key, cuts - 1);
    else this.#cuts.delete(key);
    this.#cutAt = this.#now();
  }

  /** From now on everything to and from a host takes longer; with 0 no more. */
  lag(address: Address, ms: number): void {
    this.#lags.set(hostOf(address), ms);
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
      near: { endpoint: from, link: ++sockets.lastLink, lastArrival: 0, backlog: [] },
      state: "open",
      waiting: [],
      awaits: true,
    };
    sockets.outgoing.set(address, connection);
    sockets.links.set(connection.near.link, connection);
    this.#options.schedule(this.delayMs(), () => this.#arrive(connection));
    return connection;
  }

  /** The request to connect has come to the address, or is lost. */
  #arrive(connection: Connection, tries = 1): void {
    const { near, address } = connection;
    if (!carries(connection, near.endpoint)) return;
    const isLost = this.#options.random.chance(this.#quality.lossChance);
    const met = isLost ? "silence" : this.reach(near.endpoint.address, address);
    if (met === "silence") return this.#redial(connection, tries);
    if (met === "refused") return this.#close(connection, "refused");
    const sockets = this.#sockets.get(met);
    if (sockets === undefined) return this.#close(connection, "refused");
    const far = { endpoint: met, link: ++sockets.lastLink, lastArrival: 0, backlog: [] };
    connection.far = far;
    sockets.links.set(far.link, connection);
    const { waiting } = connection;
    connection.waiting = [];
    for (const message of waiting) this.#transmit(connection, far, message);
  }

  /** Tries once more to connect; after that what waited for the connection is dropped. */
  #redial(connection: Connection, tries: number): void {
    this.#options.schedule(redialMs, () => {
      if (!carries(connection, connection.near.endpoint)) return;
      if (tries === 1) return this.#arrive(connection, 2);
      connection.state = "closed";
      this.#forget(connection);
    });
  }

  /** Puts a message on its way to one end of a connection. */
  #transmit(connection: Connection, to: End, message: MemberMessage): void {
    const { random, onBreak } = this.#options;
    const from = (to === connection.near ? connection.far : connection.near)?.endpoint;
    if (from === undefined || !carries(connection, from)) return;
    if (random.chance(this.#quality.breakChance)) {
      onBreak?.();
      return this.#close(connection, "closed");
    }
    const way = { connection, from, to };
    if (to.backlog.length > 0) return this.#hold(way, message);
    if (!this.#isLost(way)) return this.#deliver(way, message);
    this.#hold(way, message);
    this.#resend(way, 1);
  }

  #isLost({ from, to }: Way): boolean {
    return this.#options.random.chance(this.#quality.lossChance) ||
      this.#isCut(from.address, to.endpoint.address);
  }

  #hold({ from, to }: Way, message: MemberMessage): void {
    to.backlog.push(message);
    this.#options.onFlight?.(from, to.backlog.length);
  }

  /** Sends what was lost again, later; what waits behind it follows when it has arrived. */
  #resend(way: Way, tries: number): void {
    const { connection, from, to } = way;
    if (tries > this.#quality.resends) return this.#close(connection, "closed");
    this.#options.schedule(resendMs * 2 ** (tries - 1), () => {
      if (!carries(connection, from)) return;
      if (this.#isLost(way)) return this.#resend(way, tries + 1);
      const [first, ...rest] = to.backlog;
      to.backlog = [];
      if (first !== undefined) this.#deliver(way, first);
      for (const message of rest) this.#transmit(connection, to, message);
    });
  }

  #deliver({ connection, from, to }: Way, message: MemberMessage): void {
    const { random, schedule, onFlight } = this.#options;
    const sender = this.#sockets.get(from);
    const times = random.chance(this.#quality.repeatChance) ? 2 : 1;
    for (let time = 0; time < times; time++) {
      const delayMs = this.delayMs() + this.#lagOf(from) + this.#lagOf(to.endpoint);
      to.lastArrival = Math.max(to.lastArrival, this.#now() + delayMs);
      if (sender !== undefined) onFlight?.(from, ++sender.inFlight);
      schedule(to.lastArrival - this.#now(), () => {
        if (sender !== undefined) sender.inFlight--;
        if (!carries(connection, from) || !this.#sockets.has(to.endpoint)) return;
        if (to === connection.near) connection.awaits = false;
        to.endpoint.handleMessage(to.link, message);
      });
    }
  }

  #lagOf({ address }: Endpoint): number {
    return this.#lags.size === 0 ? 0 : this.#lags.get(hostOf(address)) ?? 0;
  }

  /** Ends a connection and tells its opener, at least if that awaits something. */
  #close(connection: Connection, reason: "refused" | "closed"): void {
    if (connection.state === "closed") return;
    connection.state = "closed";
    const { near, far, address } = connection;
    if (far !== undefined) this.#sockets.get(far.endpoint)?.links.delete(far.link);
    this.#options.schedule(this.delayMs(), () => {
      if (!this.#forget(connection)) return;
      const { tellsIdleBreaks } = this.#quality;
      if (connection.awaits || tellsIdleBreaks) near.endpoint.handleUnreachable(address, reason);
    });
  }

  /** Has its opener open another one for the next message; tells whether the opener still runs. */
  #forget(connection: Connection): boolean {
    const { near, address } = connection;
    const sockets = this.#sockets.get(near.endpoint);
    if (sockets === undefined) return false;
    sockets.links.delete(near.link);
    if (sockets.outgoing.get(address) === connection) sockets.outgoing.delete(address);
    return true;
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
