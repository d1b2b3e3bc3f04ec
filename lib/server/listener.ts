/** Listening: binds an address, and accepts connections for as long as the listener is open. */
import { logger } from "../log.ts";
import { encodeAnswer } from "../protocol/encode.ts";
import { formatAddress } from "../ring/address.ts";
import { portDefault, ServerError } from "./options.ts";

/** How many ports after the default one are tried. */
const portsTriedMax = 1000;

/** How long to wait after a connection could not be accepted, in milliseconds. */
const acceptPauseMs = 100;

const log = logger("server");

/**
 * Listens on `port`, or without one on the first free port from the default on. It binds and does not
 * probe: of two servers that start at the same moment one gets the next port.
 * @throws {ServerError} of kind `address` when that cannot be done.
 */
export function bind({ ip, port }: { ip: string; port: number | undefined }): Deno.TcpListener {
  if (port !== undefined) return listen({ ip, port });
  for (let candidate = portDefault; candidate < portDefault + portsTriedMax; candidate++) {
    try {
      return Deno.listen({ hostname: ip, port: candidate });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) {
        throw listenError({ ip, port: candidate }, error);
      }
    }
  }
  const last = portDefault + portsTriedMax - 1;
  throw new ServerError(
    "address",
    `Cannot listen on ${ip}: ports ${portDefault}–${last} are taken`,
  );
}

/** Closes a connection that is one too many; says so first, as far as that goes without waiting. */
export function turnAway(connection: Deno.TcpConn): void {
  const error = "This server has too many connections; try again";
  const frame = encodeAnswer({ type: "ERROR", status: 503, error });
  // Who does not hear it sees that the connection is closed.
  connection.write(frame).catch(() => {}).finally(() => connection.close());
}

/** Hands every connection to `onConnection`; ends when the listener is closed. */
export async function acceptAll(
  listener: Deno.TcpListener,
  onConnection: (connection: Deno.TcpConn) => void,
): Promise<void> {
  while (true) {
    try {
      onConnection(await listener.accept());
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
        return;
      }
      // Too many open files, or a connection that was reset before it was accepted: both pass.
      log.warn(() => `Cannot accept a connection: ${messageOf(error)}`);
      await new Promise((resolve) => setTimeout(resolve, acceptPauseMs));
    }
  }
}

function listen({ ip, port }: { ip: string; port: number }): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: ip, port });
  } catch (error) {
    throw listenError({ ip, port }, error);
  }
}

function listenError({ ip, port }: { ip: string; port: number }, cause: unknown): unknown {
  // A permission is the build's matter, which the command line explains.
  if (cause instanceof Deno.errors.NotCapable || !(cause instanceof Error)) return cause;
  const address = formatAddress({ host: ip, port });
  return new ServerError("address", `Cannot listen on ${address}: ${listenReason(cause)}`, {
    cause,
  });
}

function listenReason(error: Error): string {
  if (error instanceof Deno.errors.AddrInUse) return "the port is taken";
  if (error instanceof Deno.errors.AddrNotAvailable) return "this machine has no such address";
  if (error instanceof Deno.errors.PermissionDenied) return "the operating system forbids it";
  return error.message;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
