/**
 * The server: a listener, a store, and the core between them.
 */
import { createHash } from "node:crypto";
import metadata from "../../deno.json" with { type: "json" };
import { logger } from "../log.ts";
import type { Credentials } from "../protocol/credentials.ts";
import { FrameConnection } from "../protocol/connection.ts";
import { type Address, formatAddress, parseAddress } from "../ring/address.ts";
import type { MemberAnswer, StatusAnswer } from "../ring/request.ts";
import { openDiskStore } from "../storage/disk_store.ts";
import { MemoryStore } from "../storage/memory_store.ts";
import { randomId } from "../storage/random_id.ts";
import { type Store, StoreFailedError, StoreFullError, StoreOpenError } from "../storage/store.ts";
import { Activity } from "../web/activity.ts";
import { Admission } from "../web/admission.ts";
import { Site } from "../web/site.ts";
import { Dialler } from "./dialler.ts";
import { Driver } from "./driver.ts";
import { Fetcher } from "./fetcher.ts";
import { findGone } from "./find_gone.ts";
import { acceptAll, bind, turnAway } from "./listener.ts";
import { type RunningServer, ServerError, type ServerOptions } from "./options.ts";
import { Peers } from "./peers.ts";
import { Scrub } from "./scrub.ts";
import { Session } from "./session.ts";
import { StrangerLog } from "./stranger_log.ts";
import { TimedStream } from "./timed_stream.ts";
import { TlsEntrance } from "./tls_entrance.ts";
import { Uploads } from "./uploads.ts";
import { Watchdog } from "./watchdog.ts";
import { WebBackend } from "./web_backend.ts";
import { listenForWeb, type WebFront } from "./web_front.ts";

/** How long requests that are under way may take when the server stops, in milliseconds. */
export const stopTimeoutMs = 5000;

/** How often a server that is to stop looks whether requests are under way, in milliseconds. */
const stopLookMs = 10;

/** How often connections to other servers that are not used are looked for, in milliseconds. */
const sweepIntervalMs = 5000;

const log = logger("server");

/**
 * Starts a server; on return it listens and has begun to take part in its ring.
 * @throws {ServerError} when it cannot listen or open its store.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const listener = bind({ ip: options.ip, port: options.port });
  const { hostname: host, port } = listener.addr;
  let web: WebFront | undefined;
  try {
    const address = advertised(options.advertise, { host, port });
    assertCertified(address, options.credentials);
    web = await listenForWeb(options, port);
    const store = openStore(options, port);
    const server = new Server({ listener, web, store, address, options });
    options.onListening?.(formatAddress({ host, port }));
    if (server.web !== undefined) options.onWeb?.(server.web);
    if (server.ringWeb !== undefined) options.onPage?.(`${server.ringWeb}_ring/`);
    server.start();
    return server;
  } catch (error) {
    listener.close();
    await web?.close();
    throw error;
  }
}

function openStore({ dataDirectory, bytesMax, filesMax }: ServerOptions, port: number): Store {
  const quota = { bytesMax, filesMax };
  if (dataDirectory === undefined) return new MemoryStore(randomId(), { quota });
  try {
    return openDiskStore(dataDirectory(port), { quota });
  } catch (error) {
    if (!(error instanceof StoreOpenError)) throw error;
    throw new ServerError("store", error.message, { cause: error });
  }
}

/** What other members are told: where this server listens, unless it is told otherwise. */
function advertised(advertise: string | undefined, bound: { host: string; port: number }): Address {
  if (advertise === undefined) return formatAddress(bound);
  if (parseAddress(advertise) !== undefined) return advertise;
  return formatAddress({ host: advertise.replace(/^\[|\]$/g, ""), port: bound.port });
}

/** Throws if no other server would believe that this one is at its address. */
function assertCertified(address: Address, credentials: Credentials | undefined): void {
  const { host } = parseAddress(address) ?? { host: address };
  if (credentials === undefined || credentials.isFor(host)) return;
  throw new ServerError(
    "tls",
    `Cannot use the certificate: it is for ${credentials.hosts}, and others connect to ${host}; ` +
      "make one that is for it, or name the host that this one is for with --advertise",
  );
}

interface ServerParts {
  readonly listener: Deno.TcpListener;
  readonly web: WebFront | undefined;
  readonly store: Store;
  readonly address: Address;
  readonly options: ServerOptions;
}

class Server implements RunningServer {
  readonly address: Address;
  readonly web?: string;
  readonly ringWeb?: string;
  readonly finished: Promise<void>;
  readonly #parts: ServerParts;
  readonly #peers: Peers;
  readonly #fetcher: Fetcher;
  readonly #uploads: Uploads;
  readonly #driver: Driver;
  readonly #scrub: Scrub;
  readonly #site: Site | undefined;
  readonly #activity = new Activity();
  readonly #watchdog = new Watchdog(() => this.#activity.refusals.note("silence"));
  readonly #admission: Admission;
  readonly #strangers = new StrangerLog();
  readonly #sessions = new Map<Session, Promise<void>>();
  readonly #sweeper: ReturnType<typeof setInterval>;
  #credentials: Credentials | undefined;
  #accepting: Promise<void> = Promise.resolve();
  #hasLeft: () => void = () => {};
  #stopping: Promise<void> | undefined;
  #finish: PromiseWithResolvers<void>;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.address = parts.address;
    this.#finish = Promise.withResolvers();
    this.finished = this.#finish.promise;
    // Whoever does not wait for the end need not hear of it.
    this.finished.catch(() => {});
    const { store, options } = parts;
    const place = parts.web?.place(parts);
    // Whoever looks for a server's page looks there.
    const web = place?.ring;
    if (place !== undefined) this.web = place.files;
    if (place !== undefined && place.ring !== place.files) this.ringWeb = place.ring;
    const boot = randomId();
    const activity = this.#activity;
    const { secret, connectionsMax, connectionsPerAddressMax: perAddressMax } = options;
    const isMember = (host: string) => this.#isMember(host);
    this.#admission = new Admission({ connectionsMax, perAddressMax, isMember });
    this.#credentials = options.credentials;
    const dialler = new Dialler({
      ...(secret === undefined ? {} : { party: { secret, id: store.id } }),
      credentials: () => this.#credentials,
    });
    this.#peers = new Peers({
      dialler,
      onMessage: (message) => this.#driver.handle({ type: "message", link: 0, message }),
      onUnreachable: (address, reason) =>
        this.#driver.handle({ type: "unreachable", address, reason }),
      onDistrust: (address, text) => this.#handleDistrust(address, text),
      refusals: activity.refusals,
    });
    this.#uploads = new Uploads({
      self: store.id,
      boot,
      store,
      dialler,
      others: () => this.#driver.node.circle.slice(1),
    });
    this.#fetcher = new Fetcher({
      store,
      dialler,
      uploads: this.#uploads,
      watchdog: this.#watchdog,
    });
    const { previous, checkIntervalMs, minCopies, scrubIntervalMs } = options;
    this.#driver = new Driver({
      node: {
        id: store.id,
        address: parts.address,
        stored: store.load(),
        files: store.summary().digest,
        boot,
        sha256: (text) => createHash("sha256").update(text).digest("hex"),
        ...(web === undefined ? {} : { web }),
        ...(previous === undefined ? {} : { previous }),
        ...(checkIntervalMs === undefined ? {} : { checkIntervalMs }),
        ...(minCopies === undefined ? {} : { minCopies }),
      },
      store,
      peers: this.#peers,
      fetcher: this.#fetcher,
      activity,
      onCircle: options.onCircle,
      onStop: ({ reason, text }) => {
        if (reason === "left") this.#hasLeft();
        else this.#fail(new ServerError(reason, text));
      },
      onFatal: (error) => this.#fail(fatal(error)),
    });
    this.#scrub = new Scrub({
      store,
      mend: (names) => this.#driver.mend(names),
      onFatal: (error) => this.#fail(fatal(error)),
      ...(scrubIntervalMs === undefined ? {} : { intervalMs: scrubIntervalMs }),
    });
    if (place !== undefined) {
      const backend = new WebBackend({
        web: place.ring,
        files: place.files,
        driver: this.#driver,
        store,
        uploads: this.#uploads,
        activity,
        status: () => this.#status(),
        isStopping: () => this.#stopping !== undefined,
        onFatal: (error) => this.#fail(fatal(error)),
      });
      this.#site = new Site(backend, {
        ...options.web,
        ...(secret === undefined ? {} : { secret }),
        // Where all clients come from one address, all listeners do.
        ...(perAddressMax === 0 ? { listenersPerAddressMax: 0 } : {}),
      });
    }
    this.#sweeper = setInterval(() => {
      this.#peers.sweep();
      this.#fetcher.sweep();
    }, sweepIntervalMs);
  }

  start(): void {
    const site = this.#site;
    if (site !== undefined) {
      this.#parts.web?.serve((...exchange) => site.handle(...exchange), this.#activity.traffic);
    }
    this.#accepting = acceptAll(this.#parts.listener, (conn) => this.#accept(conn));
    this.#driver.handle({ type: "start" });
    this.#scrub.start();
  }

  renew(credentials: Credentials): void {
    assertCertified(this.address, credentials);
    this.#credentials = credentials;
    this.#parts.web?.renew(credentials);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /**
   * Listens until the others know that it leaves: to them, a server that refuses connections is dead.
   */
  async #stop(): Promise<void> {
    // A VERIFY may take longer than this server has.
    void this.#scrub.close();
    this.#parts.web?.drain();
    // This also ends what is told to listeners as it happens, which would not end by itself.
    this.#activity.note({ type: "note", level: "info", text: "This server leaves the ring" });
    // From now on the server may also end by a failure, which counts as having left.
    const left = new Promise<void>((resolve) => {
      this.#hasLeft = resolve;
    });
    await this.#finishRequests();
    this.#driver.handle({ type: "leave" });
    await left;
    await this.#close();
    this.#finish.resolve();
  }

  /** Waits, for a time, for the requests that are under way. */
  async #finishRequests(): Promise<void> {
    const end = performance.now() + stopTimeoutMs;
    while (this.#isBusy && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, stopLookMs));
    }
  }

  get #isBusy(): boolean {
    return this.#driver.requestsUnderWay > 0 || (this.#parts.web?.underWay ?? 0) > 0 ||
      [...this.#sessions.keys()].some((session) => session.isBusy);
  }

  /** Closes everything, as it is. */
  async #close(): Promise<void> {
    this.#parts.listener.close();
    const written = this.#driver.close();
    const scrubbed = this.#scrub.close();
    clearInterval(this.#sweeper);
    this.#watchdog.close();
    this.#peers.close();
    this.#fetcher.close();
    for (const session of this.#sessions.keys()) session.close();
    await Promise.all([
      ...this.#sessions.values(),
      this.#accepting,
      this.#parts.web?.close(),
      written,
    ]);
    this.#parts.store.close();
    await scrubbed;
  }

  /** The server cannot go on. */
  #fail(error: unknown): void {
    if (this.#stopping !== undefined) return this.#hasLeft();
    log.debug(() => `The server stops: ${String(error)}`);
    this.#stopping = this.finished.catch(() => {});
    this.#close().then(() => this.#finish.reject(error), () => this.#finish.reject(error));
  }

  #accept(conn: Deno.TcpConn): void {
    const { hostname: host, port } = conn.remoteAddr;
    const credentials = this.#credentials;
    const refusedBy = this.#admission.enter(host);
    if (refusedBy !== undefined) {
      this.#activity.refusals.note(refusedBy);
      // Whoever speaks TLS would take a frame for proof that this server does not.
      return credentials === undefined ? turnAway(conn) : conn.close();
    }
    conn.setNoDelay(true);
    const entrance = credentials === undefined ? undefined : new TlsEntrance(conn, credentials);
    const stream = new TimedStream(entrance ?? conn);
    const remote = formatAddress({ host, port });
    const session = new Session({
      connection: new FrameConnection(stream),
      stream,
      remote,
      entrance,
      secret: this.#parts.options.secret,
      strangers: this.#strangers,
      refusals: this.#activity.refusals,
      driver: this.#driver,
      store: this.#parts.store,
      uploads: this.#uploads,
      status: () => this.#status(),
      forget: (member) => this.#forget(member),
      verify: () => this.#scrub.verify(),
      isStopping: () => this.#stopping !== undefined,
      leave: () => {
        log.info(`Asked to leave the ring, by ${remote}`);
        this.stop();
      },
      onFatal: (error) => this.#fail(fatal(error)),
    });
    const unwatch = this.#watchdog.watch(session);
    const run = session.run().finally(() => {
      unwatch();
      this.#sessions.delete(session);
      this.#admission.leave(host);
    });
    this.#sessions.set(session, run);
  }

  /** Whether a member of the list is at this address. */
  #isMember(host: string): boolean {
    return this.#driver.node.members.some(({ address }) => parseAddress(address)?.host === host);
  }

  /** A newcomer that is not let in has no ring; who is in one goes on without that server. */
  #handleDistrust(address: Address, text: string): void {
    const isNewcomer = this.#driver.node.members.length === 0;
    if (isNewcomer && address === this.#parts.options.previous) {
      this.#fail(new ServerError("noPrevious", `Cannot join the ring of ${address}: ${text}`));
    } else this.#strangers.note(address, text);
  }

  #forget(text: string): MemberAnswer {
    const answer = findGone(this.#driver.node.members, text);
    if (answer.status === 200 && answer.id !== undefined) {
      this.#driver.handle({ type: "forget", member: answer.id });
    }
    return answer;
  }

  #status(): StatusAnswer {
    const { store, address } = this.#parts;
    const { compared } = this.#driver.node;
    return {
      type: "STATUS",
      status: 200,
      version: metadata.version,
      id: store.id,
      address,
      members: this.#driver.node.members.filter(({ status }) => status !== "forgotten"),
      ...(store.isFull ? { readOnly: true } : {}),
      ...(compared === undefined ? {} : { compared }),
      ...store.summary(),
    };
  }
}

function fatal(error: unknown): unknown {
  if (!(error instanceof StoreFailedError || error instanceof StoreFullError)) return error;
  return new ServerError("disk", error.message, { cause: error });
}
