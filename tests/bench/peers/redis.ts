/** A master of Redis and its replicas, each syncing its append-only file before it answers. */
import { eventually } from "../../eventually.ts";
import type { Machine } from "../../e2e/ring_process.ts";
import { type BatchWriter, exchange } from "../pipeline.ts";
import { freePorts, PeerProcess } from "./peer_process.ts";

/** How long the replicas have to copy what the master has, in milliseconds. */
const startMsMax = 30_000;

/** A master, and its replicas. */
export class RedisReplication implements AsyncDisposable {
  private constructor(
    readonly processes: readonly PeerProcess[],
    readonly replicas: number,
    readonly ip: string,
    /** The master's. */
    readonly port: number,
  ) {}

  /** Starts a master, then its replicas, and waits until a write has reached all of them. */
  static async start(machine: Machine, replicas: number): Promise<RedisReplication> {
    await using started = new AsyncDisposableStack();
    const [masterPort = 0, ...ports] = freePorts(machine.ip, 1 + replicas);
    const processes = [started.use(await startRedis(machine, masterPort))];
    for (const port of ports) {
      const replicaOf = ["--replicaof", `${machine.ip} ${masterPort}`];
      processes.push(started.use(await startRedis(machine, port, replicaOf)));
    }
    const redis = new RedisReplication(processes, replicas, machine.ip, masterPort);
    await eventually(() => redis.#isComplete(), {
      withinMs: startMsMax,
      what: "replicas of redis",
    });
    started.move();
    return redis;
  }

  /** A connection to the master. */
  async connect(bodyBytes: number): Promise<RedisWriter> {
    const conn = await Deno.connect({ hostname: this.ip, port: this.port });
    conn.setNoDelay(true);
    return new RedisWriter(conn, { replicas: this.replicas, bodyBytes });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.processes.map((process) => process[Symbol.asyncDispose]()));
  }

  /** Whether all replicas follow the master: `WAIT` counts those that do. */
  async #isComplete(): Promise<boolean> {
    for (const process of this.processes) process.assertRunning();
    const conn = await Deno.connect({ hostname: this.ip, port: this.port });
    let answer = "";
    const command = encodeCommands([["SET", "first", "put"], ["WAIT", `${this.replicas}`, "100"]]);
    await exchange(conn, command, (chunk) => {
      answer += new TextDecoder().decode(chunk);
      return answer.split("\r\n").length > 2;
    });
    conn.close();
    return answer === `+OK\r\n:${this.replicas}\r\n`;
  }
}

/** Batches of `SET`, each with one `WAIT` for all replicas at its end. */
export class RedisWriter implements BatchWriter {
  static #next = 0;
  readonly #conn: Deno.TcpConn;
  readonly #replicas: number;
  readonly #rest: string;

  constructor(
    conn: Deno.TcpConn,
    { replicas, bodyBytes }: { readonly replicas: number; readonly bodyBytes: number },
  ) {
    this.#conn = conn;
    this.#replicas = replicas;
    this.#rest = "x".repeat(bodyBytes - 12);
  }

  async write(count: number): Promise<void> {
    const sets = Array.from({ length: count }, () => {
      const number = RedisWriter.#next++;
      return ["SET", `put-${number % 1000}`, `${number}`.padStart(12, "0") + this.#rest];
    });
    const wanted = "+OK\r\n".repeat(count) + `:${this.#replicas}\r\n`;
    let answer = "";
    const command = encodeCommands([...sets, ["WAIT", `${this.#replicas}`, "0"]]);
    await exchange(this.#conn, command, (chunk) => {
      answer += new TextDecoder().decode(chunk);
      return answer.length >= wanted.length;
    });
    if (answer !== wanted) throw new Error(`Redis has answered ${JSON.stringify(answer)}`);
  }

  close(): void {
    this.#conn.close();
  }
}

async function startRedis(
  machine: Machine,
  port: number,
  more: readonly string[] = [],
): Promise<PeerProcess> {
  const directory = machine.path(`redis-${port}`);
  await Deno.mkdir(directory);
  const where = ["--bind", machine.ip, "--port", `${port}`, "--dir", directory];
  // No snapshots beside the log, which is rewritten when it has doubled, as by default.
  const durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
  // The replicas come one after the other, and need not be waited for, 5 s by default.
  const quick = ["--repl-diskless-sync-delay", "0"];
  const args = [...where, ...durable, ...quick, ...more];
  return await PeerProcess.listening("redis-server", {
    cwd: directory,
    args,
    ip: machine.ip,
    port,
  });
}

/** Commands as RESP has them: arrays of strings, all of ASCII here. */
function encodeCommands(commands: readonly (readonly string[])[]): Uint8Array<ArrayBuffer> {
  const text = commands.map((words) =>
    `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`
  );
  return new TextEncoder().encode(text.join(""));
}
