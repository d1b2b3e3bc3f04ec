/** The wall clock of a server, which can be set: libfaketime, where it is installed. */
import { join } from "node:path";

/** Where Debian puts it; the loader itself replaces `$LIB`. */
const library = "/usr/$LIB/faketime/libfaketime.so.1";

/** The step with which {@linkcode canSetClocks} tries, and how far off its result may be. */
const trial = { stepMs: -86_400_000, slackMs: 60_000 };

/** Whether clocks can be set on this machine: whether one that is set, with a file in `directory`, is. */
export async function canSetClocks(directory: string): Promise<boolean> {
  const clock = await WallClock.create(directory, "clock-trial");
  await clock.set(trial.stepMs);
  const off = await clock.read() - (Date.now() + trial.stepMs);
  return Math.abs(off) < trial.slackMs;
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

  /** What a program of Deno takes for the time, in milliseconds since 1970. */
  async read(): Promise<number> {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "console.log(Date.now())"],
      env: { ...this.environment, NO_COLOR: "1" },
      stderr: "null",
    }).output();
    return Number(new TextDecoder().decode(stdout));
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
