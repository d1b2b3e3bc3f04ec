/** What must hold at the end, when faults have ended and the ring has had time to settle. */
import { isLive, type Member } from "../../lib/ring/member.ts";
import type { Disk } from "./disk.ts";
import { assertCheck } from "./failure.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** Throws a `SimulationFailure` unless the ring is whole: one list, and the same files everywhere. */
export function assertSettled(world: World): void {
  const live = world.servers.filter(({ running }) => running !== undefined);
  const [first, ...others] = live;
  if (first === undefined || world.isBodyLost) return;
  assertLists(world, live);
  for (const other of others) {
    assertSameCircle(world, first, other);
    assertSameFiles(first, other);
  }
  assertBodies(live);
  assertAcknowledged(world, live);
}

function membersOf({ process }: Server): readonly Member[] {
  return process?.members ?? [];
}

/** Every live server says of every server what it is. */
function assertLists(world: World, live: readonly Server[]): void {
  for (const server of live) {
    for (const other of world.servers) {
      const member = memberOf(server, other.disk);
      const isRight = live.includes(other)
        ? member?.status === "alive" && member.address === other.address
        : member === undefined || !isLive(member);
      assertCheck(
        isRight,
        "lists",
        () =>
          `At the end ${server.name} says that ${other.name}, ` +
          `${live.includes(other) ? "live" : "gone"}, is ${member?.status ?? "unknown"}`,
      );
    }
    assertNoGhost(world, server);
  }
}

/** Nobody who lost its disk is there under its old identity. */
function assertNoGhost({ retired, trace }: World, server: Server): void {
  for (const disk of retired) {
    const member = memberOf(server, disk);
    assertCheck(
      member === undefined || !isLive(member),
      "lists",
      () => `At the end ${server.name} says that ${trace.nameOf(disk.id)}, lost, is there`,
    );
  }
}

function memberOf(server: Server, { id }: Disk): Member | undefined {
  return membersOf(server).find((member) => member.id === id);
}

/** Both know the same members in the same circular order, each from itself on. */
function assertSameCircle({ trace }: World, a: Server, b: Server): void {
  const [ours, theirs] = [membersOf(a), membersOf(b)];
  const start = theirs.findIndex(({ id }) => id === ours[0]?.id);
  const turned = [...theirs.slice(start), ...theirs.slice(0, start)];
  assertCheck(
    JSON.stringify(ours.map(fields)) === JSON.stringify(turned.map(fields)),
    "lists",
    () => `At the end ${a.name} has [${trace.list(ours)}] and ${b.name} [${trace.list(theirs)}]`,
  );
}

function fields({ id, incarnation, status, address, position }: Member): readonly unknown[] {
  return [id, incarnation, status, address, position];
}

function assertSameFiles(a: Server, b: Server): void {
  if (a.disk.digest === b.disk.digest) return;
  const names = [...a.disk.records, ...b.disk.records].map(({ name }) => name);
  const differs = names.find((name) => a.disk.look(name)?.stamp !== b.disk.look(name)?.stamp);
  assertCheck(
    false,
    "files",
    () => `At the end ${a.name} and ${b.name} differ in "${differs ?? "a record"}"`,
  );
}

function assertBodies(live: readonly Server[]): void {
  for (const { disk, name } of live) {
    const bare = disk.records.find(({ deleted, sha256 }) => !deleted && !disk.hasBody(sha256));
    assertCheck(
      bare === undefined,
      "files",
      () => `At the end ${name} has "${bare?.name}" without its body`,
    );
  }
}

/**
 * No acknowledged write is lost if one disk that had it is there; so no deleted file is back. Unless it
 * was damaged there, and no other server has it.
 */
function assertAcknowledged({ checks: { history } }: World, live: readonly Server[]): void {
  for (const { record, holders } of history.acknowledged) {
    if (!live.some(({ disk }) => holders.includes(disk))) continue;
    const bare = live.find(({ disk }) => !history.holds(disk, record));
    const isLost = history.wasDamaged(record) &&
      !live.some(({ disk }) => history.holds(disk, record));
    if (isLost) continue;
    assertCheck(
      bare === undefined,
      "files",
      () =>
        `At the end ${bare?.name} lost the acknowledged write ${record.stamp}, "${record.name}"`,
    );
  }
}
