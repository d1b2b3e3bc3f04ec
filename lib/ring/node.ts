/** placeholder: being written */
import type { Address } from "./address.ts";
import type { Member, MemberId } from "./member.ts";
import type { Effect, Input, Now, StoredRing } from "./step.ts";

/** What a node is made of. */
export interface NodeOptions {
  readonly id: MemberId;
  /** What other members are told. */
  readonly address: Address;
  readonly stored: StoredRing;
  /** The digest of the store's files at the start. */
  readonly files: string;
  /** Random, new at every start: makes the numbers of this life's circles unique. */
  readonly boot: string;
  /** SHA-256 of a text as UTF-8, in lower-case hexadecimal digits. */
  readonly sha256: (text: string) => string;
  /** Insert this server after the one at this address. */
  readonly previous?: Address;
  readonly checkIntervalMs?: number;
}

/** One server of the ring: the deterministic core. */
export class Node {
  constructor(_options: NodeOptions) {}
  /** Takes one input; returns what the shell is to do, in this order. */
  step(_input: Input, _now: Now): readonly Effect[] {
    return [];
  }
  /** Every member known, in the order of the circle from this server on; dead ones included. */
  get members(): readonly Member[] {
    return [];
  }
}
