/**
 * A member record: what is known of one server, and how two records of it become one.
 *
 * Records of one id are totally ordered, and merging takes the greater. A maximum is commutative,
 * associative and idempotent, so the order, loss and repetition of messages cannot keep two servers
 * apart. The order is SWIM's (Das et al., 2002, section 4.2): a higher incarnation overrides, and
 * within an incarnation the worse news does. Only the owner raises its incarnation, so a member that
 * reads that it is suspect or dead answers by raising it.
 */
import type { Address } from "./address.ts";

/** 128 random bits, as 32 lower-case hexadecimal digits; kept in the data directory. */
export type MemberId = string;

/** What a member's record says of it, in the order in which one overrides another. */
export const memberStatuses = [
  "joining",
  "alive",
  "suspect",
  "dead",
  "left",
  /** Will not come back, says a person: it is neither shown nor looked for. */
  "forgotten",
] as const;

/** One of {@linkcode memberStatuses}. */
export type MemberStatus = typeof memberStatuses[number];

/** What is known of one server. Immutable: a change is a new record. */
export interface Member {
  readonly id: MemberId;
  /** Counts what this member says of itself; only the member raises it. An integer from 1. */
  readonly incarnation: number;
  readonly status: MemberStatus;
  readonly address: Address;
  /** The place on the circle: bytes as hexadecimal digits, in the order of `position.ts`. */
  readonly position: string;
  /** Where its web front is, as `http://host:port/`; absent if it has none. */
  readonly web?: string;
}

/** The most members, live and dead, that a list may hold. */
export const membersMax = 512;

/** Negative if `b` overrides `a`, positive if `a` overrides `b`, 0 if they say the same. */
export function compareMember(a: Member, b: Member): number {
  return a.incarnation - b.incarnation ||
    memberStatuses.indexOf(a.status) - memberStatuses.indexOf(b.status) ||
    compareText(a.position, b.position) ||
    compareText(a.address, b.address) ||
    compareText(a.web ?? "", b.web ?? "");
}

/** The record of one server that two records of it make: the greater. */
export function mergeMember(a: Member, b: Member): Member {
  return compareMember(a, b) >= 0 ? a : b;
}

/** Whether this member is on the circle: messages go to it, and it is checked. */
export function isLive(member: Member): boolean {
  return member.status === "joining" || member.status === "alive" || member.status === "suspect";
}

/** Orders text by UTF-16 code unit: the same everywhere, whatever the locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
