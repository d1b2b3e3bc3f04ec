/** Dialling: opens a connection to another server, within a time. */
import { FrameConnection } from "../protocol/connection.ts";
import { type Address, parseAddress } from "../ring/address.ts";
import { TimedStream } from "./timed_stream.ts";

/** How long it may take to connect, in milliseconds. */
const dialTimeoutMs = 2000;

/** A connection to another server. */
export interface Dialled {
  readonly connection: FrameConnection;
  readonly stream: TimedStream;
}

/**
 * Connects to a server.
 * @throws {Deno.errors.ConnectionRefused} when its host is up and nobody listens there.
 * @throws {Error} of another kind when it cannot be reached, or not in time.
 */
export async function dial(address: Address): Promise<Dialled> {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error(`Cannot connect to ${address}: that is no address`);
  const { host: hostname, port } = parsed;
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), dialTimeoutMs);
  try {
    const conn = await Deno.connect({ hostname, port, signal: timeout.signal });
    conn.setNoDelay(true);
    const stream = new TimedStream(conn);
    return { connection: new FrameConnection(stream), stream };
  } finally {
    clearTimeout(timer);
  }
}
