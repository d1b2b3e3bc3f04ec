/** `kill -9` of one of five: until all others know, and until all agents of serf do. */
import { Machine } from "../../e2e/ring_process.ts";
import { atMost, type Comparison, inTurn, type Row } from "../comparison.ts";
import { timeToClose } from "../kill.ts";
import { SerfCluster } from "../peers/serf.ts";

const members = 5;
/** Which of them dies, counted from 0. */
const victim = 2;

const peer = "serf, local profile";
const killed: Row = {
  work: `kill -9 of one of ${members}: until the other four know`,
  peer,
  unit: "ms",
  target: atMost(0.2),
};
const stopped: Row = {
  work: "same, but stopped (SIGSTOP), so that it is only silent",
  peer,
  unit: "ms",
};

export const kill: Comparison = {
  rows: [killed, stopped],
  programs: ["serf"],
  fairness:
    "Five processes on one host, nothing else asked of them. ring: until all four survivors " +
    "have printed the ring without the fifth, checks every second (the default). serf: `-profile " +
    "local`, its fastest, until all four have logged `EventMemberFailed`. A host that is up refuses " +
    "connections to a port where nobody listens any more: ring takes that for proof, serf, over " +
    "UDP, goes by missed answers and suspicion. Of a process that is only stopped, or a host that " +
    "is gone, both learn by silence.",
  async measure(round) {
    return new Map([
      [killed, await measure(round, "SIGKILL")],
      [stopped, await measure(round, "SIGSTOP")],
    ]);
  },
};

function measure(round: number, signal: "SIGKILL" | "SIGSTOP") {
  return inTurn(round, () => timeToClose(signal), () => timeToNotice(signal));
}

async function timeToNotice(signal: "SIGKILL" | "SIGSTOP"): Promise<number> {
  await using machine = await Machine.create();
  await using cluster = await SerfCluster.start(machine, members);
  return await cluster.timeToNotice(victim, signal);
}
