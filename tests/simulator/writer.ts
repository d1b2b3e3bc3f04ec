/**
 * The part of a process that writes to its disk: records in groups, the list at once.
 *
 * Writes that come while the disk syncs share the next sync; those that are synced can be read meanwhile.
 * What is not synced when the process dies is lost; a sync that is under way then, or that fails, may have
 * reached the disk or not.
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
  #outcomes: readonly WriteOutcome[] = [];
  #isOver = false;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Makes the list durable, before it returns. */
  save(effect: SaveEffect): void {
    const { world, server } = this.#options;
    const { type: _, ...ring } = effect;
    this.#sync(() => {
      server.disk.save(ring);
      world.checks.onSave(server, effect);
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
    const { random, server: { disk } } = this.#options;
    if (random.chance(0.5)) disk.sync();
    else disk.lose();
  }

  /** The process has ended; if it was not killed, it has waited for its disk. */
  close(): void {
    this.#isOver = true;
    this.#options.server.disk.sync();
  }

  #begin(): void {
    const { world, random } = this.#options;
    if (this.#syncing.length > 0 || this.#waiting.length === 0) return;
    this.#syncing = this.#waiting;
    this.#waiting = [];
    this.#outcomes = this.#store(this.#syncing);
    world.schedule(random.between(1, world.syncMsMax), () => this.#finish());
  }

  #finish(): void {
    const { server: { disk }, onWritten } = this.#options;
    if (this.#isOver) return;
    const [effects, outcomes] = [this.#syncing, this.#outcomes];
    this.#syncing = [];
    this.#sync(() => disk.sync());
    if (this.#isOver) return;
    const files = disk.digest;
    effects.forEach(({ token }, index) => {
      const outcome = outcomes[index];
      if (outcome !== undefined) onWritten({ type: "written", token, outcome, files });
    });
    this.#begin();
  }

  /** Does what makes something durable, unless the disk fails. */
  #sync(persist: () => void): void {
    const { server: { disk }, random, log, onFailure } = this.#options;
    if (!disk.failsNextSync) return persist();
    disk.failsNextSync = false;
    this.#isOver = true;
    log("its disk fails");
    if (random.chance(0.5)) persist();
    else disk.lose();
    onFailure();
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
