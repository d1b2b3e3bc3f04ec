/**
 * Tombstones that are dropped: only when every disk has them, and nothing older is under way; and what they
 * stood for never comes back.
 */
import type { FileRecord } from "../../lib/ring/file_record.ts";
import type { MemberId } from "../../lib/ring/member.ts";
import type { Stamp } from "../../lib/ring/stamp.ts";
import type { Disk } from "./disk.ts";
import { assertCheck } from "./failure.ts";
import type { Process } from "./process.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** A write, where and when it was made. */
interface Made {
  readonly record: FileRecord;
  readonly process: Process;
  readonly at: number;
}

/** What one server drops at once. */
export interface Drop {
  /** What it may drop: what is not above this. */
  readonly upTo: Stamp;
  readonly dropped: readonly FileRecord[];
}

/** Watches what becomes of tombstones. */
export class Tombstones {
  readonly #world: World;
  /** The newest tombstone of each name that was dropped. */
  readonly #dropped = new Map<string, Stamp>();
  readonly #made = new Map<Stamp, Made>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A server is about to store a record, perhaps one that it has just made. */
  handleStore({ disk, process }: Server, record: FileRecord): void {
    const { stamp } = record;
    if (process === undefined || !stamp.endsWith(disk.id) || this.#made.has(stamp)) return;
    this.#made.set(stamp, { record, process, at: this.#world.now });
  }

  /** A server has dropped tombstones. */
  handleDropped(server: Server, drop: Drop): void {
    const others = this.#others(server);
    if (drop.dropped.length > 0) this.#assertNothingOlder(server, { upTo: drop.upTo, others });
    for (const tombstone of drop.dropped) {
      this.#assertEverywhere(server, { tombstone, others });
      this.#note(tombstone);
    }
  }

  /** Whether a tombstone of this name was dropped that was as new as this stamp. */
  wasDropped({ name, stamp }: FileRecord): boolean {
    return (this.#dropped.get(name) ?? "") >= stamp;
  }

  /** A record is on a disk: no file is back that was deleted, and whose tombstone was dropped. */
  assertNotBack({ name: server }: Server, record: FileRecord): void {
    assertCheck(
      record.deleted === true || !this.wasDropped(record),
      "deleted",
      () => `${server} stored "${record.name}" again, of which the tombstone was dropped`,
    );
  }

  #note({ name, stamp }: FileRecord): void {
    if (stamp > (this.#dropped.get(name) ?? "")) this.#dropped.set(name, stamp);
  }

  /** The ids of the members that a server counts with, but for itself. */
  #others({ disk, process }: Server): ReadonlySet<MemberId> {
    const members = process?.members ?? [];
    const others = members.filter(({ id, status }) => id !== disk.id && status !== "forgotten");
    return new Set(others.map(({ id }) => id));
  }

  /** Nobody can bring back what a tombstone stands for: all disks have it. */
  #assertEverywhere(
    { name }: Server,
    { tombstone, others }: { tombstone: FileRecord; others: ReadonlySet<MemberId> },
  ): void {
    const { history } = this.#world.checks;
    const without = this.#disks().find((disk) =>
      others.has(disk.id) && !disk.wasDamaged && !history.holds(disk, tombstone)
    );
    assertCheck(
      without === undefined,
      "deleted",
      () =>
        `${name} dropped the tombstone of "${tombstone.name}" when ` +
        `${this.#world.trace.nameOf(without?.id ?? "")} did not have it`,
    );
  }

  /** Nothing can come late: no write of a member that was made before is unanswered. */
  #assertNothingOlder(
    { name }: Server,
    { upTo, others }: { upTo: Stamp; others: ReadonlySet<MemberId> },
  ): void {
    const older = [...this.#made.values()].find(({ record, process, at }) =>
      record.stamp <= upTo && others.has(process.id) &&
      !this.#world.checks.history.isAcknowledged(record) &&
      process.state !== "ended" && process.isWriting(record.name, at)
    );
    assertCheck(
      older === undefined,
      "deleted",
      () =>
        `${name} dropped tombstones up to ${upTo} when a write to "${older?.record.name}" ` +
        `was under way`,
    );
  }

  #disks(): readonly Disk[] {
    return [...this.#world.servers.map(({ disk }) => disk), ...this.#world.retired];
  }
}
