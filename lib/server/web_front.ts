/** The web front of a server: where it listens, and where others reach it. */
import { type Address, formatAddress, parseAddress } from "../ring/address.ts";
import { Admission } from "../web/admission.ts";
import { webPortOffset } from "../web/web_options.ts";
import { WebServer } from "../web/web_server.ts";
import { ServerError, type ServerOptions } from "./options.ts";

/** The highest port; where the ring's is so high that the web front's would be above it, any will do. */
const portMax = 65535;

/**
 * Listens for HTTP, if the server is to: on the port it is told, or on the ring's port + 4000, or the next
 * one free.
 * @throws {ServerError} of kind `address` when that cannot be done.
 */
export async function listenForWeb(
  { ip: ringIp, web, connectionsMax, connectionsPerAddressMax }: ServerOptions,
  ringPort: number,
): Promise<WebServer | undefined> {
  if (web === undefined) return undefined;
  const { ip = ringIp, port } = web;
  const firstPort = ringPort + webPortOffset > portMax ? 0 : ringPort + webPortOffset;
  assertPermitted({ ip, port: port ?? firstPort });
  const admission = new Admission({ connectionsMax, perAddressMax: connectionsPerAddressMax });
  const where = { ip, ...(port === undefined ? {} : { port }), firstPort };
  try {
    return await WebServer.listen({ ...where, admission });
  } catch (error) {
    throw listenError({ host: ip, port: port ?? firstPort }, error);
  }
}

/** Where others reach the web front: on the host that they are told, at the port it listens on. */
export function webUrl({ web, address, options }: {
  web: WebServer | undefined;
  address: Address;
  options: ServerOptions;
}): string | undefined {
  if (web === undefined) return undefined;
  const { ip } = options.web ?? {};
  const ringHost = parseAddress(address)?.host ?? options.ip;
  const host = ip === undefined || isWildcard(ip) ? ringHost : ip;
  return `http://${formatAddress({ host, port: web.port })}/`;
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

function listenError({ host, port }: { host: string; port: number }, cause: unknown): unknown {
  // A permission is the build's matter, which the command line explains.
  if (cause instanceof Deno.errors.NotCapable || !(cause instanceof Error)) return cause;
  const reason = listenReason(cause);
  if (reason === undefined) return cause;
  return new ServerError(
    "address",
    `Cannot listen on ${formatAddress({ host, port })} for HTTP: ${reason}; ` +
      "choose another with --http-port, or --no-http",
    { cause },
  );
}

/** In words, if it is the system's reason. */
function listenReason(error: Error): string | undefined {
  switch ("code" in error ? error.code : undefined) {
    case "EADDRINUSE":
      return "the port is taken";
    case "EADDRNOTAVAIL":
    // What Deno says of an address of another machine.
    case "EINVAL":
      return "this machine has no such address";
    case "EACCES":
      return "the operating system forbids it";
    case undefined:
      return undefined;
    default:
      return error.message;
  }
}
