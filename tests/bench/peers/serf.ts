/** A cluster of serf agents that watch each other. */
import { eventually } from "../../eventually.ts";
import type { Machine } from "../../e2e/ring_process.ts";
import { freePorts, PeerProcess } from "./peer_process.ts";

/** How long the agents have to find each other, and to find that one is dead, in milliseconds. */
const waitMsMax = 60_000;

/** Agents with the shortest times that serf has: `-profile local`. */
export class SerfCluster implements AsyncDisposable {
  private constructor(readonly agents: readonly PeerProcess[]) {}

  /** Starts agents, and waits until each of them knows all. */
  static async start(machine: Machine, count: number): Promise<SerfCluster> {
    await using started = new AsyncDisposableStack();
    const { ip } = machine;
    const ports = freePorts(ip, 2 * count);
    const [binds, rpcs] = [ports.slice(0, count), ports.slice(count)];
    const [firstPort = 0] = binds;
    const agents: PeerProcess[] = [];
    for (const [index, port] of binds.entries()) {
      const args = [
        ...["agent", "-profile", "local", "-node", nameOf(index)],
        ...["-bind", `${ip}:${port}`, "-rpc-addr", `${ip}:${rpcs[index]}`],
        ...(index === 0 ? [] : ["-join", `${ip}:${firstPort}`]),
      ];
      const options = { cwd: machine.directory, args, ip, port };
      agents.push(started.use(await PeerProcess.listening("serf", options)));
    }
    const cluster = new SerfCluster(agents);
    await cluster.#waitUntilAllSay(agents, (agent) => {
      return agents.every((_, index) =>
        agent.output.includes(`EventMemberJoin: ${nameOf(index)} `)
      );
    });
    started.move();
    return cluster;
  }

  /** Kills or stops an agent, and waits until all others say that it has failed; in milliseconds. */
  async timeToNotice(victim: number, signal: "SIGKILL" | "SIGSTOP"): Promise<number> {
    const survivors = this.agents.filter((_, index) => index !== victim);
    const start = performance.now();
    this.agents[victim]?.kill(signal);
    await this.#waitUntilAllSay(survivors, (agent) => {
      return agent.output.includes(`EventMemberFailed: ${nameOf(victim)} `);
    });
    return performance.now() - start;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent[Symbol.asyncDispose]()));
  }

  async #waitUntilAllSay(
    agents: readonly PeerProcess[],
    probe: (agent: PeerProcess) => boolean,
  ): Promise<void> {
    await eventually(() => {
      for (const agent of agents) agent.assertRunning();
      return agents.every(probe);
    }, { withinMs: waitMsMax, what: "serf" });
  }
}

function nameOf(index: number): string {
  return `agent-${index}`;
}
