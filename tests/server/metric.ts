/** Metrics of a server, as `/_ring/metrics` tells them. */
import { assert } from "@std/assert";
import type { Bound } from "../../lib/web/refusals.ts";
import { ask } from "../web/exchange.ts";
import type { Ring } from "./ring.ts";

/** The port of the first server's web front. */
export function webPortOf(ring: Ring): number {
  return Number(new URL(ring.server().web ?? "").port);
}

/** A sample of the first server's metrics. */
export async function metric(ring: Ring, name: string): Promise<number> {
  const { text } = await ask(webPortOf(ring), "/_ring/metrics");
  const line = text.split("\n").find((line) => line.startsWith(`${name} `));
  assert(line !== undefined, `${name} is there`);
  return Number(line.slice(name.length));
}

/** How often the first server has refused something by a bound. */
export function refused(ring: Ring, bound: Bound): Promise<number> {
  return metric(ring, `ring_refused_total{bound="${bound}"}`);
}
