/** Counts what a simulation did: the faults by kind, and the situations that it reached. */

/** Every situation that some seed must reach; one that is never reached is a fault of the simulator. */
export const situations = [
  "a server joins while others join",
  "a server joins while a write is in flight",
  "a server finds no previous server",
  "a ring of one serves",
  "a dead server is taken off the circle",
  "a server reads that it is suspect or dead and denies it",
  "a server returns at its old address",
  "a server returns at a new address",
  "a server is told where the others went",
  "a server dies in the middle of a step",
  "a server leaves in time",
  "a lost server is forgotten",
  "a write is refused before it is stored",
  "a creator dies with a write in flight",
  "a connection breaks",
  "a write is superseded",
  "a write lacks its body",
  "a body is fetched",
  "a body is fetched in vain",
  "a large file is put",
  "a large body goes ahead",
  "a large body finds no room",
  "a circle is sent again",
  "a GET goes round the ring",
  "a GET is answered 200",
  "a GET is answered 404",
  "a PUT is answered 200",
  "a PUT is answered 201",
  "a DELETE is answered 200",
  "a DELETE is answered 404",
  "a GET is answered 503",
  "a write is answered 504",
  "a write is answered 507",
  "a write finds no room",
  "a write is acknowledged with fewer copies",
  "a GC is answered 200",
  "a GC is answered 409",
  "a tombstone is dropped",
  "a body turns out to be lost",
  "what was damaged is whole again",
  "a partition heals in time",
  "a server stops as its disk fails",
  "a server is given time",
  "a server is reached by a detour",
  "a client hears nothing",
  "a client tries again",
] as const;

/** One of {@linkcode situations}. */
export type Situation = typeof situations[number];

/** What was counted, as plain data. */
export interface Counts {
  readonly faults: readonly (readonly [string, number])[];
  readonly reached: readonly (readonly [Situation, number])[];
}

/** How often each thing happened. */
export class Statistics implements Counts {
  readonly #faults = new Map<string, number>();
  readonly #situations = new Map<Situation, number>();

  /** Faults by kind, in the order of their names. */
  get faults(): readonly (readonly [string, number])[] {
    return [...this.#faults].sort(([a], [b]) => a < b ? -1 : 1);
  }

  /** Every situation and how often it was reached. */
  get reached(): readonly (readonly [Situation, number])[] {
    return situations.map((situation) => [situation, this.#situations.get(situation) ?? 0]);
  }

  countFault(kind: string, by = 1): void {
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + by);
  }

  countSituation(situation: Situation, by = 1): void {
    this.#situations.set(situation, (this.#situations.get(situation) ?? 0) + by);
  }

  /** Adds what another simulation counted. */
  add(other: Counts): void {
    for (const [kind, count] of other.faults) this.countFault(kind, count);
    for (const [situation, count] of other.reached) this.countSituation(situation, count);
  }
}
