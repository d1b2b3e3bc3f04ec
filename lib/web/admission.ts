/**
 * Admission: whether a connection is let in. Of the connections to one port there are so many at the most,
 * and so many from one address, so that whoever takes all that one address may have leaves room to others.
 * Members of the ring are let in beyond the limit of all: strangers cannot keep them out.
 */
import type { Bound } from "./refusals.ts";

/** How many connections there may be to one port, unless told otherwise. */
export const connectionsDefault = 2048;

/** What {@linkcode Admission} needs. */
export interface AdmissionOptions {
  /** How many connections there may be; {@linkcode connectionsDefault} if absent. */
  readonly connectionsMax?: number | undefined;
  /** How many from one address, any number for 0; half of all if absent. */
  readonly perAddressMax?: number | undefined;
  /** Whether a member of the ring is at this address. */
  readonly isMember?: (address: string) => boolean;
}

/** Counts the connections to one port. */
export class Admission {
  readonly #perAddressMax: number;
  readonly #isMember: (address: string) => boolean;
  readonly #perAddress = new Map<string, number>();
  #connectionsMax: number;
  #connections = 0;

  constructor(
    { connectionsMax = connectionsDefault, perAddressMax, isMember = () => false }:
      AdmissionOptions = {},
  ) {
    this.#connectionsMax = connectionsMax;
    this.#perAddressMax = (perAddressMax ?? Math.ceil(connectionsMax / 2)) || Infinity;
    this.#isMember = isMember;
  }

  /** How many connections there may be. */
  get connectionsMax(): number {
    return this.#connectionsMax;
  }

  /** Whether there are as many as there may be. */
  get isFull(): boolean {
    return this.#connections >= this.#connectionsMax;
  }

  /** From now on there are so many at the most; those beyond, that are there already, stay. */
  limit(connectionsMax: number): void {
    this.#connectionsMax = connectionsMax;
  }

  /** Lets a connection in, and counts it until it leaves; or names the bound that keeps it out. */
  enter(address: string): Bound | undefined {
    const key = networkOf(address);
    const count = this.#perAddress.get(key) ?? 0;
    if (count >= this.#perAddressMax) return "connections_per_address";
    if (this.isFull && !this.#isMember(address)) return "connections";
    this.#perAddress.set(key, count + 1);
    this.#connections++;
    return undefined;
  }

  /** A connection that was let in has ended. */
  leave(address: string): void {
    const key = networkOf(address);
    const count = this.#perAddress.get(key) ?? 0;
    if (count > 1) this.#perAddress.set(key, count - 1);
    else this.#perAddress.delete(key);
    this.#connections--;
  }
}

/** The groups of an IPv6 address, and those of them that name the network: a host has all the others. */
const groupsCount = 8;
const networkGroups = 4;

/** What counts as one address: that of IPv4, mapped into IPv6 or not, and the first 64 bits of one of IPv6. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;
  const [head = "", tail = ""] = address.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(Math.max(0, groupsCount - first.length - last.length)).fill("0");
  return [...first, ...zeros, ...last].slice(0, networkGroups).join(":");
}
