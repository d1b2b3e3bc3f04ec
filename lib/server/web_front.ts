/** The web front of a server: where it listens, and where others reach it. */
import { type Address, formatAddress, parseAddress } from "../ring/address.ts";
import { Admission } from "../web/admission.ts";
import type { Side } from "../web/side.ts";
import type { Traffic } from "../web/traffic.ts";
import { webPortOffset } from "../web/web_options.ts";
import { type Handler, type WebListenOptions, WebServer } from "../web/web_server.ts";
import type { Credentials } from "../protocol/credentials.ts";
import { ServerError, type ServerOptions } from "./options.ts";

/** The highest port; where the ring's is so high that the web front's would be above it, any will do. */
const portMax = 65535;

/** Where a web front is. */
interface WebPlace {
  /** Where others find the files, as `http://host:port/` or with https. */
  readonly files: string;
  /** Where they find what is under `/_ring/`, likewise; the same, unless that has a port of its own. */
  readonly ring: string;
}

/** Answers a request that came to the port of a side. Never rejects. */
type SideHandler = (...exchange: [...Parameters<Handler>, Side]) => Promise<void>;

/** The ports of a web front: one for all, or one for the files and one for the ring. */
export class WebFront {
  readonly #ports: ReadonlyMap<Side, WebServer>;

  /** One of them is for the files. */
  constructor(ports: ReadonlyMap<Side, WebServer>) {
    this.#ports = ports;
  }

  /** How many connections have a request that is being answered. */
  get underWay(): number {
    return [...this.#ports.values()].reduce((sum, { underWay }) => sum + underWay, 0);
  }

  /** Hands requests to `handler` from now on, and counts them in `traffic`. */
  serve(handler: SideHandler, traffic: Traffic): void {
    for (const [side, port] of this.#ports) {
      port.serve((request, response) => handler(request, response, side), traffic);
    }
  }

  /** Encrypts the connections that begin from now on with other credentials, where it does encrypt. */
  renew(credentials: Credentials): void {
    for (const port of this.#ports.values()) port.renew(credentials);
  }

  /** Takes no more connections, and ends each that there is as soon as it has its answers. */
  drain(): void {
    for (const port of this.#ports.values()) port.drain();
  }

  /** Closes everything; only answers that are complete may be read to their end. */
  async close(): Promise<void> {
    await Promise.all([...this.#ports.values()].map((port) => port.close()));
  }

  /** Where others find it: on the host that they are told, at the ports it listens on. */
  place({ address, options }: { address: Address; options: ServerOptions }): WebPlace {
    const { ip } = options.web ?? {};
    const ringHost = parseAddress(address)?.host ?? options.ip;
    const host = ip === undefined || isWildcard(ip) ? ringHost : ip;
    const [files = 0, ring = files] = [...this.#ports.values()].map(({ port }) => port);
    const scheme = options.credentials === undefined ? "http" : "https";
    const url = (port: number) => `${scheme}://${formatAddress({ host, port })}/`;
    return { files: url(files), ring: url(ring) };
  }
}

/**
 * Listens for HTTP, if the server is to: on the port it is told, or on the ring's port + 4000, or the next
 * one free; and for the ring on another, if it is told one.
 * @throws {ServerError} of kind `address` when that cannot be done.
 */
export async function listenForWeb(
  { ip: ringIp, web, credentials, connectionsMax, connectionsPerAddressMax }: ServerOptions,
  ringPort: number,
): Promise<WebFront | undefined> {
  if (web === undefined) return undefined;
  const { ip = ringIp, port, ringHttpPort } = web;
  const common = () => ({
    admission: new Admission({ connectionsMax, perAddressMax: connectionsPerAddressMax }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  const firstPort = ringPort + webPortOffset > portMax ? 0 : ringPort + webPortOffset;
  const flag = "--http-port, or --no-http";
  const chosen = port === undefined ? {} : { port };
  const files = await listen({ ip, firstPort, flag, ...chosen, ...common() });
  if (ringHttpPort === undefined) return new WebFront(new Map([["whole", files]]));
  try {
    const port = ringHttpPort;
    const flag = "--ring-http-port";
    const ring = await listen({ ip, firstPort: port, port, flag, ...common() });
    return new WebFront(new Map([["files", files], ["ring", ring]]));
  } catch (error) {
    await files.close();
    throw error;
  }
}

/** @throws {ServerError} of kind `address`, which names the `flag` to choose another port with. */
async function listen(
  { flag, ...options }: WebListenOptions & { flag: string },
): Promise<WebServer> {
  const { ip, port = options.firstPort } = options;
  assertPermitted({ ip, port });
  try {
    return await WebServer.listen(options);
  } catch (error) {
    throw listenError({ host: ip, port, flag }, error);
  }
}

/** Whether listening there means listening on every address of the machine. */
export function isWildcard(host: string): boolean {
  return /^0+(\.0+){0,3}$/.test(host) || /^[0:]*:[0:]*$/.test(host);
}

/**
 * Throws if the build's permissions do not let this server listen there. `node:http` would throw as well,
 * but in a callback of its own, where nobody can catch it.
 */
function assertPermitted({ ip, port }: { ip: string; port: number }): void {
  const host = formatAddress({ host: ip, port });
  if (Deno.permissions.querySync({ name: "net", host }).state === "granted") return;
  Deno.listen({ hostname: ip, port }).close();
}

function listenError(
  { host, port, flag }: { host: string; port: number; flag: string },
  cause: unknown,
): unknown {
  // A permission is the build's matter, which the command line explains.
  if (cause instanceof Deno.errors.NotCapable || !(cause instanceof Error)) return cause;
  const reason = listenReason(cause);
  if (reason === undefined) return cause;
  // On the ring's own address the ring listens already.
  const remedy = reason === missingAddress ? "--http-ip" : flag;
  return new ServerError(
    "address",
    `Cannot listen on ${formatAddress({ host, port })} for HTTP: ${reason}; ` +
      `choose another with ${remedy}`,
    { cause },
  );
}

const missingAddress = "this machine has no such address";

/** In words, if it is the system's reason. */
function listenReason(error: Error): string | undefined {
  switch ("code" in error ? error.code : undefined) {
    case "EADDRINUSE":
      return "the port is taken";
    case "EADDRNOTAVAIL":
    // What Deno says of an address of another machine.
    case "EINVAL":
      return missingAddress;
    case "EACCES":
      return "the operating system forbids it";
    case undefined:
      return undefined;
    default:
      return error.message;
  }
}
