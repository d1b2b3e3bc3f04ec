/** Faults of wall clocks: set wrong, running wrong. Monotonic clocks never go back. */
import { type Fault, type FaultContext } from "./fault.ts";
import type { Server } from "./server.ts";

const stepMsMax = 3_600_000;
/** A step that hardly shows, in milliseconds: to make stamps of one time. */
const smallStepMsMax = 2_000;
/** How much faster or slower a clock may run. */
const driftMax = 0.1;

/** Faults of wall clocks, which last until all faults end. */
export const clockFaults: readonly [Fault, ...Fault[]] = [
  { name: "clock step", weight: 3, inject: (context) => step(context, stepMsMax) },
  { name: "small clock step", weight: 2, inject: (context) => step(context, smallStepMsMax) },
  { name: "clock drift", weight: 2, inject: drift },
];

function step(context: FaultContext, msMax: number): boolean {
  const { world, random } = context;
  return touch(context, (server) => server.wall.step(world.now, random.between(-msMax, msMax)));
}

function drift(context: FaultContext): boolean {
  const { world, random } = context;
  const parts = 1_000;
  const rate = random.between(-parts, parts) / parts * driftMax;
  return touch(context, (server) => server.wall.run(world.now, rate));
}

function touch({ world, random }: FaultContext, change: (server: Server) => void): boolean {
  const server = random.pick(world.established);
  if (server === undefined) return false;
  world.disturb({ mistimes: true });
  change(server);
  return true;
}
