/** Faults of disks: full, failing, lost, and damaged behind everybody's back. */
import { isLive, type MemberId } from "../../lib/ring/member.ts";
import { drawLength, type Fault, type FaultContext, pickVictim, restartPerhaps } from "./fault.ts";
import { join } from "./joining.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

const fullMsMin = 500;
const fullMsMax = 20_000;
/** After how long a server whose disk is to fail is killed if it has not written, in milliseconds. */
const failMsMax = 4_000;
const wipeMsMax = 8_000;
/** How often a person tells the ring, a while after a disk was lost, that its server is no more. */
const forgetChance = 0.5;
const forgetMs = 9_000;

/** After how long a scrub comes to what was damaged, at most, in milliseconds. */
const scrubMsMax = 30_000;

/** Faults of disks. */
export const diskFaults: readonly [Fault, ...Fault[]] = [
  { name: "disk full", weight: 4, inject: (context) => fill(context, pickSome(context)) },
  { name: "all disks full", weight: 2, inject: (context) => fill(context, context.world.servers) },
  { name: "fsync error", weight: 3, inject: failSync },
  { name: "disk lost", weight: 3, inject: wipe },
  { name: "record damaged", weight: 3, inject: (context) => damage(context, "record") },
  { name: "body damaged", weight: 3, inject: (context) => damage(context, "body") },
];

function pickSome({ world, random }: FaultContext): readonly Server[] {
  return random.shuffle(world.servers).slice(0, random.between(1, 2));
}

/** Leaves no room on some disks for a while. */
function fill(context: FaultContext, servers: readonly Server[]): boolean {
  const { world } = context;
  const disks = servers.map(({ disk }) => disk);
  world.disturb({ stalls: true });
  for (const disk of disks) disk.isFull = true;
  world.schedule(drawLength(context, { least: fullMsMin, most: fullMsMax }), () => {
    world.disturb({ stalls: true });
    for (const disk of disks) disk.isFull = false;
  });
  return true;
}

/** Has the next sync of a disk fail, and so its server stop. */
function failSync(context: FaultContext): boolean {
  const { world } = context;
  const victim = pickVictim(context);
  if (victim?.process === undefined) return false;
  const { process, disk } = victim;
  world.disturb({ harms: true });
  disk.failsNextSync = true;
  world.schedule(failMsMax, () => {
    disk.failsNextSync = false;
    process.kill();
    restartPerhaps(context, victim);
  });
  return true;
}

/** Kills a server and loses its disk; it begins anew, as a newcomer, while another has everything. */
function wipe(context: FaultContext): boolean {
  const { world, random, until } = context;
  const victim = pickVictim(context);
  if (victim?.process === undefined) return false;
  if (isLastWhole(world, victim)) return false;
  world.disturb({ harms: true });
  const { id } = victim.disk;
  victim.process.kill();
  victim.wipe();
  if (random.chance(forgetChance)) world.schedule(forgetMs, () => forget(context, id));
  world.schedule(random.integer(wipeMsMax), () => {
    if (!victim.isUp) join(world, { server: victim, before: world.established, random, until });
  });
  return true;
}

/** Has a server lose a file that others still have, as when a bit flips; a scrub finds it later. */
function damage(context: FaultContext, part: "record" | "body"): boolean {
  const { world, random } = context;
  const victim = pickVictim(context);
  if (victim === undefined) return false;
  const { disk } = victim;
  const others = world.established.filter((server) => server !== victim);
  const { history } = world.checks;
  const record = random.pick(
    disk.records.filter((record) =>
      (part === "record" || !record.deleted) && history.isAcknowledged(record) &&
      others.some((other) => history.holds(other.disk, record))
    ),
  );
  if (record === undefined) return false;
  world.disturb({ harms: true });
  disk.damage(record.name, part);
  history.handleDamaged(disk, record);
  const at = drawLength(context, { least: 0, most: scrubMsMax });
  world.schedule(at, () => victim.disk === disk && victim.process?.scrub());
  return true;
}

/** Whether what was damaged elsewhere may be whole on this server's disk only. */
function isLastWhole(
  { servers, established, checks: { history } }: World,
  server: Server,
): boolean {
  const others = established.filter((other) => other !== server);
  const { records } = server.disk;
  return servers.some(({ disk }) => disk.wasDamaged) &&
    !others.some(({ disk }) => records.every((record) => history.holds(disk, record)));
}

function forget({ world, random }: FaultContext, id: MemberId): void {
  const told = random.pick(world.established);
  const member = told?.process?.members.find((member) => member.id === id);
  if (told?.process === undefined || member === undefined || isLive(member)) return;
  world.statistics.countSituation("a lost server is forgotten");
  told.process.forget(id);
}
