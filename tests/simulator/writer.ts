/**
 * The part of a process that writes to its disk: records in groups, the list at once.
 *
 * Writes that come while the disk syncs share the next sync. What is not synced when the process dies
 * is lost; a sync that is under way then, or that fails, may have reached the disk or not.
 */
import type { Effect, Input, WriteOutcome } from "../../lib/ring/step.ts";
import type { Random } from "./random.ts";
import { sealed } from "./sealed.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

type WriteEffect = Extract<Effect, { type: "write" }>;
type SaveEffect = Extract<Effect, { type: "save" }>;

/** What a {@linkcode Writer} is made of. */
export interface WriterOptions {
  readonly world: World;
  readonly server: Server;
  readonly random: Random;
  readonly log: (text: string) => void;
  /** Called for each write that is on disk, or was refused. */
  readonly onWritten: (written: Extract<Input, { type: "written" }>) => void;
  /** Called when the disk cannot say whether it has what it was given: the process has to end. */
  readonly onFailure: () => void;
}

/** Writes to the disk of one process. */
export class Writer {
  readonly #options: WriterOptions;
  #waiting: WriteEffect[] = [];
  #syncing: readonly WriteEffect[] = [];
  #isOver = false;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Makes the list durable, before it returns. */
  save(effect: SaveEffect): void {
    const { world, server } = this.#options;
    const { type: _, ...ring } = effect;
    this.#sync(() => {
      world.checks.onSave(server, effect);
      server.disk.save(ring);
    });
  }

  /** Makes a record durable, with the next sync. */
  write(effect: WriteEffect): void {
    this.#waiting.push(effect);
    this.#begin();
  }

  /** The process is killed. */
  kill(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#options.random.chance(0.5)) this.#store(this.#syncing);
  }

  /** The process has ended. */
  close(): void {
    this.#isOver = true;
  }

  #begin(): void {
    const { world, random } = this.#options;
    if (this.#syncing.length > 0 || this.#waiting.length === 0) return;
    this.#syncing = this.#waiting;
    this.#waiting = [];
    world.schedule(random.between(1, world.syncMsMax), () => this.#finish());
  }

  #finish(): void {
    const { server, onWritten } = this.#options;
    if (this.#isOver) return;
    const effects = this.#syncing;
    this.#syncing = [];
    const outcomes = this.#sync(() => this.#store(effects));
    if (this.#isOver) return;
    const files = server.disk.digest;
    effects.forEach(({ token }, index) => {
      const outcome = outcomes?.[index];
      if (outcome !== undefined) onWritten({ type: "written", token, outcome, files });
    });
    this.#begin();
  }

  /** Does what makes something durable, unless the disk fails. */
  #sync<T>(persist: () => T): T | undefined {
    const { server: { disk }, random, log, onFailure } = this.#options;
    if (!disk.failsNextSync) return persist();
    disk.failsNextSync = false;
    this.#isOver = true;
    log("its disk fails");
    if (random.chance(0.5)) persist();
    onFailure();
    return undefined;
  }

  #store(effects: readonly WriteEffect[]): readonly WriteOutcome[] {
    const { world, server, log } = this.#options;
    const outcomes = sealed(server.disk.write(effects.map(({ write }) => write)));
    effects.forEach(({ write: { record } }, index) => {
      const outcome = outcomes[index];
      if (outcome === undefined) return;
      log(`wrote "${record.name}" ${world.trace.stamp(record.stamp)}: ${outcome.outcome}`);
      world.checks.onWritten(server, { record, outcome });
    });
    return outcomes;
  }
}
