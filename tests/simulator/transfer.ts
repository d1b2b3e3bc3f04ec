/**
 * Bodies on their way between simulated servers: the part of the shell that is all I/O.
 *
 * A `fetch` tries its sources in turn. A large body may also go ahead of its record: it then arrives
 * at the other servers by itself, or breaks off.
 */
import type { Address } from "../../lib/ring/address.ts";
import { hasLargeBody } from "../../lib/ring/file_record.ts";
import type { Effect } from "../../lib/ring/step.ts";
import type { Disk } from "./disk.ts";
import { Process } from "./process.ts";
import type { World } from "./world.ts";

/** How long a source may be silent, in milliseconds, before the next is tried. */
const sourceTimeoutMs = 5_000;
/** How long a large body takes from one server to another, at most. */
const largeBodyMsMax = 400;
/** How often a body that goes ahead arrives at a server. */
const arrivalChance = 0.8;

/** Who fetches what. */
interface Fetch {
  readonly effect: Extract<Effect, { type: "fetch" }>;
  readonly process: Process;
  readonly disk: Disk;
}

/** Gets a body; `onEnd` is called later, with the body, which is on the disk if it is large. */
export function fetchBody(
  world: World,
  fetch: Fetch,
  onEnd: (body: Uint8Array | undefined) => void,
): void {
  const { effect: { record, sources }, disk } = fetch;
  const [source, ...rest] = sources;
  const present = disk.body(record.sha256);
  if (present !== undefined || source === undefined) {
    return world.schedule(1, () => onEnd(present));
  }
  const { delayMs, body } = trySource(world, fetch, source);
  world.schedule(delayMs, () => {
    if (fetch.process.state === "ended") return;
    if (body !== undefined) {
      const isHere = !hasLargeBody(record) || disk.putBody(record.sha256, body);
      return onEnd(isHere ? body : undefined);
    }
    fetchBody(world, { ...fetch, effect: { ...fetch.effect, sources: rest } }, onEnd);
  });
}

function trySource(
  world: World,
  { effect, process }: Fetch,
  source: Address,
): { delayMs: number; body?: Uint8Array } {
  const roundTripMs = world.network.delayMs() + world.network.delayMs();
  const met = world.network.reach(process.address, source);
  if (met === "refused") return { delayMs: roundTripMs };
  const isSilent = met === "silence" || (met instanceof Process && met.state !== "running");
  if (isSilent) return { delayMs: sourceTimeoutMs };
  const server = world.servers.find((server) => server.process === met);
  const body = server?.disk.body(effect.record.sha256);
  const transferMs = world.network.delayMs() * 2;
  return { delayMs: roundTripMs + transferMs, ...(body && { body }) };
}

/** Sends a large body from a process to all others, ahead of its record. */
export function sendBodyAhead(
  world: World,
  { from, sha256, body }: { from: Process; sha256: string; body: Uint8Array },
): void {
  world.statistics.countSituation("a large body goes ahead");
  for (const { process, disk } of world.servers) {
    if (process === undefined || process === from) continue;
    const isReached = world.network.reach(from.address, process.address) === process;
    if (!isReached || !world.random.chance(arrivalChance)) continue;
    world.schedule(world.random.between(1, largeBodyMsMax), () => {
      if (process.state === "running" && from.state === "running") disk.putBody(sha256, body);
    });
  }
}
