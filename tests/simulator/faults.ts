/** All faults that a simulation injects; the list to add to. */
import { clockFaults } from "./clock_faults.ts";
import { diskFaults } from "./disk_faults.ts";
import type { Fault } from "./fault.ts";
import { joinFaults } from "./join_faults.ts";
import { networkFaults } from "./network_faults.ts";
import { processFaults } from "./process_faults.ts";

/** All faults, each drawn by its weight. */
export const faults: readonly [Fault, ...Fault[]] = [
  ...processFaults,
  ...networkFaults,
  ...diskFaults,
  ...clockFaults,
  ...joinFaults,
];
