/** What the web front of a server is told when it is started, by the command line or by a test. */

import type { Secret } from "../protocol/secret.ts";

/** How to serve files over HTTP. */
export interface WebOptions {
  /** The address to listen on, if not that of the ring's port. */
  readonly ip?: string;
  /** The port to listen on, 0 for any that is free; absent, the ring's port + 4000 or the next one free. */
  readonly port?: number;
  /** The port that `/_ring/` has of its own, 0 for any that is free; absent, it is served with the files. */
  readonly ringHttpPort?: number;
  /** What `Cache-Control` says of files; `no-cache` if absent. */
  readonly cacheControl?: string;
  /** Whether a folder without an `index.html` is listed. */
  readonly listing?: boolean;
  /** Whether `/index.html` is served where there is no such file, with status 200. */
  readonly spa?: boolean;
  /** The origin whose pages may read and write, or `*`; absent, none but this server's own. */
  readonly cors?: string;
  /** What writing takes; absent, everybody may write. */
  readonly secret?: Secret;
  /** Whether reading takes the secret too. */
  readonly isPrivate?: boolean;
  /** How many of one address may listen to events, any number for 0; half of all that may if absent. */
  readonly listenersPerAddressMax?: number;
  /** The largest file that is taken, in bytes; {@linkcode fileBytesDefault} if absent. */
  readonly fileBytesMax?: number;
}

/** The largest file that is taken over HTTP unless told otherwise, in bytes. */
export const fileBytesDefault = 1024 ** 3;

/** How far the web port is from the ring's, unless told otherwise. */
export const webPortOffset = 4000;
