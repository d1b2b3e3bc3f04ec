/** `kill -9` of one of five: until all others know, and until all agents of serf do. */
import { Machine } from "../../e2e/ring_process.ts";
import { atMost, type Comparison, inTurn, type Row } from "../comparison.ts";
import { timeToClose } from "../kill.ts";
import { SerfCluster } from "../peers/serf.ts";

const members = 5;
/** Which of them dies, counted from 0. */
const victim = 2;

const row: Row = {
  work: `kill -9 of one of ${members}: until the other four know`,
  peer: "serf, local profile",
  unit: "ms",
  target: atMost(0.2),
};

export const kill: Comparison = {
  rows: [row],
  programs: ["serf"],
  fairness:
    "Five processes on one host, nothing else asked of them. ring: until all four survivors " +
    "have printed the ring without the fifth; the host refuses connections to a port where nobody " +
    "listens any more, which ring takes for proof. serf: `-profile local`, its fastest, until all " +
    "four have logged `EventMemberFailed`; serf goes by missed answers to UDP, then by suspicion. " +
    "Of a *host* that is gone ring learns by silence as well, in 5 s by default, at most 8.",
  async measure(round) {
    return new Map([[row, await inTurn(round, timeToClose, timeToNotice)]]);
  },
};

async function timeToNotice(): Promise<number> {
  await using machine = await Machine.create();
  await using cluster = await SerfCluster.start(machine, members);
  return await cluster.timeToNotice(victim);
}
