/**
 * What each server must show at the least, name by name.
 *
 * Three things bind a server. What it has acknowledged or shown itself, it has on disk. A write that
 * counted as many copies as there are servers that could have one is on each of these. And for as long
 * as every server that runs can ask all others, each shows whatever any of them has acknowledged: from
 * its disk, or by asking.
 */
import type { Stamp } from "../../lib/ring/stamp.ts";

/** What is known of an operation that was answered with a stamp. */
export interface Sighting {
  readonly name: string;
  /** The server that was asked, by number from 0. */
  readonly server: number;
  /** Milliseconds on the clock of `performance.now()`. */
  readonly start: number;
  readonly end: number;
  readonly stamp: Stamp;
}

/** Servers, by number, that hear each other and nobody else. */
export type Group = readonly number[];

/** A stamp below which a server shows nothing that is asked for from a time on. */
interface Floor {
  readonly stamp: Stamp;
  readonly from: number;
}

/** The floors of all names at all servers. */
export class Floors {
  readonly #servers: Group;
  /** By name, then by server. */
  readonly #own = new Map<string, Map<number, Floor>>();
  /** By name: for all servers, until the next fault. */
  readonly #shared = new Map<string, Floor>();
  readonly #wipedAt = new Map<number, number>();
  #groups: readonly Group[];
  #groupsSince = -Infinity;
  #isWhole = false;
  /** From when on all servers are bound by what is acknowledged; `Infinity` while they are not. */
  #sharedSince = Infinity;

  constructor(servers: number) {
    this.#servers = Array.from({ length: servers }, (_, server) => server);
    this.#groups = [this.#servers];
  }

  /** From now on only these servers run and hear each other, group by group; all do if absent. */
  noteGroups(groups: readonly Group[] = [this.#servers], now: number): void {
    this.#groups = groups;
    this.#groupsSince = now;
  }

  /** A fault begins; it `divides` if servers that run may not hear of what others acknowledge. */
  noteFault({ divides, now }: { readonly divides: boolean; readonly now: number }): void {
    this.#shared.clear();
    this.#sharedSince = this.#isWhole && !divides ? now : Infinity;
    this.#isWhole = false;
  }

  /** All servers are alive, as all say: each shows what is acknowledged by now, the greatest of a name. */
  noteWhole(acknowledged: ReadonlyMap<string, Stamp>, now: number): void {
    this.#isWhole = true;
    for (const [name, stamp] of acknowledged) {
      for (const server of this.#servers) this.#raise(name, { server, stamp, from: now });
    }
  }

  /** A server's disk is lost: what it has shown binds it no more, nor do operations under way. */
  wipe(server: number, now: number): void {
    this.#wipedAt.set(server, now);
    for (const floors of this.#own.values()) floors.delete(server);
  }

  /** A server has shown a version. */
  addRead(sighting: Sighting): void {
    this.#bind(sighting, sighting.server);
  }

  /** A server has acknowledged a write, with so many copies. */
  addWrite(sighting: Sighting, copies: number): void {
    const { name, start, stamp, end: from } = sighting;
    for (const server of this.#holders(sighting, copies)) this.#bind(sighting, server);
    if (start < this.#sharedSince || stamp <= (this.#shared.get(name)?.stamp ?? "")) return;
    this.#shared.set(name, { stamp, from });
  }

  /** The most copies that a write at that server may claim which began then. */
  copiesMax({ server, start }: Pick<Sighting, "server" | "start">): number {
    return this.#groupOf(server, start)?.length ?? this.#servers.length;
  }

  /** The stamp below which that server shows nothing of this name when asked then. */
  at({ name, server, start }: Pick<Sighting, "name" | "server" | "start">): Stamp | undefined {
    const floors = [this.#own.get(name)?.get(server), this.#shared.get(name)];
    const stamps = floors.flatMap((floor) =>
      floor !== undefined && floor.from <= start ? [floor.stamp] : []
    );
    return stamps.sort().at(-1);
  }

  /** The servers that must have a write of which so many have a copy. */
  #holders({ server, start }: Sighting, copies: number): Group {
    if (copies === this.#servers.length) return this.#servers;
    const group = this.#groupOf(server, start) ?? [];
    return copies === group.length ? group : [server];
  }

  /** The servers that this one has heard since then, itself included, if that is known. */
  #groupOf(server: number, start: number): Group | undefined {
    if (start <= this.#groupsSince) return undefined;
    return this.#groups.find((group) => group.includes(server));
  }

  #bind({ name, start, end, stamp }: Sighting, server: number): void {
    if (start <= (this.#wipedAt.get(server) ?? -Infinity)) return;
    this.#raise(name, { server, stamp, from: end });
  }

  #raise(name: string, { server, stamp, from }: Floor & { readonly server: number }): void {
    const floors = this.#own.get(name) ?? new Map<number, Floor>();
    this.#own.set(name, floors);
    if (stamp > (floors.get(server)?.stamp ?? "")) floors.set(server, { stamp, from });
  }
}
