/**
 * Chaos: real servers, real faults, and clients that note everything.
 *
 * Faults come one after the other, from a seed; a fault may begin while the ring still recovers from the
 * one before. When the time is over, all faults end, the ring has a minute to settle, and then everything
 * that it promises is checked against what clients were told.
 */
import { join } from "node:path";
import { readBack } from "./audit.ts";
import { Cluster, serversCount } from "./cluster.ts";
import { beginFault, type Begun, type FaultScene } from "./faults.ts";
import { checkFiles, checkProcesses, checkSettled, checkUsage } from "./final_checks.ts";
import { History } from "./history.ts";
import { Observer } from "./observer.ts";
import { pause } from "./pause.ts";
import { duration, operationLines, Recoveries, usageLine } from "./report.ts";
import { divides, type FaultKind, faultKinds, planFaults, type PlannedFault } from "./schedule.ts";
import type { ServerProcess } from "./server_process.ts";
import { runWorkload } from "./workload.ts";

/** How long the ring may take to form, and to become whole before a fault that waits, in milliseconds. */
const wholeMsMax = 30_000;

/** More violations than these are not printed. */
const violationsMax = 100;

/** What a run is given. */
export interface ChaosOptions {
  readonly seed: string;
  /** For how long faults happen, in milliseconds. */
  readonly lastsMs: number;
  /** The kinds of faults; those that this machine cannot do are left out. */
  readonly kinds?: readonly FaultKind[];
  /** Whether to change nothing of the machine: loopback addresses, no mounts, no clocks. */
  readonly isLoopback?: boolean;
  /** Arguments for every server, for example `-v`. */
  readonly serverArgs?: readonly string[];
  /** Takes a line of the log. */
  readonly print: (line: string) => void;
  /** Ends the run early. */
  readonly signal?: AbortSignal;
}

/** How a run went. */
export interface ChaosResult {
  /** What did not hold; empty if all did. */
  readonly violations: readonly string[];
  readonly faults: number;
  readonly operations: number;
  /** Where logs and data are, kept if something did not hold. */
  readonly directory?: string;
}

/** Runs a ring under faults, and says what did not hold. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const directory = await Deno.makeTempDir({ prefix: "ring-chaos-" });
  const run = new ChaosRun(options, directory);
  try {
    await run.play();
  } finally {
    await run[Symbol.asyncDispose]();
    if (run.violations.length === 0) await Deno.remove(directory, { recursive: true });
  }
  return {
    violations: run.violations,
    faults: run.recoveries.total,
    operations: run.history.operations.length,
    ...(run.violations.length === 0 ? {} : { directory }),
  };
}

class ChaosRun implements AsyncDisposable {
  readonly violations: string[] = [];
  readonly recoveries = new Recoveries();
  readonly history: History;
  readonly #options: ChaosOptions;
  readonly #directory: string;
  readonly #startedAt = performance.now();
  readonly #resources = new AsyncDisposableStack();
  /** Aborted when faults are to end: the time is over, or something does not hold. */
  readonly #stop = new AbortController();
  #lastKind: FaultKind | undefined;

  constructor(options: ChaosOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
    this.history = new History(serversCount, (text) => this.#violate(text));
  }

  async play(): Promise<void> {
    const { isLoopback = false, serverArgs = [], signal } = this.#options;
    const onViolation = (text: string) => this.#violate(text);
    const directory = this.#directory;
    signal?.addEventListener("abort", () => this.#stop.abort());
    const cluster = this.#resources.use(
      await Cluster.open({ directory, isLoopback, serverArgs, onViolation }),
    );
    this.#print(`seed ${this.#options.seed}, ${cluster.network.description}, ${directory}`);
    const missing = faultKinds.filter((kind) => !cluster.canSuffer(kind));
    if (missing.length > 0) this.#print(`not possible here: ${missing.join(", ")}`);
    await cluster.start();
    const watching = new AbortController();
    const observer = new Observer(cluster.servers, watching.signal);
    const { servers } = cluster;
    const scene = { cluster, servers, observer, history: this.history, onViolation };
    try {
      await this.#suffer(scene);
      if (signal?.aborted) return;
      await cluster.restore();
      this.#print("all faults have ended");
      const settled = await checkSettled(scene);
      if (settled !== undefined) this.#print(`settled after ${duration(settled)}`);
      await checkFiles(scene);
      checkUsage(scene);
    } finally {
      watching.abort();
      await observer.ended;
    }
    await checkProcesses(scene);
    await this.#keep(cluster);
    this.#report(observer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  /** Faults and clients, until the time is over or something does not hold. */
  async #suffer({ cluster, observer }: FaultScene): Promise<void> {
    const { seed } = this.#options;
    const { signal } = this.#stop;
    const { history } = this;
    const workload = runWorkload({ seed, servers: cluster.servers, history, signal });
    try {
      const formed = await this.#waitUntilWhole(observer);
      this.#print(
        formed === undefined ? "the ring has not formed" : `formed: ${observer.describe()}`,
      );
      if (formed === undefined) this.#violate("The ring has not formed");
      const until = performance.now() + this.#options.lastsMs;
      const kinds = (this.#options.kinds ?? faultKinds).filter((kind) => cluster.canSuffer(kind));
      for (const fault of planFaults(seed, { kinds, servers: serversCount })) {
        await this.#recover(fault, { cluster, observer, until });
        if (signal.aborted || performance.now() > until) break;
        // Time is over for a fault, too.
        const lastsMs = Math.min(fault.lastsMs, until - performance.now());
        await this.#inject({ ...fault, lastsMs }, { cluster, observer, history });
      }
    } finally {
      this.#stop.abort();
      await workload;
    }
  }

  /** Waits before a fault: for a moment, or first until the ring is whole. Reads what was written last. */
  async #recover(
    { gapMs, waits }: PlannedFault,
    { cluster: { servers }, observer, until }: {
      readonly cluster: Cluster;
      readonly observer: Observer;
      readonly until: number;
    },
  ): Promise<void> {
    const since = performance.now();
    const withinMs = waits ? Math.min(wholeMsMax, Math.max(until - since, 0)) : gapMs;
    const early = readBack(servers, this.history);
    const whole = await this.#waitUntilWhole(observer, withinMs);
    if (whole !== undefined) this.history.noteWhole(performance.now());
    this.#reportRecovery(whole, observer);
    await early;
    await readBack(servers, this.history);
    const passed = waits ? 0 : performance.now() - since;
    await pause(Math.max(0, gapMs - passed), this.#stop.signal);
  }

  #reportRecovery(whole: number | undefined, observer: Observer): void {
    const kind = this.#lastKind;
    if (kind === undefined) return;
    if (whole !== undefined) this.recoveries.addWhole(kind, whole);
    const what = whole === undefined ? "not whole yet" : `whole after ${duration(whole)}`;
    this.#print(`      ${what}: ${observer.describe()}`);
  }

  /** Begins a fault, and ends it when its time is over. */
  async #inject(fault: PlannedFault, scene: FaultScene): Promise<void> {
    const { kind, number, lastsMs } = fault;
    const { observer, history } = scene;
    history.noteFault({ divides: divides(kind) }, performance.now());
    const begun = await beginFault(fault, scene);
    history.noteGroups(begun?.groups?.map(numbersOf), performance.now());
    this.#lastKind = begun === undefined ? undefined : kind;
    if (begun === undefined) return this.#print(`#${number} ${kind}: not possible now`);
    const end = performance.now() + lastsMs;
    this.recoveries.count(kind);
    this.#print(`#${number} ${kind}: ${begun.text}, for ${duration(lastsMs)}`);
    await this.#waitUntilClosed(fault, { begun, observer });
    await pause(Math.max(0, end - performance.now()), this.#stop.signal);
    this.#print(`      at its end: ${observer.describe()}`);
    history.noteGroups(undefined, performance.now());
    await begun.end();
  }

  /** Measures how long the servers that a fault leaves alone take to agree, while it lasts. */
  async #waitUntilClosed(
    { kind, lastsMs: withinMs }: PlannedFault,
    { begun: { groups }, observer }: { begun: Begun; observer: Observer },
  ): Promise<void> {
    if (groups === undefined) return;
    const since = performance.now();
    const { signal } = this.#stop;
    const agree = () => observer.agree(groups, since);
    const after = await observer.waitUntil(agree, { withinMs, signal });
    if (after !== undefined) this.recoveries.addClosed(kind, after);
  }

  #waitUntilWhole(observer: Observer, withinMs = wholeMsMax): Promise<number | undefined> {
    const since = performance.now();
    const { signal } = this.#stop;
    return observer.waitUntil(() => observer.isWhole(since), { withinMs, signal });
  }

  /** Keeps what a person needs to find the fault. */
  async #keep(cluster: Cluster): Promise<void> {
    if (this.violations.length === 0) return;
    const lines = this.history.operations.map((operation) => JSON.stringify(operation));
    await Deno.writeTextFile(join(this.#directory, "operations.jsonl"), lines.join("\n"));
    for (const { disk, index } of cluster.servers) {
      await disk.copyTo(join(this.#directory, `data-${index + 1}`));
    }
  }

  #report({ growths }: Observer): void {
    const { print } = this.#options;
    for (const line of this.recoveries.lines()) print(line);
    for (const line of operationLines(this.history.operations)) print(line);
    print(usageLine(growths));
  }

  #violate(text: string): void {
    // Ctrl-C goes to the servers, too.
    if (this.#options.signal?.aborted || this.violations.length >= violationsMax) return;
    this.violations.push(text);
    // What comes after it would only hide it.
    this.#stop.abort();
    this.#print(`VIOLATION: ${text}`);
  }

  #print(line: string): void {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    this.#options.print(`${seconds.toFixed(1).padStart(7)}  ${line}`);
  }
}

function numbersOf(servers: readonly ServerProcess[]): readonly number[] {
  return servers.map(({ index }) => index);
}
