/**
 * What each kind of fault does when it begins, and how it ends.
 *
 * While it lasts the servers that it leaves alone are expected to agree: on one circle, or on one for each
 * side of a cut. How long that takes is measured; so is how long the whole ring takes when it has ended.
 */
import type { Cluster } from "./cluster.ts";
import type { History } from "./history.ts";
import type { Cut } from "./network.ts";
import type { Observer } from "./observer.ts";
import type { PlannedFault } from "./schedule.ts";
import type { ServerProcess } from "./server_process.ts";

/** What faults act on. */
export interface FaultScene {
  readonly cluster: Cluster;
  readonly observer: Observer;
  readonly history: History;
}

/** A fault that has begun. */
export interface Begun {
  /** What was done, for the log. */
  readonly text: string;
  /** The servers that must come to agree while it lasts, group by group; absent if nobody must. */
  readonly groups?: readonly (readonly ServerProcess[])[];
  /** Ends it. */
  end(): Promise<void>;
}

/** How many packets of a hundred are lost, in a fault that loses some. */
const lossPercent = 20;

/** How long a disk may be waited for to be needed by nobody, before it is not wiped, in milliseconds. */
const settleMsMax = 30_000;

/** Begins a fault; returns `undefined` if there is nothing now that it could be done to. */
export async function beginFault(
  fault: PlannedFault,
  scene: FaultScene,
): Promise<Begun | undefined> {
  const { cluster, observer } = scene;
  const servers = fault.order.flatMap((index) => cluster.servers[index] ?? []);
  const [first, second] = servers;
  if (first === undefined || second === undefined) return undefined;
  const successor = observer.successor(first) ?? second;
  const neighbours = [first, successor];
  switch (fault.kind) {
    case "kill one":
      return await kill(fault, { scene, victims: [first] });
    case "kill neighbours":
      return await kill(fault, { scene, victims: neighbours });
    case "kill all but one":
      return await kill(fault, { scene, victims: servers.slice(1) });
    case "kill all":
      return await kill(fault, { scene, victims: servers });
    case "pause one":
      return pauseServers(scene, [first]);
    case "pause neighbours":
      return pauseServers(scene, neighbours);
    case "terminate one":
      return await terminate(fault, { scene, victim: first });
    case "rolling restart":
      return await restartAll(servers);
    case "wiped disk":
      return await wipe(fault, { scene, victim: first });
    case "cut in halves":
      return await cut(scene, [servers.slice(0, 2), servers.slice(2)]);
    case "cut off one":
      return await cut(scene, [servers.slice(0, 1), servers.slice(1)]);
    case "cut to successor":
      return await cutOneWay(scene, { from: first, to: successor });
    case "cut from successor":
      return await cutOneWay(scene, { from: successor, to: first });
    case "packet loss":
      return await losePackets(scene);
    case "full disk":
      return await fillDisk(first);
    case "clock step":
      return await stepClock(fault, { scene, victim: first });
  }
}

async function kill(
  fault: PlannedFault,
  { scene, victims }: { scene: FaultScene; victims: readonly ServerProcess[] },
): Promise<Begun> {
  await Promise.all(victims.map((victim) => victim.kill()));
  return {
    text: names(victims),
    ...survivors(scene, victims),
    end: () => startAgain(fault, { scene, victims }),
  };
}

function pauseServers(scene: FaultScene, victims: readonly ServerProcess[]): Begun {
  for (const victim of victims) victim.stop();
  return {
    text: names(victims),
    ...survivors(scene, victims),
    end() {
      for (const victim of victims) victim.continue();
      return Promise.resolve();
    },
  };
}

async function terminate(
  fault: PlannedFault,
  { scene, victim }: { scene: FaultScene; victim: ServerProcess },
): Promise<Begun> {
  await victim.terminate();
  return {
    text: victim.name,
    ...survivors(scene, [victim]),
    end: () => startAgain(fault, { scene, victims: [victim] }),
  };
}

async function restartAll(servers: readonly ServerProcess[]): Promise<Begun> {
  for (const server of servers) {
    await server.terminate();
    await server.start();
  }
  return { text: `${names(servers)}, one after the other`, end: () => Promise.resolve() };
}

/** Only a ring in which all servers hold the same can spare a disk: nothing is promised otherwise. */
async function wipe(
  fault: PlannedFault,
  { scene, victim }: { scene: FaultScene; victim: ServerProcess },
): Promise<Begun | undefined> {
  const { cluster, observer, history } = scene;
  const asked = performance.now();
  const after = await observer.waitUntil(() => observer.isSettled(asked), {
    withinMs: settleMsMax,
  });
  if (after === undefined) return undefined;
  await victim.kill();
  await victim.disk.wipe();
  history.wipe(victim.index, performance.now());
  const previous = cluster.servers.find((server) => server !== victim && server.isUp);
  return {
    text: victim.name,
    ...survivors(scene, [victim]),
    end: () => victim.start({ previous, hasNewPort: fault.hasNewPort }),
  };
}

async function cut(
  { cluster }: FaultScene,
  sides: readonly (readonly ServerProcess[])[],
): Promise<Begun> {
  const cuts = sides.flatMap((side) =>
    sides.filter((other) => other !== side).flatMap((other) =>
      side.flatMap((from) => other.map((to) => ({ from: from.index, to: to.index })))
    )
  );
  await cluster.network.setCuts(cuts);
  const text = sides.map((side) => side.map(({ index }) => index + 1).join(" ")).join(" | ");
  return { text, groups: sides, end: () => cluster.network.setCuts([]) };
}

async function cutOneWay(
  { cluster }: FaultScene,
  { from, to }: { from: ServerProcess; to: ServerProcess },
): Promise<Begun> {
  await cluster.network.setCuts([{ from: from.index, to: to.index }]);
  return { text: `${from.name} to ${to.name}`, end: () => cluster.network.setCuts([]) };
}

async function losePackets({ cluster }: FaultScene): Promise<Begun> {
  const cuts: Cut[] = cluster.servers.flatMap((from) =>
    cluster.servers.filter((to) => to !== from).map((to) => ({
      from: from.index,
      to: to.index,
      percent: lossPercent,
    }))
  );
  await cluster.network.setCuts(cuts);
  return { text: `${lossPercent} % on every link`, end: () => cluster.network.setCuts([]) };
}

async function fillDisk(victim: ServerProcess): Promise<Begun> {
  await victim.disk.fill();
  return { text: victim.name, end: () => victim.disk.free() };
}

async function stepClock(
  { clockStepMs }: PlannedFault,
  { scene: { cluster }, victim }: { scene: FaultScene; victim: ServerProcess },
): Promise<Begun> {
  await cluster.setClock(victim, clockStepMs);
  const seconds = Math.round(clockStepMs / 1000);
  return {
    text: `${victim.name} by ${seconds} s`,
    end: () => cluster.setClock(victim, 0),
  };
}

/**
 * Starts servers that were killed, together; they may be told of one that runs. If none does, the first
 * keeps its port: servers that all come back at other addresses cannot find each other.
 */
async function startAgain(
  fault: PlannedFault,
  { scene, victims }: { scene: FaultScene; victims: readonly ServerProcess[] },
): Promise<void> {
  const running = scene.cluster.servers.find((server) => server.isUp);
  const previous = fault.hasPrevious ? running : undefined;
  const { hasNewPort } = fault;
  await Promise.all(victims.map((victim, index) => {
    const isFound = running !== undefined || index > 0;
    return victim.start({ previous, hasNewPort: hasNewPort && isFound });
  }));
}

function survivors(
  { cluster }: FaultScene,
  victims: readonly ServerProcess[],
): Pick<Begun, "groups"> {
  const rest = cluster.servers.filter((server) => !victims.includes(server));
  return rest.length === 0 ? {} : { groups: [rest] };
}

function names(servers: readonly ServerProcess[]): string {
  return servers.map(({ name }) => name).join(", ");
}
