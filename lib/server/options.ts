/** What a server is told when it is started, by the command line or by a test. */
import type { Address } from "../ring/address.ts";
import type { Credentials } from "../protocol/credentials.ts";
import type { Secret } from "../protocol/secret.ts";
import type { Member } from "../ring/member.ts";
import type { WebOptions } from "../web/web_options.ts";

/** How to start a server. */
export interface ServerOptions {
  readonly ip: string;
  /** The port to listen on, 0 for any that is free; absent, 4043 or the next one free. */
  readonly port?: number;
  /** What other members are told, `host` or `host:port`, if not where it listens. */
  readonly advertise?: string;
  /** The server after which this one is inserted. */
  readonly previous?: Address;
  /** Where the data are; absent, in memory. Given the port, as that may be found only now. */
  readonly dataDirectory?: (port: number) => string;
  readonly checkIntervalMs?: number;
  /** How many servers must have a write on disk before it is acknowledged; 1 if absent. */
  readonly minCopies?: number;
  /** How many bytes this server stores in files, and how many files; the quota's defaults if absent. */
  readonly bytesMax?: number;
  readonly filesMax?: number;
  /** How many connections there may be, to the ring's port and to the web front each. */
  readonly connectionsMax?: number;
  /** How many of them from one address, any number for 0; half of all if absent. */
  readonly connectionsPerAddressMax?: number;
  /** How often the server begins to check all that it holds, at the most, in milliseconds. */
  readonly scrubIntervalMs?: number;
  /** What servers and clients must know to belong to the ring; absent, everybody belongs. */
  readonly secret?: Secret;
  /** What to encrypt with, the ring's connections and HTTP; absent, nothing is encrypted. */
  readonly credentials?: Credentials;
  /** How to serve files over HTTP; absent, not at all. */
  readonly web?: WebOptions;
  /** Called at the start and at every change, with the circle from this server on. */
  readonly onCircle?: (members: readonly Member[]) => void;
  readonly onListening?: (address: Address) => void;
  /** Called with where the web front is, as `http://host:port/` or with https. */
  readonly onWeb?: (url: string) => void;
  /** Called with where the page of the ring is, if that has a port of its own. */
  readonly onPage?: (url: string) => void;
}

/** A server that runs. */
export interface RunningServer {
  readonly address: Address;
  /** Where its web front is, as `http://host:port/` or with https, if it has one. */
  readonly web?: string;
  /** Where what is under `/_ring/` is, likewise, if that has a port of its own. */
  readonly ringWeb?: string;
  /** Ends when the server has stopped by itself: rejects with the reason. */
  readonly finished: Promise<void>;
  /**
   * Uses other credentials for the connections that begin from now on.
   * @throws {ServerError} of kind `tls` if they are not for this server, which goes on with those it has.
   */
  renew(credentials: Credentials): void;
  /** Leaves the ring, finishes what is in flight, for at most 5 s, and closes the store. */
  stop(): Promise<void>;
}

/** The port a server listens on, and a client asks, unless told otherwise. */
export const portDefault = 4043;

/** A server cannot be started or cannot go on; `kind` decides the exit code. */
export class ServerError extends Error {
  override readonly name = "ServerError";
  constructor(
    readonly kind: "address" | "store" | "noPrevious" | "cloned" | "disk" | "tls" | "usage",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
