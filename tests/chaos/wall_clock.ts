/** The wall clock of a server, which can be set: libfaketime, where it is installed. */
import { join } from "node:path";

const library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/** Whether clocks can be set on this machine. */
export async function canSetClocks(): Promise<boolean> {
  try {
    return (await Deno.stat(library)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) {
      return false;
    }
    throw error;
  }
}

/** What one server takes for the time of day; its clock for intervals is always right. */
export class WallClock {
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
  }

  /** Makes a clock that is right, with a file for its offset in `directory`. */
  static async create(directory: string, name: string): Promise<WallClock> {
    const clock = new WallClock(join(directory, name));
    await clock.set(0);
    return clock;
  }

  /** What a process needs in its environment to go by this clock. */
  get environment(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      FAKETIME_NO_CACHE: "1",
    };
  }

  /** Sets it to be so many milliseconds ahead of the right time, or behind if negative. */
  async set(milliseconds: number): Promise<void> {
    const sign = milliseconds < 0 ? "-" : "+";
    const text = `${sign}${Math.abs(milliseconds / 1000)}`;
    // Replaced in one go, as processes read it at any time.
    await Deno.writeTextFile(`${this.#file}.new`, text);
    await Deno.rename(`${this.#file}.new`, this.#file);
  }
}
