/**
 * An address: where a server listens, as `host:port`; an IPv6 host stands in brackets.
 *
 * Members compare addresses as text, so one server has one spelling: the one it tells the others.
 */

/** `host:port`, for example `127.0.1.1:4043` or `[::1]:4043`. */
export type Address = string;

/** An address in its two parts; `host` is without brackets. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** The most characters an address may have: a DNS name of 253, brackets, a colon and a port. */
export const addressLengthMax = 262;

/** Writes the two parts as one address: `formatAddress({ host: "::1", port: 1 })` is `[::1]:1`. */
export function formatAddress({ host, port }: HostAndPort): Address {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads an address, or returns `undefined` if `text` is not `host:port` with a port of 1–65535. */
export function parseAddress(text: string): HostAndPort | undefined {
  if (text.length > addressLengthMax) return undefined;
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})$/.exec(text);
  if (match === null) return undefined;
  const host = match[1] ?? match[2];
  const port = Number(match[3]);
  if (host === undefined || port < 1 || port > 65535) return undefined;
  return { host, port };
}
