/** A simulated machine: a disk, clocks, an address, and the process that runs on it, if one does. */
import type { Address } from "../../lib/ring/address.ts";
import { Clock, WallClock } from "./clock.ts";
import { Disk } from "./disk.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** How a server is started. */
export interface StartOptions {
  readonly previous?: Address;
  /** Where to listen from now on; absent, where it did before. */
  readonly address?: Address;
}

/** The largest base of a monotonic clock. */
const monotonicBaseMax = 1_000_000;

/** One machine of the ring. */
export class Server {
  readonly wall: WallClock;
  disk: Disk;
  address: Address;
  process: Process | undefined;
  readonly #world: World;
  readonly #random: Random;
  #lives = 0;
  #disks = 0;

  /** `index` is from 0; the first is named A. */
  constructor(world: World, index: number, readonly name = String.fromCharCode(65 + index)) {
    this.#world = world;
    this.#random = world.random.fork(`server ${name}`);
    this.wall = new WallClock(this.#random.between(-world.skewMsMax, world.skewMsMax));
    this.disk = this.#newDisk();
    this.address = `10.0.0.${index + 1}:4043`;
  }

  /** Loses its disk, and with it its identity; not while a process is there. */
  wipe(): void {
    this.#world.retired.push(this.disk);
    this.disk = this.#newDisk();
  }

  #newDisk(): Disk {
    const disk = new Disk(this.#random.hex(32));
    this.#world.trace.name(disk.id, this.name + "'".repeat(this.#disks++));
    return disk;
  }

  /** The process, if it can act: it is neither ended nor paused. */
  get running(): Process | undefined {
    return this.process?.state === "running" ? this.process : undefined;
  }

  /** Whether a process is there, perhaps paused. */
  get isUp(): boolean {
    return this.process !== undefined && this.process.state !== "ended";
  }

  /** How often it was started. */
  get lives(): number {
    return this.#lives;
  }

  /** Starts a process with what the disk holds; not while one is there. */
  start({ previous, address = this.address }: StartOptions = {}): void {
    const world = this.#world;
    if (this.isUp) return;
    this.#lives++;
    this.address = world.network.isListening(address) ? this.freeAddress() : address;
    const random = this.#random.fork(`life ${this.#lives}`);
    const clock = new Clock(random.integer(monotonicBaseMax), this.wall);
    world.trace.line(
      world.now,
      this.name,
      `starts at ${this.address}, after ${previous ?? "none"}`,
    );
    world.disturb();
    this.process = new Process({
      world,
      server: this,
      clock,
      random,
      ...(previous !== undefined && { previous }),
    });
    this.process.start();
  }

  /** An address where it has never listened. */
  freeAddress(): Address {
    return this.address.replace(/:\d+$/, `:${5000 + this.#lives}`);
  }
}
