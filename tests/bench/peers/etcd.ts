/** A cluster of etcd, with all defaults but the addresses: every write is synced (no `--unsafe-no-fsync`). */
import { eventually } from "../../eventually.ts";
import type { Machine } from "../../e2e/ring_process.ts";
import { freePorts, PeerProcess } from "./peer_process.ts";

/** How long it has to elect a leader, in milliseconds. */
const startMsMax = 30_000;

const putPath = "v3/kv/put";

/** Three members, or as many as asked for. */
export class EtcdCluster implements AsyncDisposable {
  private constructor(
    readonly members: readonly PeerProcess[],
    /** Where clients ask each member, as `http://host:port/`. */
    readonly urls: readonly string[],
  ) {}

  /** Starts all members at once, on one address of the machine; does not wait for anything. */
  static async spawn(machine: Machine, count: number): Promise<EtcdCluster> {
    const ports = freePorts(machine.ip, 2 * count);
    const urls = ports.map((port) => `http://${machine.ip}:${port}`);
    const [clientUrls, peerUrls] = [urls.slice(0, count), urls.slice(count)];
    const directory = machine.path("etcd");
    await Deno.mkdir(directory);
    const cluster = peerUrls.map((url, index) => `member-${index}=${url}`).join(",");
    const members = clientUrls.map((clientUrl, index) =>
      PeerProcess.spawn("etcd", {
        cwd: directory,
        args: [
          ...["--name", `member-${index}`, "--data-dir", `member-${index}`],
          ...["--listen-client-urls", clientUrl, "--advertise-client-urls", clientUrl],
          ...["--listen-peer-urls", `${peerUrls[index]}`],
          ...["--initial-advertise-peer-urls", `${peerUrls[index]}`],
          ...["--initial-cluster", cluster, "--initial-cluster-state", "new"],
          ...["--log-level", "error"],
        ],
      })
    );
    return new EtcdCluster(members, clientUrls.map((url) => `${url}/`));
  }

  /** Starts a cluster, and waits until it takes writes. */
  static async start(machine: Machine, count: number): Promise<EtcdCluster> {
    await using started = new AsyncDisposableStack();
    const cluster = started.use(await EtcdCluster.spawn(machine, count));
    await eventually(() => cluster.takesWrites(), { withinMs: startMsMax, what: "etcd" });
    started.move();
    return cluster;
  }

  /** Where PUTs go: to the leader, so that no other member has to pass them on. */
  async putUrl(): Promise<string> {
    for (const url of this.urls) {
      const status = await askJson(`${url}v3/maintenance/status`, {});
      if (status !== undefined && status.leader === memberId(status)) return url + putPath;
    }
    throw new Error("etcd has no leader");
  }

  /** Puts something at the first member. */
  async takesWrites(): Promise<boolean> {
    for (const member of this.members) member.assertRunning();
    const [url = ""] = this.urls;
    const answer = await askJson(url + putPath, { key: btoa("first"), value: btoa("put") });
    return answer !== undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member[Symbol.asyncDispose]()));
  }
}

function memberId(status: Record<string, unknown>): unknown {
  const { header } = status;
  return typeof header === "object" && header !== null && "member_id" in header
    ? header.member_id
    : undefined;
}

/** What the gateway answers; `undefined` if it refuses, or nobody listens yet. */
async function askJson(
  url: string,
  question: unknown,
): Promise<Record<string, unknown> | undefined> {
  try {
    const response = await fetch(url, { method: "POST", body: JSON.stringify(question) });
    const answer = await response.json();
    return response.ok ? answer : undefined;
  } catch (error) {
    // fetch() says no more of a refused connection.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
